import { TERMINAL_MARK } from '../../jobs/terminal-environment.ts'
import type { ProcessSample } from '../../jobs/process-table.ts'
import { endProcesses } from './end-processes.ts'
import { listProcesses, startVariable } from './proc-process-reader.ts'

/** How long programs that left their terminal have between TERM and KILL when everything ends. */
const GRACE_MS = 1_000

/** Ends programs by the mark their terminal gave them (Linux; elsewhere only the terminals' own programs are found). */
export function endStrays(isOurs: (mark: string) => boolean): Promise<readonly ProcessSample[]> {
  return endProcesses(() => listProcesses().filter(({ pid }) => isOurs(startVariable(pid, TERMINAL_MARK) ?? '')), GRACE_MS)
}
