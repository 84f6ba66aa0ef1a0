import { readlinkSync } from 'node:fs'
import { openParentUserNamespace } from './user-namespace.ts'

/** As nsenter names them, with their name below /proc/PID/ns. */
const KINDS = { mount: 'mnt', pid: 'pid', net: 'net', ipc: 'ipc', uts: 'uts', cgroup: 'cgroup' } as const
export type NamespaceKind = keyof typeof KINDS

export interface Entry {
  /** What to run, before the words of the command that runs in there. */
  readonly words: readonly string[]
  /** Lets go of what it holds open; once the command has begun. */
  close(): void
}

/**
 * How to run something in namespaces of another process of this account. `root` may enter any; an account first becomes what it is in the
 * user namespace that owns them. With `last`, the user namespace of the process itself is entered at the end, in which there are no rights
 * over the others.
 *
 * @throws when that process is gone, or is not ours
 */
export function enterNamespaces(pid: number, kinds: readonly NamespaceKind[], { last }: { readonly last: boolean }): Entry {
  const others = kinds.filter((kind) => isOther(pid, KINDS[kind]))
  const options = others.map((kind) => `--${kind}=/proc/${pid}/ns/${KINDS[kind]}`)
  const own = `/proc/${pid}/ns/user`
  if (process.getuid?.() === 0) {
    return { words: ['nsenter', '--preserve-credentials', ...options, ...(last ? [`--user=${own}`] : []), '--'], close: () => undefined }
  }
  const around = openParentUserNamespace(pid)
  // Opened before anything is entered: inside, these names mean something else.
  const open = ['/bin/sh', '-c', 'exec 8<"$1" 9<"$2"; shift 2; exec "$@"', 'elsewhere', around.path, own]
  const enter = ['nsenter', '--preserve-credentials', '--user=/proc/self/fd/8', ...options, '--']
  const finish = last ? ['nsenter', '--preserve-credentials', '--user=/proc/self/fd/9', '--'] : []
  return { words: [...open, ...enter, ...finish], close: () => around.close() }
}

function isOther(pid: number, kind: string): boolean {
  const own = readlinkSync(`/proc/self/ns/${kind}`)
  return readlinkSync(`/proc/${pid}/ns/${kind}`) !== own
}
