import type { Clock } from '../../base/clock.ts'
import { type Disposable, toDisposable } from '../../base/disposable.ts'
import type { LedgerRecorder } from '../../identity/ledger/ledger-event.ts'

/** A port without a connection for so long is told as closed: pages open one for each file, and a ledger is for people. */
export const PORT_IDLE_MS = 60_000

interface Use {
  readonly sinceMs: number
  connections: number
  closing: Disposable | undefined
}

/** Which ports of its attempts one linked device reaches here, for the ledger: opened with the first connection, closed after the last. */
export class PortAccount implements Disposable {
  readonly #ledger: LedgerRecorder
  readonly #clock: Clock
  readonly #uses = new Map<string, Use & { readonly peer: string; readonly attempt: string | undefined; readonly port: number }>()

  constructor(ledger: LedgerRecorder, clock: Clock) {
    this.#ledger = ledger
    this.#clock = clock
  }

  /** A connection; dispose when it ends. Without `attempt`: a contact reaches a port of this person's. */
  connect(peer: string, attempt: string | undefined, port: number): Disposable {
    const key = `${attempt}:${port}`
    let use = this.#uses.get(key)
    if (!use) {
      use = { peer, attempt, port, sinceMs: this.#clock.monotonicMs(), connections: 0, closing: undefined }
      this.#uses.set(key, use)
      this.#ledger.record({ kind: 'port-shared', peer, port, ...(attempt !== undefined && { attempt }) })
    }
    use.closing?.dispose()
    use.connections += 1
    const counted = use
    return toDisposable(() => {
      counted.connections -= 1
      if (counted.connections === 0) counted.closing = this.#clock.after(PORT_IDLE_MS, () => this.#close(key))
    })
  }

  dispose(): void {
    for (const key of [...this.#uses.keys()]) this.#close(key)
  }

  #close(key: string): void {
    const use = this.#uses.get(key)
    if (!use) return
    use.closing?.dispose()
    this.#uses.delete(key)
    const { peer, port, attempt, sinceMs } = use
    this.#ledger.record({
      kind: 'port-closed',
      peer,
      port,
      ...(attempt !== undefined && { attempt }),
      forMs: Math.max(0, Math.round(this.#clock.monotonicMs() - sinceMs)),
    })
  }
}
