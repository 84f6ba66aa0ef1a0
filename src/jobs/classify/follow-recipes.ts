import { parse as parseYaml } from 'yaml'
import { deeper, type Followed, type Walk } from './classify-context.ts'
import { followLine, via } from './follow-line.ts'
import { readSpec } from './knowledge.ts'
import { taskHint } from './name-hints.ts'
import { CONFIDENCE, combine, type Verdict, verdictOf } from './verdict.ts'

/* make, just and task: followed into their recipes where the file is known, else judged by the target's name. */

const UNKNOWN = readSpec('batch machine')
/** A longer file is not read: what its targets are called must do. */
const MAX_FILE = 512 * 1024
const MAX_RECIPE_LINES = 200

interface Recipe {
  readonly needs: readonly string[]
  readonly lines: readonly string[]
}
type Recipes = ReadonlyMap<string, Recipe>

export function followRecipes(from: Followed, kind: 'make' | 'just' | 'task'): Verdict {
  const { walk, operands, program, shown } = from
  const elsewhere = operands.flags.some(({ name }) =>
    /^(?:-C|-f|--directory|--file|--makefile|--justfile|-d|--dir|-t|--taskfile)$/.test(name),
  )
  const recipes = elsewhere ? undefined : readRecipes(walk, kind)
  const targets = operands.words.map(({ text }) => text).filter((text) => !/^[A-Za-z_]\w*:?=/.test(text))
  if (
    operands.flags.some(
      ({ name }) => /^(?:-n|--dry-run|--just-print|-l|--list|--summary|--version|-v|-p)$/.test(name) && kind !== 'make',
    ) ||
    operands.flags.some(({ name }) => name === '-n' || name === '--dry-run')
  ) {
    return verdictOf(readSpec('batch files'), `"${shown}", which only shows what it would do,`, program, CONFIDENCE.flag)
  }
  const wanted = targets.length > 0 ? targets.slice(0, 32) : [defaultTarget(kind, recipes)]
  const all = wanted.map((target) => followTarget(target, recipes, from, new Set()))
  return combine(all.filter((one): one is Verdict => one !== undefined)) ?? verdictOf(UNKNOWN, `"${shown}"`, program, CONFIDENCE.hint)
}

const defaultTarget = (kind: string, recipes: Recipes | undefined): string =>
  kind === 'task' ? 'default' : ([...(recipes?.keys() ?? [])].find((name) => !name.startsWith('.')) ?? '')

function followTarget(target: string, recipes: Recipes | undefined, from: Followed, seen: Set<string>): Verdict | undefined {
  const { walk, standing, program, shown } = from
  if (seen.has(target)) return undefined
  seen.add(target)
  const recipe = recipes?.get(target)
  if (!recipe) {
    const hint = target === '' ? undefined : taskHint(target)
    if (target === '' || !hint)
      return verdictOf(UNKNOWN, `"${shown}${target && ` ${target}`}"`, program, target === '' ? CONFIDENCE.hint : CONFIDENCE.weakHint)
    return verdictOf({ ...UNKNOWN, label: hint.label }, `"${shown} ${target}", by its name,`, program, CONFIDENCE.hint)
  }
  const inner = deeper(walk, { ...walk.context, name: target })
  const verdicts = recipe.needs.slice(0, 32).map((name) => (recipes?.has(name) ? followTarget(name, recipes, from, seen) : undefined))
  for (const line of recipe.lines.slice(0, MAX_RECIPE_LINES)) {
    if (walk.budget.left < 0) break
    verdicts.push(followLine(line, standing, inner))
  }
  const all = combine(verdicts.filter((one): one is Verdict => one !== undefined))
  return all
    ? via(`${shown} ${target}`.trim(), all)
    : verdictOf(readSpec('batch files'), `"${shown} ${target}" has no recipe and`, program, CONFIDENCE.verb)
}

function readRecipes({ context: { files } }: Walk, kind: 'make' | 'just' | 'task'): Recipes | undefined {
  const text = kind === 'make' ? files?.makefile : kind === 'just' ? files?.justfile : files?.taskfile
  if (text === undefined || text.length > MAX_FILE) return undefined
  return kind === 'task' ? readTaskfile(text) : readIndented(text, kind)
}

