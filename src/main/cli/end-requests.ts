type EndSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

/**
 * Ctrl-C and its like, from its making on. Whoever listens last is told; what came while nobody listened is told to the
 * first who does. Made before anything is started, so that no signal can end this process and leave the rest running.
 */
export class EndRequests {
  readonly #signals: readonly EndSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']
  #listener: ((signal: EndSignal) => void) | undefined
  #missed: EndSignal | undefined

  constructor() {
    for (const signal of this.#signals) process.on(signal, this.#take)
  }

  listen(listener: (signal: EndSignal) => void): void {
    this.#listener = listener
    const missed = this.#missed
    this.#missed = undefined
    if (missed) listener(missed)
  }

  /** From now on they are kept for who listens next. */
  hold(): void {
    this.#listener = undefined
  }

  readonly #take = (signal: EndSignal) => {
    if (this.#listener) this.#listener(signal)
    else this.#missed = signal
  }

  dispose(): void {
    for (const signal of this.#signals) process.off(signal, this.#take)
  }
}
