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

/** How the terminal of what waits comes up by itself: before everything, behind what somebody types into, or by a message only. */
export type TerminalOffer = 'front' | 'behind' | 'message'

/** Who pressed a key so short a time ago types on. */
const TYPING_MS = 5_000

/** @param sinceKeyMs  since the last key, where something takes what is typed; `isCompact`: one window is shown at a time */
export function terminalOffer({ sinceKeyMs, isCompact }: { sinceKeyMs: number | undefined; isCompact: boolean }): TerminalOffer {
  if (sinceKeyMs === undefined || sinceKeyMs >= TYPING_MS) return 'front'
  return isCompact ? 'message' : 'behind'
}

/** It reads keys, draws on the whole screen, or was given no input: lines are no use to it. A line that was cut cannot be run again. */
export function wantsTerminal(info: Typed & Pick<JobInfo, 'corrected' | 'label' | 'commandLine'>): boolean {
  if (!runs(info) || wantsTyping(info) || info.commandLine.length >= MAX_SHOWN_LINE) return false
  return info.waits !== undefined || (info.corrected !== undefined && info.label === 'interactive')
}
