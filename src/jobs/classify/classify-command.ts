import type { Effects } from '../job-contract.ts'
import { type Command, deeper, MAX_FOLLOWED, type Standing, type Walk } from './classify-context.ts'
import { type Entry, type Spec, knowledge, readSpec } from './knowledge.ts'
import { fileHint, taskHint } from './name-hints.ts'
import { type Operands, portOf, readOperands } from './operands.ts'
import { followLine, via } from './follow-line.ts'
import type { Word } from './shell-parse.ts'
import { CONFIDENCE, labelWords, type Verdict, verdictOf, worstEffects } from './verdict.ts'

const BATCH_FILES = readSpec('batch files')
const BATCH = readSpec('batch machine')
const SERVICE = readSpec('service machine')
const AMBIGUOUS = readSpec('ambiguous machine')
const HELP: ReadonlySet<string> = new Set(['--help', '--version', '--usage', '-help', '--help-all'])

/** `node_modules/.bin/vite` → vite; `node_modules/jest/bin/jest.js` → jest; `./gradlew` → gradlew. */
export function programName(text: string): string {
  const name = text.slice(text.lastIndexOf('/') + 1)
  return name.replace(/\.(?:exe|cmd|bat)$/i, '') || text
}

/** The package a path below node_modules belongs to, if it is one that is known. */
function packageProgram(path: string): string | undefined {
  const inside = /(?:^|\/)node_modules\/(?:\.bin\/|(?:@[^/]+\/)?)([^/]+)/.exec(path)?.[1]
  if (inside === undefined) return undefined
  const file = programName(path).replace(/\.[cm]?[jt]s$/, '')
  return knowledge().program(file) ? file : inside
}

/** What one command is taken for. `depth` and work are bounded by the walk: then it is not understood. */
export function classifyCommand(command: Command, standing: Standing, walk: Walk): Verdict {
  const first = command.words[0]
  if (!first) return verdictOf(BATCH_FILES, 'setting variables', '', CONFIDENCE.program, [])
  walk.budget.left -= 1
  if (walk.budget.left < 0 || walk.depth > MAX_FOLLOWED) return notUnderstood(first.text, 'it leads through too many aliases')
  const program = programName(first.text)
  const inPackages = packageProgram(first.text)
  const entry = knowledge().program(inPackages ?? program) ?? knowledge().program(program.replace(/\.(?:sh|py|js|rb|pl|php)$/, ''))
  const rest = { words: command.words.slice(1), assignments: command.assignments }
  // ./watch.sh is a file of the project, whatever else is called so.
  const own = /^\.{0,2}\//.test(first.text) && /\.\w+$/.test(first.text) && !first.text.includes('node_modules')
  if (!entry || (own && !entry.verbs)) return classifyUnknown(first, rest, walk)
  const known = classifyKnown(program, entry, rest, standing, walk, program)
  const inCi =
    known.label === 'ambiguous' && entry.ci && command.assignments.some(([name, value]) => name === 'CI' && !/^(?:|0|false)$/.test(value))
  const found = inCi && entry.ci ? verdictOf(entry.ci, `"${program}", as CI is set,`, program, CONFIDENCE.verb) : known
  return found.programs.includes(program) ? found : { ...found, programs: [program, ...found.programs].slice(0, 16) }
}

