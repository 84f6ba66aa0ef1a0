interface Load<V> {
  readonly result: Promise<V>
  readonly stop: AbortController
  waiting: number
}

/**
 * What several wait for is loaded once. Whoever gives up leaves alone; when the last one that waited has left, the load is
 * stopped and forgotten, and who comes then begins another. Without a signal one waits for ever.
 */
export class SharedLoads<K, V> {
  readonly #loads = new Map<K, Load<V>>()

  has(key: K): boolean {
    return this.#loads.has(key)
  }

  /** Begins what nobody waits for yet; goes on until somebody waited and none does any more. */
  begin(key: K, work: (signal: AbortSignal) => Promise<V>): Load<V> {
    const stop = new AbortController()
    const result = work(stop.signal).finally(() => this.#forget(key, load))
    const load: Load<V> = { result, stop, waiting: 0 }
    result.catch(() => {}) // whoever waits hears why
    this.#loads.set(key, load)
    return load
  }

  /**
   * Wants it as whoever waits does, without hearing of it, until it is let go of. For many at once: each that leaves a signal costs as much as others
   * listen to it. @param onDone  it is loaded, or cannot be
   */
  hold(key: K, work: (signal: AbortSignal) => Promise<V>, onDone: () => void): () => void {
    const load = this.#loads.get(key) ?? this.begin(key, work)
    load.waiting++
    load.result.then(onDone, onDone)
    return () => this.#leave(key, load)
  }

  /** Rejects with the signal's reason once that is aborted, whoever else waits. */
  wait(key: K, work: (signal: AbortSignal) => Promise<V>, signal?: AbortSignal): Promise<V> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const load = this.#loads.get(key) ?? this.begin(key, work)
    load.waiting++
    if (!signal) return load.result
    return new Promise((resolve, reject) => {
      const leave = () => {
        reject(signal.reason)
        this.#leave(key, load, signal.reason)
      }
      signal.addEventListener('abort', leave, { once: true })
      void load.result.then(resolve, reject).then(() => signal.removeEventListener('abort', leave))
    })
  }

  #leave(key: K, load: Load<V>, reason?: unknown): void {
    if (--load.waiting > 0) return
    this.#forget(key, load)
    load.stop.abort(reason)
  }

  #forget(key: K, load: Load<V>): void {
    if (this.#loads.get(key) === load) this.#loads.delete(key)
  }
}
