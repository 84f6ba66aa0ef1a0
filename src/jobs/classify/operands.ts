import type { Word } from './shell-parse.ts'
import type { Entry } from './knowledge.ts'

export interface Flag {
  /** As in the data: `--port`, `-p`. */
  readonly name: string
  readonly value: string | undefined
}

export interface Operands {
  readonly flags: readonly Flag[]
  /** Words that are neither flags nor their values. */
  readonly words: readonly Word[]
  /** Index in the given words where each operand stands. */
  readonly places: readonly number[]
}

/** Splits the words behind a program by what its entry says of its flags. `--` ends flags. */
export function readOperands(words: readonly Word[], entry: Pick<Entry, 'values' | 'cluster'> | undefined, stopAtFirst = false): Operands {
  const flags: Flag[] = []
  const operands: Word[] = []
  const places: number[] = []
  let open = true
  for (let index = 0; index < words.length; index++) {
    const word = words[index] as Word
    const text = word.text
    if (open && text === '--') {
      open = false
      continue
    }
    if (open && text.length > 1 && (text.startsWith('-') || text.startsWith('+o'))) {
      const equals = text.indexOf('=')
      const name = equals > 0 ? text.slice(0, equals) : text
      const takes = equals < 0 && entry?.values.has(text) === true
      flags.push({ name, value: equals > 0 ? text.slice(equals + 1) : takes ? words[index + 1]?.text : undefined })
      if (equals > 0) flags.push({ name: text, value: undefined })
      if (takes) index += 1
      else if (entry?.cluster && /^-[A-Za-z]{2,8}$/.test(text))
        for (const letter of text.slice(1)) flags.push({ name: `-${letter}`, value: undefined })
      continue
    }
    operands.push(word)
    places.push(index)
    if (stopAtFirst) {
      for (let rest = index + 1; rest < words.length; rest++) {
        operands.push(words[rest] as Word)
        places.push(rest)
      }
      break
    }
  }
  return { flags, words: operands, places }
}

const PORT_FLAGS: ReadonlySet<string> = new Set([
  '--port',
  '-p',
  '-P',
  '--http-port',
  '--listen-port',
  '--bind',
  '--listen',
  '-l',
  '--addr',
  '--address',
  '--host',
])

/** A port that a server is told by flag, variable or operand. */
export function portOf(words: readonly Word[], assignments: readonly (readonly [string, string])[]): number | undefined {
  for (let index = 0; index < words.length; index++) {
    const text = words[index]?.text ?? ''
    const equals = text.indexOf('=')
    const name = equals > 0 ? text.slice(0, equals) : text
    if (!PORT_FLAGS.has(name)) continue
    const port = portIn(equals > 0 ? text.slice(equals + 1) : (words[index + 1]?.text ?? ''))
    if (port !== undefined) return port
  }
  const variable = assignments.find(([name]) => name === 'PORT')?.[1]
  return variable === undefined ? undefined : portIn(variable)
}

export function portIn(text: string): number | undefined {
  const digits = /(?:^|:)(\d{2,5})$/.exec(text)?.[1]
  const port = digits === undefined ? 0 : Number(digits)
  return port >= 1 && port <= 65_535 ? port : undefined
}