/** `shown` is what a person typed so far: `npm run`. */
export function classifyKnown(program: string, entry: Entry, command: Command, standing: Standing, walk: Walk, shown: string): Verdict {
  // `cargo +nightly build`: which toolchain says nothing of what is done.
  const words = command.words[0]?.text.startsWith('+') && program === 'cargo' ? command.words.slice(1) : command.words
  const operands = readOperands(words, entry, entry.wrap !== undefined || entry.script)
  const last = words.at(-1)?.text ?? ''
  const early = entry.wrap !== undefined || entry.script || entry.follow === 'npm' || entry.follow === 'docker' ? words[0]?.text : undefined
  if (
    HELP.has(early ?? last) ||
    (words.length <= 2 &&
      ((last === '-h' && !entry.host && !entry.values.has('-h')) ||
        (words.length === 1 && (last === '-v' || last === '-V' || last === '-version' || last === 'help'))))
  ) {
    return verdictOf(BATCH_FILES, `"${shown} ${last}"`, program, CONFIDENCE.flag)
  }
  const byFlag = flagSpec(entry, operands, words)
  if (byFlag) return withPort(verdictOf(byFlag.spec, `"${shown}" with ${byFlag.flag}`, program, CONFIDENCE.flag), command)
  if (entry.follow) {
    const followed = walk.parts.follow(entry.follow, { program, entry, command, operands, standing, walk, shown })
    if (followed) return followed
  }
  const shellAt = words.findIndex(({ text }) => entry.shell.has(text))
  const line = shellAt < 0 ? undefined : words[shellAt + 1]
  if (line) return via(shown, followLine(line.text, standing, deeper(walk)))
  if (entry.wrap !== undefined) return classifyWrapped(program, entry, command, standing, walk, shown)
  if (entry.script) return classifyScriptRun(program, entry, command, operands, standing, walk, shown)
  const verb = operands.words[0]
  const below = verb && entry.verbs?.get(verb.text)
  if (verb && below) {
    const at = words.indexOf(verb)
    const before = words.slice(0, at)
    const inner = { ...command, words: [...words.slice(at + 1)] }
    const simple =
      !below.verbs && !below.flags && !below.follow && below.wrap === undefined && !below.script && !below.none && below.shell.size === 0
    if (simple && below.is) {
      const flagged = flagSpec(entry, { ...operands, flags: readOperands(before, entry).flags }, before)
      return withPort(verdictOf(flagged?.spec ?? below.is, `"${shown} ${verb.text}"`, program, CONFIDENCE.verb), command)
    }
    return classifyKnown(program, below, inner, standing, walk, `${shown} ${verb.text}`)
  }
  if (entry.task && verb) {
    // `turbo run dev`: the task is behind its verb.
    const task = verb.text === 'run' || verb.text === 'exec' ? (operands.words[1] ?? verb) : verb
    const hint = taskHint(task.text)
    if (hint)
      return verdictOf(
        { ...(entry.is ?? BATCH), label: hint.label, port: undefined },
        `"${shown} ${task.text}", by its name,`,
        program,
        CONFIDENCE.hint,
      )
  }
  if (operands.words.length === 0 && entry.none) return withoutOperands(program, entry.none, standing, shown)
  const is = entry.is ?? entry.none ?? BATCH
  if (is.tty || (is.label === 'interactive' && !is.display && !is.audio)) return withoutOperands(program, is, standing, shown)
  return withPort(verdictOf(is, `"${shown}"`, program, entry.verbs && verb ? CONFIDENCE.hint : CONFIDENCE.program), command)
}

/** What reads its commands from the terminal reads them from a pipe just as well, and then ends with it. */
function withoutOperands(program: string, spec: Spec, standing: Standing, shown: string): Verdict {
  const asks = spec.label === 'interactive' && !spec.display && !spec.audio
  if (asks && standing.inputGiven && !FULL_SCREEN.has(program)) {
    return verdictOf({ ...BATCH, effects: spec.effects }, `"${shown}" reads what it is given and`, program, CONFIDENCE.hint)
  }
  return verdictOf(spec, `"${shown}"`, program, CONFIDENCE.program)
}

/** These read the terminal itself though their input is a pipe. */
const FULL_SCREEN: ReadonlySet<string> = new Set(
  'less more most fzf sk fzy peco percol vim nvim vi nano emacs top htop vidir dialog whiptail gum tmux screen man ssh watch visidata vd lnav'.split(
    ' ',
  ),
)

function flagSpec(entry: Entry, operands: Operands, words: readonly Word[]): { readonly spec: Spec; readonly flag: string } | undefined {
  for (const [part, spec] of entry.contains) if (words.some(({ text }) => text.includes(part))) return { spec, flag: `"${part}"` }
  if (!entry.flags) return undefined
  // What was written exactly so (`--watch=false`) says more than its name alone.
  let found: { readonly spec: Spec; readonly flag: string } | undefined
  for (const { name } of operands.flags) {
    const spec = entry.flags.get(name)
    if (spec && (!found || name.includes('='))) found = { spec, flag: name }
  }
  if (found) return found
  for (const { text } of operands.words) {
    const spec = entry.flags.get(text)
    if (spec) return { spec, flag: text }
  }
  return undefined
}

