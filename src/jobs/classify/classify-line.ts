import type { Endpoint } from '../job-contract.ts'
import type { Standing, Walk } from './classify-context.ts'
import { readSpec } from './knowledge.ts'
import type { Script, ShellCommand, SimpleCommand, Step, Word } from './shell-parse.ts'
import { combine, CONFIDENCE, type Verdict, verdictOf, worstEffects } from './verdict.ts'

const BATCH_FILES = readSpec('batch files')
const ENDLESS = readSpec('service machine')
/** Stand before a command and change nothing of what it is. */
const PREFIXES: ReadonlySet<string> = new Set(['if', 'then', 'else', 'elif', 'do', '!', 'while', 'until', '{', '}', '$'])
/** What follows is no command. */
const NO_COMMAND: ReadonlySet<string> = new Set(['for', 'case', 'esac', 'fi', 'done', 'function', 'select', '[[', ';;', 'in'])
const TRUE: ReadonlySet<string> = new Set(['true', ':'])

/** What a parsed line is taken for: all its steps together. */
export function classifyScript(script: Script, standing: Standing, walk: Walk): Verdict {
  const verdicts: Verdict[] = []
  const lastWait = script.steps.findLastIndex((step) => step.background || isWait(step))
  for (const [index, step] of script.steps.entries()) {
    const verdict = classifyStep(step, standing, walk)
    // A server put in the background for a test that ends, ends with the line.
    const helper = step.background && verdict.label === 'service' && index < script.steps.length - 1
    verdicts.push(helper && lastWait <= index ? { ...verdict, label: 'batch', endpoints: [], confidence: CONFIDENCE.weakHint } : verdict)
    if (walk.budget.left < 0) break
  }
  const all = combine(verdicts) ?? verdictOf(BATCH_FILES, 'an empty line', '', CONFIDENCE.program, [])
  if (!script.unfinished) return all
  return {
    ...all,
    effects: worstEffects('this-machine', all.effects),
    confidence: Math.min(all.confidence, CONFIDENCE.weakHint),
    reason: `${all.reason}; the line is not complete`,
  }
}

const isWait = (step: Step): boolean => step.commands.some((one) => one.kind === 'simple' && one.words[0]?.text === 'wait')

function classifyStep(step: Step, standing: Standing, walk: Walk): Verdict {
  const last = step.commands.length - 1
  // One more than there is work left for: it is answered as not understood, and ends the walk.
  const looked = step.commands.slice(0, Math.max(0, walk.budget.left) + 1)
  const verdicts = looked.map((command, index) =>
    classifyShellCommand(command, { inputGiven: index > 0 || standing.inputGiven, outputPiped: index < last }, walk),
  )
  // `yes | head`: what ends at the end of a pipe ends those before it, if it stops reading by itself.
  const end = step.commands[last]
  if (
    last > 0 &&
    end?.kind === 'simple' &&
    /^(?:head|grep|timeout)$/.test(end.words[0]?.text ?? '') &&
    (end.words[0]?.text !== 'grep' || end.words.some(({ text }) => /^-(?:q|m)/.test(text)))
  ) {
    return combine(verdicts.map((one) => (one.label === 'service' ? { ...one, label: 'batch' as const, endpoints: [] } : one))) as Verdict
  }
  return combine(verdicts) as Verdict
}

function classifyShellCommand(command: ShellCommand, standing: Standing, walk: Walk): Verdict {
  const input = command.redirects.some(({ operator }) => operator === '<' || operator === '<<' || operator === '<<-' || operator === '<<<')
  const stands = input ? { ...standing, inputGiven: true } : standing
  if (command.kind === 'group') return withRedirects(classifyScript(command.body, stands, walk), command.redirects)
  const own = withRedirects(classifySimple(command, stands, walk), command.redirects)
  if (command.inner.length === 0) return own
  // What is substituted runs first and must end; what it changes counts.
  const inner = command.inner
    .slice(0, Math.max(0, walk.budget.left) + 1)
    .map((script) => classifyScript(script, { inputGiven: false, outputPiped: true }, walk))
  return {
    ...own,
    effects: worstEffects(own.effects, ...inner.map((one) => one.effects)),
    programs: [...new Set([...own.programs, ...inner.flatMap((one) => one.programs)])].slice(0, 16),
  }
}

function classifySimple(command: SimpleCommand, standing: Standing, walk: Walk): Verdict {
  let words = command.words
  let loops = false
  while (words.length > 0 && !words[0]?.quoted && PREFIXES.has(words[0]?.text ?? '')) {
    loops ||= words[0]?.text === 'while'
    words = words.slice(1)
  }
  const name = words[0]?.quoted ? undefined : words[0]?.text
  if (loops && name !== undefined && (TRUE.has(name) || (name === '[' && words[1]?.text === '1'))) {
    return verdictOf(ENDLESS, 'a loop without an end', 'while', CONFIDENCE.hint)
  }
  if (name !== undefined && NO_COMMAND.has(name)) return verdictOf(BATCH_FILES, `"${name}"`, name, CONFIDENCE.program, [])
  return outside(walk.parts.command({ words, assignments: command.assignments }, standing, walk), words)
}

const LEAVES = /^(?:~|\/(?!dev\/(?:null|stdout|stderr)$)[A-Za-z.]|\.\.(?:\/|$))|^[^=]*=(?:~|\/[A-Za-z])|^\$(?:\{?HOME\b)/

/** A command of files only that names a place outside of its folder is not of its folder only. */
function outside(verdict: Verdict, words: readonly Word[]): Verdict {
  if (verdict.effects !== 'files-only') return verdict
  const leaves = words.slice(1).find(({ text }) => LEAVES.test(text))
  return leaves ? { ...verdict, effects: 'this-machine' } : verdict
}

function withRedirects(verdict: Verdict, redirects: SimpleCommand['redirects']): Verdict {
  const endpoints: Endpoint[] = []
  let effects = verdict.effects
  for (const { operator, target } of redirects) {
    if (target === '' || target.startsWith('&') || /^\d+$/.test(target) || target.startsWith('/dev/') || operator.startsWith('<<')) continue
    if (target.length > 4_096 || target.includes('\0')) continue
    if (LEAVES.test(target)) effects = worstEffects(effects, 'this-machine')
    endpoints.push({ kind: operator === '<' ? 'files-in' : 'files-out', place: 'anywhere', path: target })
  }
  return endpoints.length === 0 ? verdict : { ...verdict, effects, endpoints: [...verdict.endpoints, ...endpoints.slice(0, 16)] }
}