const MAKE_HEAD = /^([^\s:#=][^:#=]*?)\s*::?(?!=)\s*([^;#]*)(?:;\s*(.*))?$/
/** Parameters stand between its name and the colon; what it needs, behind. */
const JUST_HEAD = /^@?([A-Za-z_][\w-]*)(?:\s[^:]*)?:(?!=)\s*([^#(]*)()$/

/** Targets with what they need and their lines; `$(VAR)` is filled in where the file sets it plainly. */
export function readIndented(text: string, kind: 'make' | 'just'): Recipes {
  const recipes = new Map<string, Recipe>()
  const variables = new Map<string, string>()
  let open: { names: readonly string[]; needs: string[]; lines: string[] } | undefined
  for (const raw of text.replaceAll('\\\n', ' ').split('\n')) {
    if (/^[\t ]+\S/.test(raw) && open) {
      const line = raw.trim().replace(/^[@+-]+/, '')
      if (!line.startsWith('#')) open.lines.push(fill(line, variables))
      continue
    }
    const set = /^(?:export\s+)?([A-Za-z_]\w*)\s*(?::|::|\?|\+)?=\s*(.*)$/.exec(raw)
    if (set?.[1]) {
      variables.set(set[1], (set[2] ?? '').replace(/^["']|["']$/g, ''))
      continue
    }
    const head = (kind === 'just' ? JUST_HEAD : MAKE_HEAD).exec(raw.slice(0, 512))
    if (!head?.[1]) {
      if (raw.trim() !== '' && !raw.startsWith('#')) open = undefined
      continue
    }
    const names = head[1].split(/\s+/)
    open = {
      names,
      needs: fill(head[2] ?? '', variables)
        .split(/\s+/)
        .filter(Boolean),
      lines: head[3] ? [head[3]] : [],
    }
    for (const name of names) {
      const before = recipes.get(name)
      // A target may be named again to need more; its recipe is then the one that has lines.
      if (before) open = { names, needs: [...before.needs, ...open.needs], lines: [...before.lines] }
      recipes.set(name, open)
    }
  }
  return recipes
}

/** Plain variables only, and only as often as a person writes them. */
const fill = (line: string, variables: ReadonlyMap<string, string>): string =>
  line
    .slice(0, 8_192)
    .replace(/\$[({]([A-Za-z_]\w*)[)}]|\{\{\s*([A-Za-z_]\w*)\s*\}\}/g, (whole, first?: string, second?: string) => {
      const name = first ?? second ?? ''
      return name === 'MAKE' ? 'make' : (variables.get(name)?.slice(0, 512) ?? whole)
    })
    .slice(0, 16_384)

function readTaskfile(text: string): Recipes {
  const recipes = new Map<string, Recipe>()
  for (const [name, task] of Object.entries(recordAt(readYaml(text), 'tasks'))) {
    const lines = typeof task === 'string' ? [task] : listOf(task, 'cmds').concat(listOf(task, 'cmd'))
    const needs = listOf(task, 'deps')
    recipes.set(name, {
      needs: [...needs, ...lines].flatMap((one) => (typeof one === 'string' ? (needs.includes(one) ? [one] : []) : nameAt(one, 'task'))),
      lines: lines.flatMap((one) => (typeof one === 'string' ? [one] : nameAt(one, 'cmd'))),
    })
  }
  return recipes
}

/** YAML of a stranger: no aliases beyond a hundred, and what is broken is nothing. */
export function readYaml(text: string): unknown {
  if (text.length > MAX_FILE) return undefined
  try {
    return parseYaml(text, { maxAliasCount: 100, logLevel: 'silent' })
  } catch (error) {
    if (error instanceof Error) return undefined // not YAML, or one that grows without bounds: then names must do
    throw error
  }
}

export const recordAt = (value: unknown, key: string): Readonly<Record<string, unknown>> => {
  const inner = value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[key] : undefined
  return inner !== null && typeof inner === 'object' && !Array.isArray(inner) ? (inner as Record<string, unknown>) : {}
}
const listOf = (value: unknown, key: string): readonly unknown[] => {
  const inner = value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[key] : undefined
  return Array.isArray(inner) ? inner.slice(0, 200) : inner === undefined ? [] : [inner]
}
const nameAt = (value: unknown, key: string): readonly string[] => {
  const inner = value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[key] : undefined
  return typeof inner === 'string' ? [inner] : []
}