function withPort(verdict: Verdict, command: Command): Verdict {
  if (verdict.label !== 'service') return verdict
  const told = portOf(command.words, command.assignments)
  if (told === undefined) return verdict
  return {
    ...verdict,
    endpoints: [...verdict.endpoints.filter(({ kind }) => kind !== 'port'), { kind: 'port', place: 'seat', number: told }],
  }
}

const ASSIGNED = /^[A-Za-z_][A-Za-z0-9_]*=/

/** `sudo`, `timeout 5`, `env A=b`: what counts is the command behind. */
function classifyWrapped(program: string, entry: Entry, command: Command, standing: Standing, walk: Walk, shown: string): Verdict {
  const { words } = command
  const assigned: [string, string][] = [...command.assignments.map(([name, value]) => [name, value] as [string, string])]
  const { places } = readOperands(words, entry, true)
  let at = places[0] ?? words.length
  let skips = entry.wrap ?? 0
  for (; at < words.length; at++) {
    const text = words[at]?.text ?? ''
    const equals = entry.assignments && ASSIGNED.test(text) ? text.indexOf('=') : -1
    if (equals > 0) assigned.push([text.slice(0, equals), text.slice(equals + 1)])
    else if (text === '--' || entry.skip.has(text)) continue
    else if (entry.assignments && text.startsWith('-')) at += entry.values.has(text) ? 1 : 0
    else if (skips > 0) skips -= 1
    else break
  }
  if (entry.verbs) {
    const verb = words[places[0] ?? -1]?.text
    const below = verb === undefined ? undefined : entry.verbs.get(verb)
    if (below)
      return classifyKnown(program, below, { ...command, words: words.slice((places[0] ?? 0) + 1) }, standing, walk, `${shown} ${verb}`)
  }
  const inner = words.slice(at)
  if (inner.length === 0) return verdictOf(entry.none ?? entry.is ?? BATCH, `"${shown}"`, program, CONFIDENCE.hint)
  const head = inner[0] as Word
  // A whole line quoted as one word, or a package with its version: `cross-env-shell "a && b"`, `npx serve@14`.
  const line = head.quoted && /\s/.test(head.text) ? followLine(head.text, standing, deeper(walk)) : undefined
  const bare = { ...head, text: head.text.replace(/^((?:@[^/@]+\/)?[^@]+)@[^/]*$/, '$1') }
  const ran = line ?? classifyCommand({ words: [bare, ...inner.slice(1)], assignments: assigned }, standing, deeper(walk))
  const task = entry.task && !knowledge().program(programName(bare.text)) ? taskHint(bare.text) : undefined
  const label = entry.forced ?? task?.label ?? ran.label
  const effects: Effects = entry.worstEffects ? worstEffects(entry.worstEffects, ran.effects) : ran.effects
  const endpoints = ran.endpoints.filter(
    ({ kind }) => !(entry.headless && (kind === 'display' || kind === 'audio')) && (label === 'service' || kind !== 'port'),
  )
  if (entry.headless && ran.label === 'interactive' && ran.endpoints.every(({ kind }) => kind !== 'tty')) {
    return {
      ...ran,
      label: 'ambiguous',
      endpoints,
      effects,
      confidence: CONFIDENCE.hint,
      reason: `${shown} gives "${bare.text}" a display of its own; it ${labelWords('ambiguous', [])}`,
    }
  }
  return { ...via(shown, ran), label, effects, endpoints, ...(entry.forced && { reason: `"${shown}" ends what it runs` }) }
}

