import { appendFileSync, renameSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Disposable } from '../../base/disposable.ts'

/** A log of days, not of years; three older ones are kept. */
const MAX_LOG_BYTES = 4 * 1024 * 1024
const KEPT_OLDER = 3

/** Appends lines to `elsewhere.log` in a folder; a full one becomes `elsewhere.1.log`, and so on. A full disk loses lines, never the process. */
export class LogFile implements Disposable {
  readonly #folder: string
  #bytes: number
  #waiting: string[] = []
  #flush: NodeJS.Immediate | undefined

  constructor(folder: string) {
    this.#folder = folder
    this.#bytes = statSync(this.#name(0), { throwIfNoEntry: false })?.size ?? 0
  }

  write(text: string): void {
    this.#waiting.push(text)
    this.#flush ??= setImmediate(() => this.#writeOut())
  }

  dispose(): void {
    if (this.#flush) clearImmediate(this.#flush)
    this.#writeOut()
  }

  #name(age: number): string {
    return path.join(this.#folder, age === 0 ? 'elsewhere.log' : `elsewhere.${age}.log`)
  }

  #writeOut(): void {
    this.#flush = undefined
    const text = this.#waiting.join('')
    this.#waiting = []
    if (text === '') return
    try {
      if (this.#bytes + text.length > MAX_LOG_BYTES) this.#rotate()
      appendFileSync(this.#name(0), text, { mode: 0o600 })
      this.#bytes += Buffer.byteLength(text)
    } catch (error) {
      process.stderr.write(`elsewhere: the log can't be written: ${String(error)}\n`)
    }
  }

  #rotate(): void {
    rmSync(this.#name(KEPT_OLDER), { force: true })
    for (let age = KEPT_OLDER - 1; age >= 0; age--) {
      if (statSync(this.#name(age), { throwIfNoEntry: false })) renameSync(this.#name(age), this.#name(age + 1))
    }
    this.#bytes = 0
  }
}
