/*
 * What a hooked shell says to its device, one line each, fields apart by U+001F. On Enter: `ask`, number, folder, line; before the
 * next prompt: `ran`, ms, folder, line. At the door all shells share: `knock`, process id, a number it made up. The answer to a
 * question is its number and `here`, or its number, `there` and the names of the programs in the line.
 */
const APART = '\u001f'
/** Longest message in bytes: the hook's longest line and folder fit. */
export const MAX_SHELL_MESSAGE = 4_096
/** A command that ran longer than a month did not. */
const MAX_RAN_MS = 30 * 24 * 3_600_000

export type ShellMessage =
  | { readonly kind: 'ask'; readonly id: string; readonly folder: string; readonly line: string }
  | { readonly kind: 'ran'; readonly ms: number; readonly folder: string; readonly line: string }

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Text of a line that came out of a FIFO. Undefined: it is no text, or holds what would not be in a line. */
function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length > MAX_SHELL_MESSAGE) return undefined
  try {
    const text = utf8.decode(bytes)
    // oxlint-disable-next-line no-control-regex -- exactly those are refused
    return /[\u0000-\u001e\u007f]/.test(text) ? undefined : text
  } catch {
    return undefined // not UTF-8: no line we could run somewhere else
  }
}

/** Without its newline. Undefined: not a message. Never throws. */
export function decodeShellMessage(bytes: Uint8Array): ShellMessage | undefined {
  const [kind, second = '', folder = '', line, ...more] = textOf(bytes)?.split(APART) ?? []
  if (line === undefined || line.trim() === '' || more.length > 0 || !folder.startsWith('/')) return undefined
  if (!/^\d{1,15}$/.test(second)) return undefined
  if (kind === 'ask') return { kind, id: second, folder, line }
  if (kind === 'ran' && Number(second) <= MAX_RAN_MS) return { kind, ms: Number(second), folder, line }
  return undefined
}

/** The number of a question that cannot be read otherwise: its shell waits for an answer all the same. */
export function questionNumber(bytes: Uint8Array): string | undefined {
  const [kind, id = '', ...more] = new TextDecoder('latin1').decode(bytes.subarray(0, 24)).split(APART)
  return kind === 'ask' && more.length > 0 && /^\d{1,15}$/.test(id) ? id : undefined
}

/** Undefined: not a knock. */
export function decodeKnock(bytes: Uint8Array): { readonly pid: number; readonly nonce: string } | undefined {
  const found = /^knock (\d{1,9}) (\d{1,20})$/.exec(textOf(bytes) ?? '')
  return found?.[1] === undefined || found[2] === undefined ? undefined : { pid: Number(found[1]), nonce: found[2] }
}

/** With its newline. @param programs  undefined: it stays */
export const encodeAnswer = (id: string, programs: readonly string[] | undefined): string =>
  `${id}${APART}${programs ? `there${APART}${programs.join(' ')}` : 'here'}\n`

/** Cuts what comes out of a FIFO into lines; one that is longer than a message is left out. Holds at most one message. */
export class LineCutter {
  #held: Uint8Array = new Uint8Array(0)
  #skips = false

  take(bytes: Uint8Array): readonly Uint8Array[] {
    const lines: Uint8Array[] = []
    let from = 0
    for (let to = bytes.indexOf(10); to >= 0; to = bytes.indexOf(10, from)) {
      const piece = bytes.subarray(from, to)
      from = to + 1
      if (!this.#skips && this.#held.length + piece.length <= MAX_SHELL_MESSAGE) lines.push(joined(this.#held, piece))
      this.#held = new Uint8Array(0)
      this.#skips = false
    }
    const rest = bytes.subarray(from)
    if (this.#skips || this.#held.length + rest.length > MAX_SHELL_MESSAGE) {
      this.#skips = true
      this.#held = new Uint8Array(0)
    } else if (rest.length > 0) this.#held = joined(this.#held, rest)
    return lines
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length)
  both.set(first)
  both.set(second, first.length)
  return both
}
