import type { Effects, JobLabel } from '../job-contract.ts'
import cloud from './knowledge/cloud.json' with { type: 'json' }
import images from './knowledge/images.json' with { type: 'json' }
import interpreters from './knowledge/interpreters.json' with { type: 'json' }
import javascript from './knowledge/javascript.json' with { type: 'json' }
import languages from './knowledge/languages.json' with { type: 'json' }
import names from './knowledge/names.json' with { type: 'json' }
import packages from './knowledge/packages.json' with { type: 'json' }
import system from './knowledge/system.json' with { type: 'json' }

/*
 * What is known of programs, as data (knowledge/*.json; README.md there says how to write an entry). Nothing here names a
 * command line: an entry is about one program, its verbs and its flags.
 */

/** `service files :5173`: a label, what it can change, what it needs. */
export interface Spec {
  readonly label: JobLabel
  readonly effects: Effects
  readonly tty: boolean
  readonly display: boolean
  readonly audio: boolean
  readonly port: number | undefined
}

/** Aliases that lead somewhere else, and programs whose words mean more than verbs and flags can say. */
export type Follow =
  | 'npm'
  | 'npm-run-all'
  | 'concurrently'
  | 'make'
  | 'just'
  | 'task'
  | 'deno-task'
  | 'cargo-run'
  | 'go-run'
  | 'docker'
  | 'compose'
  | 'ssh'
  | 'http'
  | 'git'
  | 'sql-file'
  | 'words-run'
  | 'interval'

export interface Entry {
  /** What it is when nothing below says more. */
  readonly is: Spec | undefined
  /** What an ambiguous answer becomes where CI is set. */
  readonly ci: Spec | undefined
  /** Without any operand. */
  readonly none: Spec | undefined
  readonly verbs: ReadonlyMap<string, Entry> | undefined
  readonly flags: ReadonlyMap<string, Spec> | undefined
  /** A part of any word says it: `LISTEN` of socat. */
  readonly contains: readonly (readonly [part: string, spec: Spec])[]
  /** Flags whose value is the next word. */
  readonly values: ReadonlySet<string>
  /** Short flags may be written together (`-xvf`). */
  readonly cluster: boolean
  /** Runs the command behind its flags and so many operands. */
  readonly wrap: number | undefined
  /** NAME=value words before that command are skipped. */
  readonly assignments: boolean
  /** Words skipped before that command, once. */
  readonly skip: ReadonlySet<string>
  /** What it becomes, whatever it runs: `timeout` ends it. */
  readonly forced: JobLabel | undefined
  readonly worstEffects: Effects | undefined
  /** Its first operand is a script. */
  readonly script: boolean
  readonly java: boolean
  /** Flags whose value is code / a shell line / a module's name. */
  readonly inline: ReadonlySet<string>
  readonly shell: ReadonlySet<string>
  readonly module: string | undefined
  /** Its operands are names of tasks: an unknown one is judged by its name. */
  readonly task: boolean
  /** `-h` names a host and asks no help. */
  readonly host: boolean
  /** A display made for it alone: what it runs needs none of the person's. */
  readonly headless: boolean
  readonly follow: Follow | undefined
}

type RawEntry = string | { readonly [key: string]: unknown }

const EFFECTS: Readonly<Record<string, Effects>> = { files: 'files-only', machine: 'this-machine', world: 'world-once' }
const LABELS: ReadonlySet<string> = new Set<JobLabel>(['batch', 'service', 'interactive', 'ambiguous'])

const words = (text: unknown): readonly string[] => (typeof text === 'string' ? text.split(/\s+/).filter(Boolean) : [])

