import { type JobInfo, MAX_SHOWN_LINE } from '../../../jobs/jobs-contract.ts'

/* What a job that waits for a person can be given (rule JB105). Pure. */

/** A job that has begun and not ended, so that there is something to open a shell in. */
export const runs = ({ state }: Pick<JobInfo, 'state'>): boolean => state === 'running'

type Typed = Pick<JobInfo, 'state' | 'waits' | 'takesInput'>

/** Undefined: what is typed reaches it. */
export function whyNotTyped(info: Typed): string | undefined {
  if (!runs(info)) return 'It does not run now'
  if (!info.takesInput) return 'It was started without an input'
  return info.waits === 'terminal' ? 'It reads a terminal of its own' : undefined
}

/** It waits for a line on its standard input, and what is typed reaches it. */
export const wantsTyping = (info: Typed): boolean => info.waits === 'input' && whyNotTyped(info) === undefined

/** It reads keys, draws on the whole screen, or was given no input: lines are no use to it. A line that was cut cannot be run again. */
export function wantsTerminal(info: Typed & Pick<JobInfo, 'corrected' | 'label' | 'commandLine'>): boolean {
  if (!runs(info) || wantsTyping(info) || info.commandLine.length >= MAX_SHOWN_LINE) return false
  return info.waits !== undefined || (info.corrected !== undefined && info.label === 'interactive')
}
