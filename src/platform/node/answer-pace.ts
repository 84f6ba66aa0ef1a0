/** RFC 6762, section 6: a record is not multicast again within a second; who asked meanwhile has heard the answer before. */
const PACE_MS = 1_000

/** How often one interface is answered on, however often and by whomever it is asked. */
export class AnswerPace {
  #answeredAtMs = Number.NEGATIVE_INFINITY

  /** Notes an answer that is given now; false when it is too soon for one. */
  take(nowMs: number): boolean {
    if (nowMs - this.#answeredAtMs < PACE_MS) return false
    this.#answeredAtMs = nowMs
    return true
  }
}