/** An interpreter with a script, code, a module, or nothing. */
function classifyScriptRun(
  program: string,
  entry: Entry,
  command: Command,
  operands: Operands,
  standing: Standing,
  walk: Walk,
  shown: string,
): Verdict {
  const { words } = command
  const moduleAt = entry.module === undefined ? -1 : words.findIndex(({ text }) => text === entry.module)
  const scriptAt = operands.places[0] ?? words.length
  if (moduleAt >= 0 && moduleAt < scriptAt) return classifyModule(program, command, moduleAt, standing, walk, shown)
  const inlineAt = words.findIndex(({ text }) => entry.inline.has(text))
  if (inlineAt >= 0 && inlineAt < scriptAt) return classifyInline(program, words[inlineAt + 1]?.text ?? '', shown)
  const jar = entry.java ? words.findIndex(({ text }) => text === '-jar') : -1
  const script = jar >= 0 ? words[jar + 1] : operands.words[0]
  if (!script) {
    if (entry.none) return withoutOperands(program, entry.none, standing, shown)
    return standing.inputGiven
      ? verdictOf(BATCH, `"${shown}" reads what it is given and`, program, CONFIDENCE.hint)
      : verdictOf(entry.is ?? AMBIGUOUS, `"${shown}"`, program, CONFIDENCE.weakHint)
  }
  const verb = entry.verbs?.get(script.text)
  const after = { ...command, words: words.slice(words.indexOf(script) + 1) }
  if (verb) return classifyKnown(program, verb, after, standing, walk, `${shown} ${script.text}`)
  // node_modules/mocha/bin/mocha.js is mocha; manage.py, artisan and the like are programs with verbs.
  const inside =
    packageProgram(script.text) ??
    programName(script.text)
      .replace(/\.(?:[cm]?[jt]s|py|rb|php|pl)$/, '')
      .replace(/^_/, '')
  const known = knowledge().program(inside)
  const isProgram =
    known?.verbs !== undefined ||
    (known?.flags !== undefined && known.is?.label !== 'interactive' && /\.(?:py|php|rb|pl)$/.test(script.text))
  if (known && (packageProgram(script.text) !== undefined || isProgram)) {
    return via(shown, classifyKnown(inside, known, after, standing, deeper(walk), inside))
  }
  return classifyFile(script.text, after, program, shown, walk)
}

function classifyModule(program: string, command: Command, at: number, standing: Standing, walk: Walk, shown: string): Verdict {
  const word = command.words[at + 1]
  const name = word?.text ?? ''
  const rest = { ...command, words: command.words.slice(at + 2) }
  const servers = /(?:server|httpd|smtpd|ftpd)$/i
  if (servers.test(name)) {
    const number = rest.words.map(({ text }) => Number(text)).find((port) => Number.isInteger(port) && port > 0 && port <= 65_535)
    const verdict = verdictOf(
      { ...SERVICE, effects: 'files-only', port: number ?? 8000 },
      `"${shown} -m ${name}"`,
      program,
      CONFIDENCE.verb,
    )
    return withPort(verdict, rest)
  }
  const root = name.split('.')[0] ?? ''
  const entry = knowledge().program(root.replaceAll('_', '-')) ?? knowledge().program(root)
  if (entry && word) return via(shown, classifyKnown(root, entry, rest, standing, deeper(walk), root))
  const hint = fileHint(name.replaceAll('.', '/'))
  return verdictOf(
    { ...BATCH, label: hint?.label ?? 'batch' },
    `module ${name}${hint ? ', by its name,' : ''}`,
    program,
    hint ? CONFIDENCE.hint : CONFIDENCE.guess,
  )
}

const SERVES_CODE = /\b(?:listen|serve|createServer|run_forever|serve_forever|HTTPServer|setInterval|httpd)\b/

function classifyInline(program: string, code: string, shown: string): Verdict {
  if (SERVES_CODE.test(code.slice(0, 4_096))) return verdictOf(SERVICE, `code given to ${shown}, as it listens,`, program, CONFIDENCE.hint)
  return verdictOf(BATCH, `code given to ${shown}`, program, CONFIDENCE.hint)
}

