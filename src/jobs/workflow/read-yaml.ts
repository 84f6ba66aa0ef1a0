import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { MAX_WORKFLOW_TEXT, TEXT_TOO_LARGE } from './workflow-contract.ts'
import type { Place, WorkflowProblem, WorkflowProblemCode } from './workflow-error.ts'

/** More are not told: who mends these finds the rest. */
const MAX_PROBLEMS = 50
/** Of one mapping: more than any of a workflow's may have. */
const MAX_ENTRIES = 5_000

/** A text or number that stands somewhere. */
export interface Located<T> {
  readonly value: T
  readonly at: Place
}

/** One entry of a mapping. */
export interface YamlEntry {
  readonly key: string
  readonly at: Place
  readonly value: Node | null
}

/**
 * A YAML document read piece by piece, each with its line; what does not fit is noted as a problem and left out, so that all of
 * them are told at once. Bounded: no aliases, no tags, MAX_WORKFLOW_TEXT characters.
 */
export class YamlReader {
  readonly #problems: WorkflowProblem[] = []
  readonly #counter = new LineCounter()
  readonly #text: string
  /** Undefined: it is no YAML, as the problems say. */
  readonly root: Node | undefined

  constructor(text: string) {
    this.#text = text
    if (text.length > MAX_WORKFLOW_TEXT) {
      const { code, message, ...at } = TEXT_TOO_LARGE
      this.problem(code, at, message)
      return
    }
    try {
      // Its own search for names that stand twice compares each with each: `entries` does without.
      const parsed = parseDocument(text, { lineCounter: this.#counter, prettyErrors: false, logLevel: 'silent', uniqueKeys: false })
      for (const { pos, message } of [...parsed.errors, ...parsed.warnings].slice(0, MAX_PROBLEMS))
        this.problem('workflow/malformed', this.#placeAt(pos[0]), message + this.#hintAt(pos[0]))
      if (this.#problems.length === 0) this.root = parsed.contents ?? undefined
    } catch {
      this.problem('workflow/malformed', { line: 1, column: 1 }, 'it is nested too deep to be read')
    }
  }

  get problems(): readonly WorkflowProblem[] {
    return this.#problems
  }

  problem(code: WorkflowProblemCode, { line, column }: Place, message: string): void {
    if (this.#problems.length >= MAX_PROBLEMS || this.#problems.some((one) => one.line === line && one.message === message)) return
    this.#problems.push({ code, line, column, message: message.slice(0, 400) })
  }

  /** The entries of a mapping; of anything else none, and a problem. */
  entries(node: Node | null | undefined, what: string, at: Place): YamlEntry[] {
    if (!isMap(node)) {
      this.problem('workflow/malformed', this.placeOf(node, at), `${what} is written as "name: value" lines`)
      return []
    }
    if (node.items.length > MAX_ENTRIES) {
      this.problem('workflow/too-large', this.placeOf(node, at), `${what} has at most ${MAX_ENTRIES} names`)
      return []
    }
    const seen = new Set<string>()
    return node.items.flatMap((pair) => {
      const key = pair.key as Node | null
      const value = pair.value as Node | null
      if (isScalar(key) && (typeof key.value === 'string' || typeof key.value === 'number')) {
        const name = String(key.value)
        if (seen.has(name)) {
          this.problem('workflow/malformed', this.placeOf(key, at), `"${name.slice(0, 60)}" stands twice in ${what}`)
          return []
        }
        seen.add(name)
        return [{ key: name, at: this.placeOf(key, at), value }]
      }
      this.problem('workflow/malformed', this.placeOf(key, at), `a name in ${what} is plain text`)
      return []
    })
  }

  /** A text; numbers and `true` are taken as they are written. */
  text(node: Node | null | undefined, what: string, at: Place): Located<string> | undefined {
    const place = this.placeOf(node, at)
    if (isScalar(node) && node.value !== null && ['string', 'number', 'boolean'].includes(typeof node.value)) {
      const value = typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
      if (!value.includes('\0')) return { value, at: place }
    }
    this.problem('workflow/malformed', place, isAlias(node) ? `${what}: aliases ("*name") are not read` : `${what} is a text`)
    return undefined
  }

  /** A list of texts, or one alone. */
  texts(node: Node | null | undefined, what: string, at: Place, most: number): Located<string>[] {
    if (!isSeq(node)) return [this.text(node, what, at)].filter((one) => one !== undefined)
    if (node.items.length > most) {
      this.problem('workflow/too-large', this.placeOf(node, at), `${what} has at most ${most} entries`)
      return []
    }
    return node.items
      .map((item) => this.text(item as Node | null, `an entry of ${what}`, this.placeOf(node, at)))
      .filter((one) => one !== undefined)
  }

  /** `true` or `false`. */
  flag(node: Node | null | undefined, what: string, at: Place): boolean {
    if (isScalar(node) && typeof node.value === 'boolean') return node.value
    this.problem('workflow/malformed', this.placeOf(node, at), `${what} is true or false`)
    return false
  }

  /** Where `part` stands in a text of the document; the text's own place if it is written otherwise there. */
  placeWithin(node: Node | null | undefined, part: string, at: Place): Place {
    const [from, end] = node?.range ?? []
    const found = from === undefined || end === undefined ? -1 : this.#text.slice(from, end).indexOf(part)
    return found < 0 || from === undefined ? this.placeOf(node, at) : this.#placeAt(from + found)
  }

  placeOf(node: Node | null | undefined, otherwise: Place): Place {
    const from = node?.range?.[0]
    return from === undefined ? otherwise : this.#placeAt(from)
  }

  /** What most likely is meant to be a text, and is none without quotes. */
  #hintAt(offset: number): string {
    const line = this.#text.slice(this.#text.lastIndexOf('\n', offset - 1) + 1).split('\n', 1)[0] ?? ''
    return line.includes('${{') ? ' (inside of [ ] and { } a text with ${{ }} stands in quotes)' : ''
  }

  #placeAt(offset: number): Place {
    const { line, col } = this.#counter.linePos(Math.min(offset, this.#text.length))
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
}
