import { existsSync } from 'node:fs'
import { JobError } from '../../jobs/job-error.ts'
import type { JobProcessRequest, JobShell } from '../../jobs/job-process.ts'
import { enterNamespaces } from './enter-namespaces.ts'
import { ENTER_SCRIPT, IDLE_PRIORITY } from './job-limits.ts'
import { findProgram } from './pty-lydell.ts'

/** Its session weighs least, as that of the job. */
const LOWEST_SCRIPT = `echo 19 2>/dev/null >/proc/self/autogroup\n${ENTER_SCRIPT}`
/** Gives up whatever the way in needed, goes to the folder of the job, and becomes the shell with nothing but the job's environment. */
const INSIDE_SCRIPT = 'exec 8<&- 9<&-; cd "$1" 2>/dev/null; shift; exec env -i "$@"'
/** Of the way in: none of the job's own variables counts before it is in there (LD_PRELOAD would run outside). */
const OUTSIDE = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' } as const

/**
 * A shell where a job runs (rule JB86). In a sandbox: its namespaces, its control groups, the lowest priority, no capabilities, none to be
 * gained, the same user. Without one: in its folder, with its environment.
 *
 * @param init  process 1 of the sandbox; undefined: there is none
 * @throws JobError `job/no-shell`
 */
export function jobShell(request: JobProcessRequest, init: number | undefined, cgroups: readonly string[]): JobShell {
  const environment = { ...request.environment, TERM: 'xterm-256color', COLORTERM: 'truecolor' }
  const shell = existsSync('/bin/bash') ? '/bin/bash' : '/bin/sh'
  if (init === undefined) return { file: shell, arguments: ['-i'], environment, folder: request.folder, dispose: () => undefined }
  let entry: ReturnType<typeof enterNamespaces>
  try {
    entry = enterNamespaces(init, ['mount', 'pid', 'net', 'ipc', 'uts', 'cgroup'], { last: true })
  } catch (cause) {
    throw new JobError(
      'job/no-shell',
      `no shell can be opened in the sandbox of this job (${cause instanceof Error ? cause.message : String(cause)})`,
      { cause },
    )
  }
  const rights = ['setpriv', '--no-new-privs', '--inh-caps=-all', '--bounding-set=-all', '--']
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  const inside = ['/bin/sh', '-c', INSIDE_SCRIPT, 'elsewhere', request.folder, ...variables, shell, '-i']
  const idle = findProgram(IDLE_PRIORITY[0], '/', OUTSIDE.PATH) === undefined ? [] : IDLE_PRIORITY
  return {
    file: '/bin/sh',
    arguments: ['-c', LOWEST_SCRIPT, 'elsewhere', String(cgroups.length), ...cgroups, ...idle, ...entry.words, ...rights, ...inside],
    environment: OUTSIDE,
    folder: '/',
    dispose: () => entry.close(),
  }
}
