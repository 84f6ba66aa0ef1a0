import { readFileSync, readlinkSync } from 'node:fs'
import os from 'node:os'
import type { JobWait } from '../../jobs/job-process.ts'
import type { ProcessSample } from '../../jobs/process-table.ts'

/** Numbers of system calls: read, and those that wait for one of several files. */
const CALLS: Readonly<Record<string, { readonly read: number; readonly wait: readonly number[] }>> = {
  x64: { read: 0, wait: [7, 23, 232, 270, 271, 281, 441] },
  arm64: { read: 63, wait: [22, 72, 73, 441] },
}
/** A job of more processes than that waits for nobody at its keyboard; each look costs a read or two for each. */
const MAX_LOOKED_AT = 64
/** EPOLLIN, as fdinfo writes it. */
const READABLE = 0x1

/**
 * Whether one of these processes stands still until somebody types: it reads a terminal, or the standard input that `leader` was
 * given. A program in the middle of a pipe, that waits for the one before it, does not. Linux only; undefined elsewhere.
 */
export function waitsFor(leader: number, processes: readonly ProcessSample[]): JobWait | undefined {
  const calls = CALLS[os.arch()]
  if (process.platform !== 'linux' || !calls || processes.length > MAX_LOOKED_AT) return undefined
  const input = link(`/proc/${leader}/fd/0`)
  const kindOf = (target: string | undefined): JobWait | undefined =>
    target === undefined
      ? undefined
      : /^\/dev\/(?:pts\/\d+|tty\w*|console)$/.test(target)
        ? 'terminal'
        : target === input
          ? 'input'
          : undefined
  for (const { pid } of processes) {
    const [call, first] = text(`/proc/${pid}/syscall`).split(' ')
    if (call === undefined || first === undefined) continue
    const fds = Number(call) === calls.read ? [Number(first)] : calls.wait.includes(Number(call)) ? watched(pid, Number(first)) : []
    for (const fd of fds) {
      const kind = kindOf(link(`/proc/${pid}/fd/${fd}`))
      if (kind !== undefined) return kind
    }
  }
  return undefined
}

/** What an epoll waits to read from; for others that wait, the standard input is the guess. */
function watched(pid: number, epoll: number): number[] {
  const isEpoll = link(`/proc/${pid}/fd/${epoll}`) === 'anon_inode:[eventpoll]'
  if (!isEpoll) return [0]
  return text(`/proc/${pid}/fdinfo/${epoll}`)
    .split('\n')
    .flatMap((line) => {
      const found = /^tfd:\s*(\d+)\s+events:\s*([0-9a-f]+)/.exec(line)
      return found && (Number.parseInt(found[2] as string, 16) & READABLE) !== 0 ? [Number(found[1])] : []
    })
}

function text(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return '' // gone, or not ours to look at
  }
}

function link(file: string): string | undefined {
  try {
    return readlinkSync(file)
  } catch {
    return undefined // gone
  }
}
