import { deeper, type Followed, type Walk } from './classify-context.ts'
import { followLine, via } from './follow-line.ts'
import { readSpec } from './knowledge.ts'
import { taskHint } from './name-hints.ts'
import { CONFIDENCE, combine, type Verdict, verdictOf } from './verdict.ts'

/* Package managers and what runs several scripts: followed into the package's own scripts where they are known. */

const spec = (label: 'batch' | 'interactive' | 'service' | 'ambiguous', effects: 'files' | 'machine' | 'world') =>
  readSpec(`${label} ${effects}`)
const VALUES: ReadonlySet<string> = new Set(
  '-C --dir --cwd --prefix -F --filter -w --workspace --filter-prod --reporter --loglevel --registry --userconfig'.split(' '),
)
/** They name another package: its scripts are not these. */
const ELSEWHERE: ReadonlySet<string> = new Set(
  '-C --dir --cwd --prefix -F --filter -w --workspace -r --recursive --workspaces -ws --filter-prod workspaces foreach workspace'.split(
    ' ',
  ),
)
const RUN: ReadonlySet<string> = new Set(['run', 'run-script', 'rum', 'urn'])
const EXEC: ReadonlySet<string> = new Set(['exec', 'x', 'dlx', 'dlx@', 'create-run'])
/** Scripts with a verb of their own. */
const SHORT: ReadonlySet<string> = new Set(['start', 'test', 't', 'tst', 'stop', 'restart', 'serve', 'dev', 'build', 'lint'])

/** Verbs of npm, pnpm, yarn and bun that run no script. */
const VERBS: Readonly<
  Record<string, readonly [label: 'batch' | 'interactive' | 'service' | 'ambiguous', effects: 'files' | 'machine' | 'world']>
> = {
  install: ['batch', 'machine'],
  i: ['batch', 'machine'],
  ci: ['batch', 'machine'],
  add: ['batch', 'machine'],
  remove: ['batch', 'machine'],
  uninstall: ['batch', 'machine'],
  update: ['batch', 'machine'],
  up: ['batch', 'machine'],
  upgrade: ['batch', 'machine'],
  audit: ['batch', 'machine'],
  publish: ['batch', 'world'],
  unpublish: ['batch', 'world'],
  deprecate: ['batch', 'world'],
  'dist-tag': ['batch', 'world'],
  owner: ['batch', 'world'],
  version: ['batch', 'files'],
  pack: ['batch', 'files'],
  ls: ['batch', 'files'],
  list: ['batch', 'files'],
  why: ['batch', 'files'],
  outdated: ['batch', 'machine'],
  login: ['interactive', 'machine'],
  adduser: ['interactive', 'machine'],
  init: ['interactive', 'files'],
  create: ['interactive', 'files'],
  repl: ['interactive', 'machine'],
  'upgrade-interactive': ['interactive', 'machine'],
  docs: ['batch', 'machine'],
}

/** npm, pnpm, yarn, bun. */
export function followPackageManager(from: Followed): Verdict {
  const { command, walk, standing, program, shown } = from
  const words = command.words
  let elsewhere = false
  let at = 0
  for (; at < words.length; at++) {
    const text = words[at]?.text ?? ''
    const name = text.split('=')[0] ?? ''
    if (!text.startsWith('-') && !ELSEWHERE.has(text)) break
    elsewhere ||= ELSEWHERE.has(name)
    if (text === 'workspace' && program === 'yarn') at += 1
    else if (VALUES.has(text) && !(text === '-w' && program === 'pnpm')) at += 1
  }
  const verb = words[at]?.text
  const watches = program === 'bun' && words.slice(0, at).some(({ text }) => text === '--watch' || text === '--hot')
  if (watches || (program === 'bun' && verb === 'run' && words[at + 1]?.text === '--hot'))
    return verdictOf(spec('service', 'machine'), `"${shown}" that watches`, program, CONFIDENCE.flag)
  if (verb === undefined) {
    const repl = program === 'npm' || program === 'pnpm' || program === 'bun'
    return verdictOf(spec('batch', repl ? 'files' : 'machine'), `"${shown}"`, program, CONFIDENCE.verb)
  }
  const rest = words.slice(at + 1)
  if (RUN.has(verb)) return runNamed(from, rest, elsewhere, `${shown} run`)
  if (EXEC.has(verb)) {
    const inner = rest.slice(rest.findIndex(({ text }) => !text.startsWith('-')))
    if (inner.length === 0) return verdictOf(spec('batch', 'machine'), `"${shown} ${verb}"`, program, CONFIDENCE.verb)
    return via(`${shown} ${verb}`, walk.parts.command({ ...command, words: inner }, standing, deeper(walk)))
  }
  if (program === 'bun' && verb === 'test') {
    return verdictOf(
      spec(rest.some(({ text }) => text === '--watch') ? 'service' : 'batch', 'files'),
      '"bun test"',
      program,
      CONFIDENCE.verb,
    )
  }
  const known = VERBS[verb]
  if (known && !SHORT.has(verb)) {
    const yes = known[0] === 'interactive' && rest.some(({ text }) => text === '-y' || text === '--yes')
    const make = verb === 'create' && rest.length > 1
    return verdictOf(spec(yes || make ? 'batch' : known[0], known[1]), `"${shown} ${verb}"`, program, CONFIDENCE.verb)
  }
  if (program === 'bun' && (verb.includes('.') || verb.includes('/')))
    return via(
      shown,
      walk.parts.command(
        { ...command, words: [{ text: 'tsx', quoted: false, dynamic: false }, ...words.slice(at)] },
        standing,
        deeper(walk),
      ),
    )
  if (SHORT.has(verb) || walk.context.scripts?.[verb] !== undefined) return runNamed(from, words.slice(at), elsewhere, shown)
  // yarn and pnpm run scripts and programs by their bare names; npm does not.
  if (program !== 'npm') {
    const hint = walk.context.scripts === undefined || elsewhere ? taskHint(verb) : undefined
    const ran = walk.parts.command({ ...command, words: words.slice(at) }, standing, deeper(walk))
    if (ran.confidence > CONFIDENCE.weakHint || !hint) return via(shown, ran)
    return byName(shown, verb, program, hint.label)
  }
  return verdictOf(spec('batch', 'machine'), `"${shown} ${verb}"`, program, CONFIDENCE.hint)
}

