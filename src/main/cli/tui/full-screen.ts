import { writeSync } from 'node:fs'
import type { ReadStream, WriteStream } from 'node:tty'
import type { Disposable } from '../../../base/disposable.ts'

/** Another screen, no cursor, no wrapping; and all of it back. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l'
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l\u001b[m'
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const SUSPEND = '\u001a'

export interface FullScreenOptions {
  readonly input: ReadStream
  readonly output: WriteStream & { readonly fd: number }
  onKey(key: string): void
  /** Its size changed, or it is there again: all has to be drawn. */
  onDraw(): void
  /** A signal asks to end. */
  onEnd(): void
}

/**
 * The terminal while a program has all of it. Whatever ends the program gives it back as it was: `dispose`, a signal, an error
 * nobody caught, `process.exit`; Ctrl-Z too, until it goes on.
 */
export class FullScreen implements Disposable {
  readonly #options: FullScreenOptions
  #isOn = false
  #isDisposed = false

  constructor(options: FullScreenOptions) {
    this.#options = options
    process.on('exit', this.#leave)
    process.on('SIGCONT', this.#resume)
    for (const signal of ENDING) process.on(signal, this.#end)
    options.output.on('resize', options.onDraw)
    options.input.on('data', this.#handleInput)
    this.#enter()
  }

  get size(): { readonly columns: number; readonly rows: number } {
    const { columns, rows } = this.#options.output
    return { columns: columns || 80, rows: rows || 24 }
  }

  /** Draws over what is there, so that nothing flickers. */
  draw(lines: readonly string[]): void {
    if (this.#isOn) this.#options.output.write(`\u001b[H${lines.map((line) => `${line}\u001b[m\u001b[K`).join('\r\n')}\u001b[J`)
  }

  dispose(): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    this.#leave()
    process.off('exit', this.#leave)
    process.off('SIGCONT', this.#resume)
    for (const signal of ENDING) process.off(signal, this.#end)
    this.#options.output.off('resize', this.#options.onDraw)
    this.#options.input.off('data', this.#handleInput)
    this.#options.input.pause()
  }

  #enter(): void {
    if (this.#isOn) return
    this.#isOn = true
    const { input, output } = this.#options
    input.setRawMode(true)
    input.resume()
    output.write(ENTER)
  }

  readonly #leave = (): void => {
    if (!this.#isOn) return
    this.#isOn = false
    const { input, output } = this.#options
    try {
      input.setRawMode(false)
      writeSync(output.fd, LEAVE) // at once: the process may be about to end
    } catch {
      // the terminal is gone, and with it all that was to be put back
    }
  }

  readonly #resume = (): void => {
    if (this.#isDisposed) return
    this.#enter()
    this.#options.onDraw()
  }

  readonly #end = (): void => this.#options.onEnd()

  readonly #handleInput = (bytes: Buffer): void => {
    const text = bytes.toString('utf8')
    if (text.includes(SUSPEND)) {
      this.#leave()
      process.kill(process.pid, 'SIGTSTP')
      return
    }
    // A terminal sends a key whole; several may come at once.
    // oxlint-disable-next-line no-control-regex -- that is how keys come
    for (const [key] of text.matchAll(/\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])?|[^\u001b]/gu)) this.#options.onKey(key)
  }
}
