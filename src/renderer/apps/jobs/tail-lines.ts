/** Longest line kept; what is longer is cut on the right, as a narrow card would cut it anyway. */
const MAX_LINE = 400

/**
 * The last lines of a stream of output as plain text: escape sequences are left out, a carriage return begins the line
 * anew (progress bars), a backspace takes a letter back. Bytes may be cut anywhere. Memory is bounded by `count` lines.
 */
export class TailLines {
  readonly #count: number
  readonly #decoder = new TextDecoder()
  #lines: string[] = []
  #line = ''
  /** The next letter goes over the line from its start. */
  #over = false
  #escape: 'none' | 'begun' | 'csi' | 'string' | 'string-end' = 'none'

  constructor(count: number) {
    this.#count = count
  }

  write(data: string | Uint8Array): void {
    const text = typeof data === 'string' ? data : this.#decoder.decode(data, { stream: true })
    for (const char of text) this.#take(char)
  }

  /** Oldest first; empty lines are not among them. */
  get lines(): readonly string[] {
    const last = this.#line.trimEnd()
    return (last === '' ? this.#lines : [...this.#lines, last]).slice(-this.#count)
  }

  #take(char: string): void {
    if (this.#escape !== 'none') return this.#skip(char)
    switch (char) {
      case '\x1b':
        this.#escape = 'begun'
        return
      case '\n':
        return this.#break()
      case '\r':
        this.#over = true
        return
      case '\b':
        this.#line = this.#line.slice(0, -1)
        return
    }
    if (char < ' ' && char !== '\t') return
    if (this.#over) {
      this.#line = ''
      this.#over = false
    }
    if (this.#line.length < MAX_LINE) this.#line += char === '\t' ? '  ' : char
  }

  /** Inside an escape sequence: ECMA-48's `ESC [ ... letter`, `ESC ] ... BEL` or `ESC \`, or two characters. */
  #skip(char: string): void {
    switch (this.#escape) {
      case 'begun':
        this.#escape = char === '[' ? 'csi' : ']PX^_'.includes(char) ? 'string' : /[ -/]/.test(char) ? 'begun' : 'none'
        return
      case 'csi':
        if (char >= '@' && char <= '~') this.#escape = 'none'
        return
      case 'string':
        if (char === '\x07') this.#escape = 'none'
        else if (char === '\x1b') this.#escape = 'string-end'
        return
      case 'string-end':
        this.#escape = char === '\\' ? 'none' : 'string'
    }
  }

  #break(): void {
    const line = this.#line.trimEnd()
    this.#line = ''
    this.#over = false
    if (line === '') return
    this.#lines.push(line)
    if (this.#lines.length > this.#count * 2) this.#lines = this.#lines.slice(-this.#count)
  }
}