function runNamed(from: Followed, words: Followed['command']['words'], elsewhereBefore: boolean, shown: string): Verdict {
  let elsewhere = elsewhereBefore
  let at = 0
  for (; at < words.length; at++) {
    const text = words[at]?.text ?? ''
    if (!text.startsWith('-')) break
    elsewhere ||= ELSEWHERE.has(text.split('=')[0] ?? '')
    if (VALUES.has(text)) at += 1
  }
  const name = words[at]?.text
  if (name === undefined) return verdictOf(spec('batch', 'files'), `"${shown}"`, from.program, CONFIDENCE.verb)
  const rest = words.slice(at + 1)
  elsewhere ||= rest.some(({ text }) => ELSEWHERE.has(text.split('=')[0] ?? ''))
  return runScript(
    from,
    name === 't' || name === 'tst' ? 'test' : name,
    rest.map(({ text }) => text),
    elsewhere,
    shown,
  )
}

function runScript(
  { walk, standing, program }: Followed,
  name: string,
  extra: readonly string[],
  elsewhere: boolean,
  shown: string,
): Verdict {
  const line = elsewhere || walk.context.name === name ? undefined : ownScript(walk, name)
  if (line !== undefined) {
    // What is put behind `--` reaches the script: `npm test -- --watch`.
    const added = extra.filter((text) => text !== '--')
    const whole =
      added.length > 0 && added.length < 64 ? `${line} ${added.map((text) => `'${text.replaceAll("'", `'\\''`)}'`).join(' ')}` : line
    return via(`${shown} ${name}`, followLine(whole, standing, deeper(walk, { ...walk.context, name })))
  }
  if (extra.includes('--watch')) return byName(shown, name, program, 'service')
  return byName(shown, name, program, taskHint(name)?.label)
}

const ownScript = (walk: Walk, name: string): string | undefined =>
  walk.context.scripts && Object.hasOwn(walk.context.scripts, name) ? walk.context.scripts[name] : undefined

function byName(shown: string, name: string, program: string, label: Verdict['label'] | undefined): Verdict {
  return verdictOf(
    { ...spec('batch', 'machine'), label: label ?? 'batch' },
    `"${shown} ${name}"${label ? ', by its name,' : ', for all that is known,'}`,
    program,
    label ? CONFIDENCE.hint : CONFIDENCE.guess,
  )
}

/** npm-run-all, run-s, run-p: patterns over the package's scripts. */
export function followRunAll(from: Followed): Verdict {
  const names = from.operands.words.map(({ text }) => text)
  const verdicts = names.slice(0, 64).flatMap((pattern) => {
    const wanted = pattern.split(' ')[0] ?? ''
    const matching = matchingScripts(from.walk, wanted)
    return (matching.length > 0 ? matching : [wanted]).map((name) => runScript(from, name, [], false, from.shown))
  })
  return combine(verdicts) ?? verdictOf(spec('batch', 'files'), `"${from.shown}"`, from.program, CONFIDENCE.hint)
}

/** Scripts that a pattern of `*` and `**` names. No regular expression is made of what a stranger wrote. */
function matchingScripts(walk: Walk, pattern: string): readonly string[] {
  const star = pattern.indexOf('*')
  if (star < 0) return []
  const start = pattern.slice(0, star)
  return Object.keys(walk.context.scripts ?? {})
    .filter((name) => name.startsWith(start))
    .slice(0, 32)
}

/** concurrently: each word is a line, or `npm:name`. */
export function followConcurrently(from: Followed): Verdict {
  const { operands, walk, standing, shown } = from
  const skip = new Set(['-n', '--names', '-c', '--prefix-colors', '-p', '--prefix', '-s', '--success', '-m', '--max-processes', '-l'])
  const values = new Set(
    operands.flags
      .filter(({ name }) => skip.has(name))
      .map(({ name }) => from.command.words[from.command.words.findIndex(({ text }) => text === name) + 1]),
  )
  const verdicts = operands.words
    .filter((word) => !values.has(word))
    .slice(0, 64)
    .flatMap(({ text }) => {
      const script = /^(?:npm|pnpm|yarn|bun|node):(.+)$/.exec(text)?.[1]
      if (script === undefined) return [followLine(text, standing, deeper(walk))]
      const matching = matchingScripts(walk, script)
      return (matching.length > 0 ? matching : [script]).map((name) => runScript(from, name, [], false, shown))
    })
  const all = combine(verdicts)
  return all ? via(shown, all) : verdictOf(spec('batch', 'files'), `"${shown}"`, from.program, CONFIDENCE.hint)
}
