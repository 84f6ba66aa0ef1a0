import { lstatSync, readlinkSync } from 'node:fs'
import os from 'node:os'
import type { JobProcessRequest, JobSandbox } from '../../jobs/job-process.ts'

/** What of the system a program needs to run, read-only. */
export const SYSTEM = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/opt']
/** Of /etc, what programs look up; nothing that is a secret (no shadow, no keys, no machine's own settings). */
const ETC = [
  'alternatives',
  'bash.bashrc',
  'ca-certificates',
  'ca-certificates.conf',
  'fonts',
  'group',
  'hosts',
  'java-17-openjdk',
  'java-21-openjdk',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'magic',
  'mime.types',
  'nsswitch.conf',
  'os-release',
  'passwd',
  'perl',
  'pki',
  'profile',
  'protocols',
  'python3',
  'python3.11',
  'services',
  'ssl/certs',
  'ssl/openssl.cnf',
  'terminfo',
  'timezone',
]
/** Of each memory file system in it. */
const SCRATCH_BYTES = 512 * 1024 ** 2

/**
 * Arguments of bwrap for a placed job (architecture, section 4): own namespaces, a read-only system, an empty home, no network
 * unless granted, no capabilities, no further user namespaces, and one folder it can change. `--info-fd 3` tells the process
 * that is 1 in there.
 */
export function bubblewrapArguments({ program, arguments: words, folder }: JobProcessRequest, sandbox: JobSandbox): string[] {
  return [...isolation(sandbox.network), ...places(folder, sandbox), '--', program, ...words]
}

/**
 * The same for one that is made before its job is known: all that shuts it in, and what it starts with. The rest it reads from
 * descriptor 5, to the end (`jobArguments`): a part of that, or nothing, gives it less and never more.
 */
export const waitingArguments = (command: readonly string[]): string[] => [...isolation(false), '--args', '5', '--', ...command]

/** What one that waits is given: where its folders lie, and the environment of its job. */
export function jobArguments({ folder, environment }: JobProcessRequest, sandbox: JobSandbox): string[] {
  return ['--clearenv', ...Object.entries(environment).flatMap(([name, value]) => ['--setenv', name, value]), ...places(folder, sandbox)]
}

function isolation(network: boolean): string[] {
  return [
    ...['--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try', '--disable-userns'],
    ...(network ? [] : ['--unshare-net']),
    ...['--die-with-parent', '--cap-drop', 'ALL', '--hostname', os.hostname().slice(0, 60), '--info-fd', '3'],
    ...SYSTEM.flatMap(systemFolder),
    ...ETC.flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
    ...(network ? ['--ro-bind-try', '/etc/resolv.conf', '/etc/resolv.conf'] : []),
    ...['--proc', '/proc', '--dev', '/dev'],
    ...scratch('/tmp', '1777'),
    ...scratch('/var/tmp', '1777'),
    ...scratch('/run', '0755'),
  ]
}

function places(folder: string, { hostFolder, home, folders = [] }: JobSandbox): string[] {
  return [
    ...scratch(home, '0700'),
    ...folders.flatMap(({ hostPath, path, mayWrite }) => [mayWrite ? '--bind' : '--ro-bind', hostPath, path]),
    ...['--bind', hostFolder, folder, '--remount-ro', '/', '--chdir', folder],
  ]
}

function scratch(at: string, mode: string): string[] {
  return ['--perms', mode, '--size', String(SCRATCH_BYTES), '--tmpfs', at]
}

/** /bin is a link to usr/bin on most systems, a folder on others. */
function systemFolder(at: string): string[] {
  const stat = lstatSync(at, { throwIfNoEntry: false })
  if (!stat) return []
  return stat.isSymbolicLink() ? ['--symlink', readlinkSync(at), at] : ['--ro-bind', at, at]
}