/** A file of the project's own: only names tell. */
function classifyFile(path: string, command: Command, program: string, shown: string, walk: Walk): Verdict {
  const name = walk.context.name
  const task = name === undefined ? undefined : taskHint(name)
  const file = fileHint(path)
  const told = portOf(command.words, command.assignments)
  const watch = command.words.find(({ text }) => text === '--watch' || text === '-w' || text === '--serve')
  if (watch) return withPort(verdictOf(SERVICE, `${path} with ${watch.text}`, program, CONFIDENCE.hint), command)
  const verb = command.words.find(({ text }) => !text.startsWith('-'))
  const byVerb =
    verb && /^(?:serve|server|runserver|start|watch|dev|daemon|build|test|lint|check)$/.test(verb.text) ? taskHint(verb.text) : undefined
  if (byVerb)
    return withPort(verdictOf({ ...BATCH, label: byVerb.label }, `${path} told to ${verb?.text}`, program, CONFIDENCE.hint), command)
  if (file?.label === 'service') return withPort(verdictOf(SERVICE, `${path}, by its name,`, program, CONFIDENCE.hint), command)
  if (task?.label === 'service') {
    if (file?.label === 'batch') {
      if (task.token === 'start' || task.token === 'serve') return verdictOf(BATCH, `${path}, by its name,`, program, CONFIDENCE.weakHint)
      return verdictOf(
        AMBIGUOUS,
        `${path} is named like something that ends, its script "${name}" like something that goes on; it`,
        program,
        CONFIDENCE.weakHint,
      )
    }
    if (told !== undefined || /(?:^|\/)(?:index|main|app|server|\.)?(?:\.[cm]?[jt]sx?|\.py)?$/.test(path)) {
      return withPort(verdictOf(SERVICE, `${path}, run as "${name}",`, program, CONFIDENCE.weakHint), command)
    }
    return verdictOf(BATCH, `${path}, for all that is known,`, program, CONFIDENCE.guess)
  }
  if (told !== undefined) return withPort(verdictOf(SERVICE, `${path} told a port`, program, CONFIDENCE.weakHint), command)
  const sure = file || task?.label === 'batch'
  return verdictOf(
    BATCH,
    `${path} run by ${shown}${sure ? ', by its name,' : ', for all that is known,'}`,
    program,
    sure ? CONFIDENCE.hint : CONFIDENCE.guess,
  )
}

/** A program nobody knows: most end, some by their names do not. What it changes is not understood. */
function classifyUnknown(first: Word, command: Command, walk: Walk): Verdict {
  const program = programName(first.text)
  if (first.text.includes('/') && /\.(?:sh|bash|py|rb|js|mjs|ts|pl)$/.test(first.text))
    return classifyFile(first.text, command, program, program, walk)
  const words = command.words.map(({ text }) => text)
  if (words.some((text) => HELP.has(text))) return verdictOf(BATCH, `"${program}" asked for help`, program, CONFIDENCE.flag)
  if (words.includes('--watch') || words.includes('--follow') || words.includes('--serve') || words.includes('--daemon')) {
    return withPort(verdictOf(SERVICE, `"${program}", told to go on,`, program, CONFIDENCE.hint), command)
  }
  const verb = words.find((text) => !text.startsWith('-'))
  const verbs = /^(?:serve|server|runserver|start-server|watch|daemon|dev|preview|listen|agent|proxy|port-forward|tunnel|up|monitor)$/
  if (verb !== undefined && verbs.test(verb))
    return withPort(verdictOf(SERVICE, `"${program} ${verb}", by its verb,`, program, CONFIDENCE.hint), command)
  if (/^(?:shell|repl|console|tui|edit|login|attach)$/.test(verb ?? ''))
    return verdictOf({ ...BATCH, label: 'interactive', tty: true }, `"${program} ${verb}", by its verb,`, program, CONFIDENCE.hint)
  if (
    /(?:^|-)(?:monitor|watch|watcher|wait)$|(?:-server|-daemon|-exporter|-proxy|-gateway|[a-z]{3}server|[a-z]{4}d|-agent)$/.test(program) &&
    !/(?:add|cmd|read|load|[lnrwet]d|uild)$/.test(program)
  ) {
    return withPort(verdictOf(SERVICE, `"${program}", by its name,`, program, CONFIDENCE.weakHint), command)
  }
  if (/(?:-gui|-gtk|-qt|-desktop|-viewer|-player)$/.test(program))
    return verdictOf({ ...BATCH, label: 'interactive', display: true }, `"${program}", by its name,`, program, CONFIDENCE.hint)
  if (/(?:-tui|-cli-ui|top)$/.test(program) && words.length === 0)
    return verdictOf({ ...BATCH, label: 'interactive', tty: true }, `"${program}", by its name,`, program, CONFIDENCE.weakHint)
  return {
    ...verdictOf(BATCH, `"${program}" is not known; most programs end, so it`, program, CONFIDENCE.guess),
    reason: `"${program}" is not known; most programs end by themselves`,
  }
}

const notUnderstood = (program: string, why: string): Verdict => ({
  ...verdictOf(AMBIGUOUS, '', program.slice(0, 64), CONFIDENCE.nothing),
  reason: `not understood: ${why}`,
})
