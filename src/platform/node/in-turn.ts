/** Work that one does at a time: who comes while it runs waits for its end, and then does what is left. */
export class InTurn {
  #running: Promise<void> | undefined

  async run(work: () => Promise<void>): Promise<void> {
    while (this.#running) await this.#running
    const result = work()
    const done = () => {
      this.#running = undefined
    }
    this.#running = result.then(done, done)
    await result
  }
}
