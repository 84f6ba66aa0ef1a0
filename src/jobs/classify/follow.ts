import { deeper, type Followed } from './classify-context.ts'
import { followCompose, followDocker } from './follow-containers.ts'
import { followLine, via } from './follow-line.ts'
import { followRecipes } from './follow-recipes.ts'
import { followConcurrently, followPackageManager, followRunAll } from './follow-scripts.ts'
import { type Follow, readSpec } from './knowledge.ts'
import { fileHint, taskHint } from './name-hints.ts'
import { CONFIDENCE, type Verdict, verdictOf } from './verdict.ts'

const BATCH = readSpec('batch machine')
const SERVICE = readSpec('service machine')
const AMBIGUOUS = readSpec('ambiguous machine')

/** Where an alias leads; undefined when its entry says all there is. */
export function followAlias(follow: Follow, from: Followed): Verdict | undefined {
  switch (follow) {
    case 'npm':
      return followPackageManager(from)
    case 'npm-run-all':
      return followRunAll(from)
    case 'concurrently':
      return followConcurrently(from)
    case 'make':
    case 'just':
    case 'task':
      return followRecipes(from, follow)
    case 'deno-task':
      return followDenoTask(from)
    case 'cargo-run':
    case 'go-run':
      return followOwnProgram(from)
    case 'docker':
      return followDocker(from)
    case 'compose':
      return followCompose(from)
    case 'ssh':
      return followSsh(from)
    case 'http':
      return followHttp(from)
    case 'sql-file':
      return from.operands.words.length > 1
        ? verdictOf(readSpec('batch files'), `"${from.shown}" with a statement`, from.program, CONFIDENCE.verb)
        : undefined
    case 'words-run':
      return from.operands.words.length > 0
        ? verdictOf(BATCH, `"${from.shown} ${from.operands.words[0]?.text}"`, from.program, CONFIDENCE.verb)
        : undefined
    case 'interval': {
      // `vmstat 2` goes on every two seconds; `vmstat 2 5` does so five times.
      const numbers = from.operands.words.filter(({ text }) => /^\d+$/.test(text)).length
      return numbers === 1 ? verdictOf(SERVICE, `"${from.shown}" every so often`, from.program, CONFIDENCE.verb) : undefined
    }
    case 'git':
      return undefined
  }
}

/** `cargo run`, `go run`: the project's own program, of which only names tell. */
function followOwnProgram({ operands, program, shown, command, walk }: Followed): Verdict {
  const named =
    operands.flags.find(({ name }) => name === '--bin' || name === '--example' || name === '-p' || name === '--package')?.value ??
    operands.words[0]?.text ??
    ''
  const split = command.words.findIndex(({ text }) => text === '--')
  const extra = split < 0 ? operands.words.slice(1) : command.words.slice(split + 1)
  if (extra.some(({ text }) => text === '--help' || text === '--version' || text === '-h'))
    return verdictOf(BATCH, `"${shown}" asked for help`, program, CONFIDENCE.flag)
  const told = extra.find(({ text }) => /^(?:serve|server|watch|daemon|dev|start|--port|--listen|--watch)$/.test(text))
  if (told) return verdictOf(SERVICE, `"${shown}" told to ${told.text}`, program, CONFIDENCE.hint)
  const verb = extra.find(({ text }) => !text.startsWith('-'))
  const hint =
    (verb && taskHint(verb.text)) ?? fileHint(named) ?? (walk.context.name === undefined ? undefined : taskHint(walk.context.name))
  if (hint && hint.token !== 'start' && hint.token !== 'dev' && hint.token !== 'example' && hint.token !== 'examples')
    return verdictOf({ ...BATCH, label: hint.label }, `"${shown} ${named}", by its name,`, program, CONFIDENCE.weakHint)
  if (program === 'go' && extra.length > 0) return verdictOf(BATCH, `"${shown}" with arguments`, program, CONFIDENCE.guess)
  return verdictOf(AMBIGUOUS, `"${shown}" builds and starts a program of the project, which`, program, CONFIDENCE.hint)
}

function followDenoTask({ operands, program, shown, standing, walk }: Followed): Verdict {
  const name = operands.words[0]?.text
  if (name === undefined) return verdictOf(readSpec('batch files'), `"${shown}"`, program, CONFIDENCE.verb)
  const line =
    walk.context.files?.denoTasks && Object.hasOwn(walk.context.files.denoTasks, name) ? walk.context.files.denoTasks[name] : undefined
  if (line !== undefined) return via(`${shown} ${name}`, followLine(line, standing, deeper(walk, { ...walk.context, name })))
  const hint = taskHint(name)
  return verdictOf(
    { ...BATCH, label: hint?.label ?? 'batch' },
    `"${shown} ${name}", by its name,`,
    program,
    hint ? CONFIDENCE.hint : CONFIDENCE.guess,
  )
}

/** With a command: that command, over there; it may change anything there. */
function followSsh({ operands, program, shown, standing, walk, command }: Followed): Verdict | undefined {
  const host = operands.words[0]
  const at = host ? command.words.indexOf(host) : -1
  const line = command.words.slice(at + 1)
  if (!host || !line[0] || line[0].text.startsWith('-')) return undefined
  const ran = followLine(line.map(({ text }) => text).join(' '), { ...standing, inputGiven: false }, deeper(walk))
  return {
    ...via(`"${shown} ${host.text}"`, ran),
    effects: 'world-once',
    programs: [program],
    endpoints: ran.endpoints.filter(({ kind }) => kind === 'tty'),
  }
}

const SENDS =
  /^(?:-X|--request|-d|--data(?:-\w+)?|-F|--form(?:-string)?|-T|--upload-file|--json|--post-data|--post-file|--method|--body-data)$/
const READS = /^(?:GET|HEAD|OPTIONS)$/i

/** curl and its like: reading ends and changes nothing out there; sending does, once. */
function followHttp({ operands, program, shown, command }: Followed): Verdict {
  const sends = command.words.some(({ text }, index) => {
    const name = text.split('=')[0] ?? ''
    if (/^-X[A-Z]/.test(text)) return !READS.test(text.slice(2))
    if (!SENDS.test(name)) return false
    const value = text.includes('=') ? text.slice(text.indexOf('=') + 1) : (command.words[index + 1]?.text ?? '')
    return !(/^(?:-X|--request|--method)$/.test(name) && READS.test(value))
  })
  const verb = operands.words.some(({ text }) => /^(?:POST|PUT|PATCH|DELETE)$/.test(text))
  return verdictOf({ ...BATCH, effects: sends || verb ? 'world-once' : 'this-machine' }, `"${shown}"`, program, CONFIDENCE.program)
}
