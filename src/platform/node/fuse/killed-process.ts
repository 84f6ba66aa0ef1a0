import { readFileSync } from 'node:fs'
import { Opcode } from './fuse-protocol.ts'

/**
 * What a program that was killed is let go of in the middle: looks, and what stores something that stays staged without it. Not
 * what makes, moves or removes a name, or changes attributes: the kernel would keep what it knew before.
 */
export const LEFT_WHEN_KILLED: ReadonlySet<number> = new Set([
  Opcode.lookup,
  Opcode.readdir,
  Opcode.readdirplus,
  Opcode.write,
  Opcode.flush,
  Opcode.fsync,
  Opcode.fsyncdir,
])

const SIGKILL_BIT = 0x100n
/** PF_EXITING, of the kernel's flags of a task: what it has open is being closed. */
const EXITING = 0x4
/** Places in /proc/PID/stat, counted behind the name in brackets. */
const [FLAGS_AT, EXIT_CODE_AT] = [6, 49]
/** Of an exit code: the signal. */
const SIGNAL_MASK = 0x7f

/** What loses bytes when it fails: who was let go of is not there to hear of it. */
export const STORES: ReadonlySet<number> = new Set([Opcode.write, Opcode.flush, Opcode.fsync])

/** `unseen`: it is in another namespace, or of an account that is hidden from this one. */
export type CallerState = 'alive' | 'killed' | 'unseen'

/**
 * Was this thread killed, and waits only for our answer? Any signal interrupts a request; one that its program handles must not
 * make a call fail that never fails so on a disk.
 */
export function callerState(thread: number): CallerState {
  try {
    const pending = /^SigPnd:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${thread}/status`, 'utf8'))?.[1]
    if (pending === undefined) return 'unseen'
    if ((BigInt(`0x${pending}`) & SIGKILL_BIT) !== 0n) return 'killed'
    // Closing what it had open, nothing interrupts it any more.
    const stat = readFileSync(`/proc/${thread}/stat`, 'utf8')
    const fields = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const isEnding = ((fields[FLAGS_AT] ?? 0) & EXITING) !== 0 && ((fields[EXIT_CODE_AT] ?? 0) & SIGNAL_MASK) !== 0
    return isEnding ? 'killed' : 'alive'
  } catch {
    return 'unseen'
  }
}