/** @throws TypeError  a word that is none of those a spec has: the data is wrong, and the tests find it */
export function readSpec(text: string): Spec {
  const [label = '', ...more] = words(text)
  if (!LABELS.has(label)) throw new TypeError(`"${text}" begins with no label`)
  const read = {
    label: label as JobLabel,
    effects: 'this-machine' as Effects,
    tty: false,
    display: false,
    audio: false,
    port: undefined as number | undefined,
  }
  for (const word of more) {
    const effects = EFFECTS[word]
    if (effects) read.effects = effects
    else if (word === 'tty' || word === 'display' || word === 'audio') read[word] = true
    else if (/^:\d+$/.test(word)) read.port = Number(word.slice(1))
    else throw new TypeError(`"${word}" in "${text}" is not known`)
  }
  return read
}

function readMap<T>(raw: unknown, read: (value: RawEntry) => T): ReadonlyMap<string, T> | undefined {
  if (raw === undefined) return undefined
  const map = new Map<string, T>()
  for (const [keys, value] of Object.entries(raw as Record<string, RawEntry>)) {
    const one = read(value)
    for (const key of words(keys)) map.set(key, one)
  }
  return map
}

const FIELDS = new Set(
  'is none ci verbs flags contains values cluster wrap assignments skip forced effects script java inline shell module task host headless follow packages service-flags'.split(
    ' ',
  ),
)

export function readEntry(raw: RawEntry): Entry {
  const from: Readonly<Record<string, unknown>> = typeof raw === 'string' ? (LABELS.has(words(raw)[0] ?? '') ? { is: raw } : {}) : raw
  const unknown = Object.keys(from).find((key) => !FIELDS.has(key))
  if (unknown !== undefined) throw new TypeError(`field "${unknown}" is not known`)
  const spec = (value: unknown) => (typeof value === 'string' ? readSpec(value) : undefined)
  return {
    is: spec(from['is']),
    ci: spec(from['ci']),
    none: spec(from['none']),
    verbs: readMap(from['verbs'], readEntry),
    flags: readMap(from['flags'], (value) => readSpec(value as string)),
    contains: Object.entries((from['contains'] ?? {}) as Record<string, string>).map(([part, value]) => [part, readSpec(value)] as const),
    values: new Set(words(from['values'])),
    cluster: from['cluster'] === true,
    wrap: from['wrap'] as number | undefined,
    assignments: from['assignments'] === true,
    skip: new Set(words(from['skip'])),
    forced: typeof from['forced'] === 'string' ? readSpec(from['forced']).label : undefined,
    worstEffects: typeof from['effects'] === 'string' ? EFFECTS[from['effects']] : undefined,
    script: from['script'] === true,
    java: from['java'] === true,
    inline: new Set(words(from['inline'])),
    shell: new Set(words(from['shell'])),
    module: from['module'] as string | undefined,
    task: from['task'] === true,
    host: from['host'] === true,
    headless: from['headless'] === true,
    follow: from['follow'] as Follow | undefined,
  }
}

export type ImageKind = 'service' | 'shell' | 'repl' | 'tool'

export interface Knowledge {
  program(name: string): Entry | undefined
  image(name: string): ImageKind | undefined
  /** Every name and verb, for tests that look for what does not belong there. */
  readonly names: readonly string[]
}

function load(): Knowledge {
  const programs = new Map<string, Entry>()
  for (const [spec, lines] of Object.entries(names as Record<string, readonly string[]>)) {
    const entry = readEntry(spec)
    for (const line of lines) for (const name of words(line)) programs.set(name, entry)
  }
  for (const file of [javascript, languages, interpreters, system, cloud, packages]) {
    const read = readMap(file, readEntry)
    for (const [name, entry] of read ?? []) programs.set(name, entry)
  }
  const kinds = new Map<string, ImageKind>()
  for (const [kind, text] of Object.entries(images)) for (const name of words(text)) kinds.set(name, kind as ImageKind)
  return { program: (name) => programs.get(name), image: (name) => kinds.get(name), names: [...programs.keys(), ...kinds.keys()] }
}

let loaded: Knowledge | undefined
/** Read at the first question: a device that classifies nothing does not pay for it. */
export const knowledge = (): Knowledge => (loaded ??= load())
