/*
 * Enough of the shell's grammar to know which programs a line runs, in which relation: words and quotes, lists, pipes,
 * groups, redirections, substitutions. It never expands anything. Whatever is not understood is left in a word, so that no
 * line makes it throw; what it costs is bounded by MAX_LINE and MAX_DEPTH.
 */

/** Longer lines are not read at all: no person and no build writes them, and they cost time on every device. */
export const MAX_LINE = 65_536
/** Nested groups and substitutions; deeper ones are taken as plain text. */
const MAX_DEPTH = 24

export interface Word {
  /** Without quotes and escapes; expansions stay as written (`$HOME/x`). */
  readonly text: string
  /** Some of it was quoted: then it is no operator and no reserved word. */
  readonly quoted: boolean
  /** A variable, substitution or placeholder stands in it: its value is not known. */
  readonly dynamic: boolean
}

export interface Redirect {
  /** `<`, `>`, `>>`, `<<<` and so on, without the descriptor. */
  readonly operator: string
  readonly descriptor: number | undefined
  readonly target: string
}

export interface SimpleCommand {
  readonly kind: 'simple'
  readonly assignments: readonly (readonly [name: string, value: string])[]
  readonly words: readonly Word[]
  readonly redirects: readonly Redirect[]
  /** Scripts of `$(...)`, backquotes and `<(...)` in its words. */
  readonly inner: readonly Script[]
}

/** `( ... )` or `{ ...; }`. */
export interface GroupCommand {
  readonly kind: 'group'
  readonly body: Script
  readonly redirects: readonly Redirect[]
}

export type ShellCommand = SimpleCommand | GroupCommand

export interface Step {
  /** Joined by pipes; at least one. */
  readonly commands: readonly ShellCommand[]
  /** How it follows the step before it. */
  readonly joined: 'first' | 'and' | 'or' | 'next'
  /** `&`: the line goes on without waiting for it. */
  readonly background: boolean
}

export interface Script {
  readonly steps: readonly Step[]
  /** A quote, group or substitution was not closed. */
  readonly unfinished: boolean
}

/** Reads a line. Never throws; lines over MAX_LINE have no steps and are unfinished. */
export function parseShell(line: string): Script {
  if (line.length > MAX_LINE) return { steps: [], unfinished: true }
  return new ShellReader(line).script(0, '')
}

const ASSIGNMENT = /^([A-Za-z_][A-Za-z0-9_]*)\+?=/
/** `<command>` in a documented line stands for a word; `<in >out` does not match. */
const PLACEHOLDER = /<[A-Za-z][A-Za-z0-9_-]{0,40}>(?![A-Za-z0-9_./~-])/y
const REDIRECT = /(?:&>>|&>|<<<|<<-|<<|<>|<&|>>|>\||>&|<|>)/y
const DIGITS = /^\d{1,4}$/

class ShellReader {
  readonly #text: string
  #at = 0
  #unfinished = false

  constructor(text: string) {
    this.#text = text
  }

  /** Reads up to `close` (`)`, `}` or a backquote), or to the end. */
  script(depth: number, close: string): Script {
    const steps: Step[] = []
    let joined: Step['joined'] = 'first'
    for (;;) {
      this.#skipBlank(true)
      const next = this.#peek()
      if (next === '') {
        if (close !== '') this.#unfinished = true
        break
      }
      if (next === close && close !== '}') {
        this.#at += 1
        break
      }
      if (close === '}' && next === '}') {
        this.#at += 1
        break
      }
      if (next === ')' || next === ';' || next === '&' || next === '|') {
        this.#at += 1 // a stray operator separates, no more
        continue
      }
      const commands = this.#pipeline(depth, close)
      const end = this.#operator(close)
      if (commands.length > 0) steps.push({ commands, joined, background: end === '&' })
      joined = end === '&&' ? 'and' : end === '||' ? 'or' : 'next'
    }
    return { steps, unfinished: this.#unfinished }
  }

  #pipeline(depth: number, close: string): ShellCommand[] {
    const commands: ShellCommand[] = []
    for (;;) {
      const command = this.#command(depth, close)
      if (command) commands.push(command)
      this.#skipBlank(false)
      if (this.#peek() !== '|' || this.#text[this.#at + 1] === '|') return commands
      this.#at += this.#text[this.#at + 1] === '&' ? 2 : 1
      this.#skipBlank(true)
    }
  }

  /** The operator that ends a pipeline; its place is behind it. A closing sign is left for the caller. */
  #operator(close: string): string {
    this.#skipBlank(false)
    const two = this.#text.slice(this.#at, this.#at + 2)
    if (two === '&&' || two === '||') {
      this.#at += 2
      return two
    }
    const one = this.#peek()
    if (one === '' || one === close) return ''
    if (one === ';' || one === '&' || one === '\n') this.#at += 1
    return one
  }

