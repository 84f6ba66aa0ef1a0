import { concatBytes, fromUtf8 } from '../base/bytes.ts'

const MAX_LINE = 200
const ESCAPE = String.fromCharCode(27)
const BELL = String.fromCharCode(7)
/** An escape sequence: of the screen, of the terminal (title, link), or a single one. */
const SEQUENCES = new RegExp(`${ESCAPE}(?:\\[[0-9;?]*[ -/]*[@-~]|\\][^${BELL}${ESCAPE}]*(?:${BELL}|${ESCAPE}\\\\)|[@-_])`, 'g')
/** Other control characters, line ends aside. */
const isShown = (character: string): boolean => character >= ' ' || character === '\n' || character === '\r' || character === '\t'

/** So much of the newest output is looked at. */
const TAIL_BYTES = 4_096

/**
 * What the newest output says of how far a job is (rule JB52): its last line, and a fraction where one is written as programs do
 * ("42 %", "[12/40]", "12 of 40"). Looks at the last 4 KiB, and only when it is asked: most of a flood is never read.
 */
export class OutputReader {
  /** The newest output since it was asked last. */
  #tail: Uint8Array[] = []
  #tailBytes = 0
  #lastLine = ''
  #fraction: number | undefined

  get lastLine(): string {
    this.#look()
    return this.#lastLine
  }

  get fraction(): number | undefined {
    this.#look()
    return this.#fraction
  }

  /** Takes the bytes over. */
  read(bytes: Uint8Array): void {
    this.#tail.push(bytes.subarray(-TAIL_BYTES))
    this.#tailBytes += Math.min(bytes.length, TAIL_BYTES)
    while (this.#tailBytes - (this.#tail[0]?.length ?? 0) >= TAIL_BYTES) this.#tailBytes -= this.#tail.shift()?.length ?? 0
  }

  #look(): void {
    if (this.#tailBytes === 0) return
    const newest = concatBytes(...this.#tail).subarray(-TAIL_BYTES)
    this.#tail = []
    this.#tailBytes = 0
    const text = textOf(newest).replaceAll(SEQUENCES, '')
    const lines = [...text]
      .filter(isShown)
      .join('')
      .split(/[\r\n]+/)
      .filter((line) => line.trim() !== '')
    const last = lines.at(-1)
    if (last === undefined) return
    this.#lastLine = last.trim().slice(0, MAX_LINE)
    for (const line of lines.toReversed()) {
      const fraction = fractionIn(line)
      if (fraction === undefined) continue
      this.#fraction = fraction
      return
    }
  }
}

function fractionIn(line: string): number | undefined {
  const percent = /(?:^|[^\d.])(\d{1,3}(?:\.\d+)?)\s?%/.exec(line)?.[1]
  if (percent !== undefined && Number(percent) <= 100) return Number(percent) / 100
  const [, done, all] = /(?:\[|\b)(\d{1,7})\s?(?:\/|of)\s?(\d{1,7})(?:\]|\b)/.exec(line) ?? []
  if (done === undefined || all === undefined || Number(all) < 2 || Number(done) > Number(all)) return undefined
  return Number(done) / Number(all)
}

function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes)
  } catch {
    return Array.from(bytes, (byte) => (byte < 128 ? String.fromCharCode(byte) : '�')).join('') // cut in a character, or no text
  }
}
