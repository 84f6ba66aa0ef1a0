import type { Classification, Effects, JobLabel } from '../job-contract.ts'
import { classifyCommand, classifyKnown } from './classify-command.ts'
import { type ClassifyContext, MAX_COMMANDS, type Walk } from './classify-context.ts'
import { classifyScript } from './classify-line.ts'
import { followAlias } from './follow.ts'
import { MAX_LINE, parseShell } from './shell-parse.ts'
import { uniqueEndpoints } from './verdict.ts'

export type { ClassifyContext, ProjectFiles } from './classify-context.ts'

const MAX_REASON = 400

/**
 * What a command line is taken to be, and why (rules JB21-JB26). Pure, bounded in time whatever the line, never throws.
 *
 * What is not understood is of this machine, so that it stays where it was typed.
 */
export function classify(commandLine: string, context: ClassifyContext = {}): Classification {
  if (commandLine.length > MAX_LINE) {
    return refuse('ambiguous', 'this-machine', `a line of ${commandLine.length} characters is not read (over ${MAX_LINE})`)
  }
  const walk: Walk = {
    context,
    depth: 0,
    budget: { left: MAX_COMMANDS },
    parts: { script: classifyScript, command: classifyCommand, known: classifyKnown, follow: followAlias },
  }
  const verdict = classifyScript(parseShell(commandLine), { inputGiven: false, outputPiped: false }, walk)
  const { label, effects, endpoints, confidence, programs } = verdict
  if (walk.budget.left < 0)
    return refuse('ambiguous', effects === 'world-once' ? effects : 'this-machine', `more than ${MAX_COMMANDS} commands are not followed`)
  const files: Classification['endpoints'] =
    effects === 'files-only'
      ? [
          { kind: 'files-in', place: 'anywhere', path: '.' },
          { kind: 'files-out', place: 'anywhere', path: '.' },
        ]
      : []
  return {
    label,
    effects,
    endpoints: uniqueEndpoints([...endpoints, ...files]).slice(0, 64) as Classification['endpoints'],
    confidence,
    reason: sentence(verdict.reason),
    programs: programs.filter((one) => one !== '').map((one) => one.slice(0, 256)),
  }
}

const refuse = (label: JobLabel, effects: Effects, reason: string): Classification => ({
  label,
  effects,
  endpoints: [],
  confidence: 0.2,
  reason: sentence(reason),
  programs: [],
})

/** One line, no control characters: it is shown in terminals and on the desk. */
function sentence(text: string): string {
  // oxlint-disable-next-line no-control-regex -- exactly those are taken out
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, ' ').trim()
  return plain.length <= MAX_REASON ? plain : `${plain.slice(0, MAX_REASON - 1)}…`
}