  #command(depth: number, close: string): ShellCommand | undefined {
    this.#skipBlank(false)
    const first = this.#peek()
    const opensBrace = first === '{' && /[\s]/.test(this.#text[this.#at + 1] ?? '')
    if ((first === '(' || opensBrace) && depth < MAX_DEPTH) {
      this.#at += 1
      const body = this.script(depth + 1, first === '(' ? ')' : '}')
      return { kind: 'group', body, redirects: this.#simple(depth, close)?.redirects ?? [] }
    }
    return this.#simple(depth, close)
  }

  #simple(depth: number, close: string): SimpleCommand | undefined {
    const assignments: [string, string][] = []
    const words: Word[] = []
    const redirects: Redirect[] = []
    const inner: Script[] = []
    for (;;) {
      this.#skipBlank(false)
      const next = this.#peek()
      if (next === '' || next === '\n' || next === ';' || next === '|' || next === ')' || (next === close && close !== '}')) break
      if (next === '&' && this.#text[this.#at + 1] !== '>') break
      if (next === '#' && words.length > 0) {
        const end = this.#text.indexOf('\n', this.#at)
        this.#at = end < 0 ? this.#text.length : end
        break
      }
      const redirect = this.#redirect(depth, inner)
      if (redirect) {
        redirects.push(redirect)
        continue
      }
      const before = this.#at
      const word = this.#word(depth, inner, close)
      if (this.#at === before) {
        this.#at += 1 // what cannot start a word is skipped: the reader always moves on
        continue
      }
      if (DIGITS.test(word.text) && !word.quoted && this.#isRedirect()) {
        const numbered = this.#redirect(depth, inner)
        if (numbered) redirects.push({ ...numbered, descriptor: Number(word.text) })
        continue
      }
      const assigned = words.length === 0 ? ASSIGNMENT.exec(this.#text.slice(before, before + 256)) : null
      if (assigned?.[1]) assignments.push([assigned[1], word.text.slice(word.text.indexOf('=') + 1)])
      else words.push(word)
    }
    if (words.length + assignments.length + redirects.length + inner.length === 0) return undefined
    return { kind: 'simple', assignments, words, redirects, inner }
  }

  #isRedirect(): boolean {
    const sign = this.#peek()
    return sign === '<' || sign === '>'
  }

  #redirect(depth: number, inner: Script[]): Redirect | undefined {
    PLACEHOLDER.lastIndex = this.#at
    if (PLACEHOLDER.test(this.#text)) return undefined
    if (this.#text[this.#at + 1] === '(' && this.#isRedirect()) return undefined // <(...) is a word
    REDIRECT.lastIndex = this.#at
    const operator = REDIRECT.exec(this.#text)?.[0]
    if (operator === undefined) return undefined
    this.#at += operator.length
    this.#skipBlank(false)
    return { operator, descriptor: undefined, target: this.#word(depth, inner, '').text }
  }

  #word(depth: number, inner: Script[], close: string): Word {
    let text = ''
    let quoted = false
    let dynamic = false
    for (;;) {
      const sign = this.#peek()
      if (sign === '' || /[\s;|&)]/.test(sign) || (sign === close && close === '`')) break
      if (sign === '<' || sign === '>') {
        PLACEHOLDER.lastIndex = this.#at
        const placeholder = PLACEHOLDER.exec(this.#text)?.[0]
        if (placeholder !== undefined) {
          text += placeholder
          dynamic = true
          this.#at += placeholder.length
          continue
        }
        if (this.#text[this.#at + 1] !== '(' || text !== '') break
        this.#at += 2
        inner.push(this.#nested(depth, ')'))
        text += '<(...)'
        dynamic = true
        continue
      }
      if (sign === '(' && text === '') break
      this.#at += 1
      if (sign === '\\') {
        const next = this.#peek()
        this.#at += 1
        if (next !== '\n') text += next
        quoted = true
      } else if (sign === "'") {
        text += this.#until("'")
        quoted = true
      } else if (sign === '"') {
        const read = this.#doubleQuoted(depth, inner)
        text += read.text
        dynamic ||= read.dynamic
        quoted = true
      } else if (sign === '`' || (sign === '$' && this.#peek() === '(')) {
        if (sign === '$') this.#at += 1
        inner.push(this.#nested(depth, sign === '`' ? '`' : ')'))
        text += '$(...)'
        dynamic = true
      } else if (sign === '$' && this.#peek() === '{') {
        text += `$${this.#until('}')}}`
        dynamic = true
      } else {
        if (sign === '$') dynamic = true
        text += sign
      }
    }
    return { text, quoted, dynamic }
  }

  #doubleQuoted(depth: number, inner: Script[]): { readonly text: string; readonly dynamic: boolean } {
    let text = ''
    let dynamic = false
    for (;;) {
      const sign = this.#peek()
      this.#at += 1
      if (sign === '') {
        this.#unfinished = true
        return { text, dynamic }
      }
      if (sign === '"') return { text, dynamic }
      if (sign === '\\') {
        text += this.#peek()
        this.#at += 1
      } else if (sign === '`' || (sign === '$' && this.#peek() === '(')) {
        if (sign === '$') this.#at += 1
        inner.push(this.#nested(depth, sign === '`' ? '`' : ')'))
        text += '$(...)'
        dynamic = true
      } else {
        if (sign === '$') dynamic = true
        text += sign
      }
    }
  }

  #nested(depth: number, close: string): Script {
    if (depth < MAX_DEPTH) return this.script(depth + 1, close)
    this.#unfinished = true
    this.#at = this.#text.length
    return { steps: [], unfinished: true }
  }

  #until(end: string): string {
    const from = this.#at
    const to = this.#text.indexOf(end, from)
    if (to < 0) this.#unfinished = true
    this.#at = to < 0 ? this.#text.length : to + 1
    return this.#text.slice(from, to < 0 ? undefined : to)
  }

  #skipBlank(lines: boolean): void {
    for (;;) {
      const sign = this.#peek()
      if (sign === ' ' || sign === '\t' || sign === '\r' || (lines && sign === '\n')) this.#at += 1
      else if (sign === '\\' && this.#text[this.#at + 1] === '\n') this.#at += 2
      else if (lines && sign === '#') {
        const end = this.#text.indexOf('\n', this.#at)
        this.#at = end < 0 ? this.#text.length : end
      } else return
    }
  }

  #peek(): string {
    return this.#text[this.#at] ?? ''
  }
}
