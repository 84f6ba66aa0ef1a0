/** Fields of /proc/PID/stat that we use; units are the kernel's. */
export interface ProcStat {
  readonly pid: number
  readonly name: string
  readonly state: string
  readonly parentPid: number
  readonly sessionId: number
  /** Number of its controlling terminal's device; 0: none. */
  readonly terminal: number
  readonly cpuTicks: number
  /** Of children that have ended and were fetched. */
  readonly reapedTicks: number
  readonly startTicks: string
  readonly residentPages: number
}

/** Undefined when the text is not a stat line: the process ended while it was read. The name may hold spaces and brackets. */
export function parseProcStat(text: string): ProcStat | undefined {
  const open = text.indexOf('(')
  const close = text.lastIndexOf(')')
  if (open < 0 || close < open) return undefined
  const fields = text
    .slice(close + 2)
    .trimEnd()
    .split(' ')
  const at = (index: number) => Number(fields[index])
  const stat = {
    pid: Number(text.slice(0, open)),
    name: text.slice(open + 1, close),
    state: fields[0] ?? '?',
    parentPid: at(1),
    sessionId: at(3),
    terminal: at(4),
    cpuTicks: at(11) + at(12),
    reapedTicks: at(13) + at(14),
    startTicks: fields[19] ?? '',
    residentPages: at(21),
  }
  return [stat.pid, stat.parentPid, stat.sessionId, stat.cpuTicks, stat.residentPages].every(Number.isFinite) ? stat : undefined
}

/** What Tasks shows: the command line, arguments by a space; the name in brackets for those without (kernel's convention). */
export function commandLine(cmdline: string, name: string): string {
  const command = cmdline
    .replaceAll('\0', ' ')
    .replaceAll(/\p{Cc}/gu, ' ')
    .trim()
  return command === '' ? `[${name}]` : command.slice(0, MAX_COMMAND_LENGTH)
}

const MAX_COMMAND_LENGTH = 300
