import { afterEach, expect, it, vi } from 'vitest'
import type { Logger } from '../../../base/logger.ts'
import { silentLogger } from '../../../base/logger.ts'
import type { TreeAttributes } from '../../../files/mounted-tree.ts'
import { MemoryMountedTree } from '../../../testkit/memory-mounted-tree.ts'
import type { FuseDevice } from './fuse-device.ts'
import { Errno, IN_HEADER_BYTES, Opcode } from './fuse-protocol.ts'
import { FuseSession } from './fuse-session.ts'
import type { CallerState } from './killed-process.ts'

const GIVEN_UP = { unique: 7, errno: -Errno.EINTR }
const ANSWERED = { unique: 7, errno: 0 }
const CALLER = 4_711

afterEach(() => void vi.useRealTimers())

function requestOf(opcode: number, unique: number, body: Buffer, pid = CALLER): Buffer {
  const out = Buffer.concat([Buffer.alloc(IN_HEADER_BYTES), body])
  out.writeUInt32LE(out.length, 0)
  out.writeUInt32LE(opcode, 4)
  out.writeBigUInt64LE(BigInt(unique), 8)
  out.writeBigUInt64LE(1n, 16)
  out.writeUInt32LE(pid, 32)
  return out
}

const lookup = () => requestOf(Opcode.lookup, 7, Buffer.from('f\0'))
/** Of one byte, to the entry 1. */
const write = (pid?: number) => {
  const body = Buffer.alloc(41)
  body.writeUInt32LE(1, 16)
  return requestOf(Opcode.write, 7, body, pid)
}
const interrupt = () => {
  const body = Buffer.alloc(8)
  body.writeBigUInt64LE(7n)
  return requestOf(Opcode.interrupt, 0, body)
}

/** Takes answers, as long as `write` does. */
class AnswersDevice implements FuseDevice {
  readonly answers: { unique: number; errno: number }[] = []
  isDisposed = false
  fails = false
  read = (): 'none' | 'gone' => (this.isDisposed ? 'gone' : 'none')
  readSoon = this.read
  write(parts: readonly Uint8Array[]): boolean {
    if (this.fails) throw Object.assign(new Error('no room'), { code: 'ENOMEM' })
    const head = Buffer.concat(parts)
    this.answers.push({ unique: Number(head.readBigUInt64LE(8)), errno: head.readInt32LE(4) })
    return true
  }
  waitReadable = () => new Promise<void>((resolve) => setImmediate(resolve))
  notify = async () => {}
  dispose(): void {
    this.isDisposed = true
  }
}

/** A tree that answers looks and writes when it is told to. */
class WaitingTree extends MemoryMountedTree {
  go = () => {}
  fail = (_error: Error) => {}
  override write(): void {
    const later = new Promise<void>((resolve, reject) => {
      this.go = resolve
      this.fail = reject
    })
    return later as unknown as void
  }
  override lookup(parent: number, name: string): ReturnType<MemoryMountedTree['lookup']> {
    const later = new Promise<void>((resolve) => (this.go = resolve)).then(() => super.lookup(parent, name))
    return later as unknown as TreeAttributes
  }
}

function sessionOf(options: { readonly callerState?: () => CallerState; readonly log?: Logger } = {}) {
  const [device, tree] = [new AnswersDevice(), new WaitingTree()]
  const session = new FuseSession({ device, tree, uid: 0, gid: 0, log: silentLogger, ...options })
  return { device, tree, session, turn: () => new Promise((resolve) => setImmediate(resolve)) }
}

it('[FM6] who was killed in a look is let go of, and what was found then is given back', async () => {
  const { device, tree, session, turn } = sessionOf({ callerState: () => 'killed' })
  tree.create(1, 'f', 0o644)
  const { ino } = MemoryMountedTree.prototype.lookup.call(tree, 1, 'f') as TreeAttributes
  session.handle(lookup())
  session.handle(interrupt())
  expect(device.answers).toEqual([GIVEN_UP])
  tree.go()
  await turn()
  expect([device.answers, session.status.waiting]).toEqual([[GIVEN_UP], 0])
  tree.unlink(1, 'f')
  tree.forget(ino, 2) // as often as this test was given it
  expect(tree.nodeCount).toBe(1)
})

it('[FM6] a signal that the program handles gives up no look; a kill after it does', async () => {
  const state: { now: CallerState } = { now: 'alive' }
  const { device, tree, session, turn } = sessionOf({ callerState: () => state.now })
  session.handle(lookup())
  session.handle(interrupt())
  await turn()
  expect(device.answers).toEqual([])
  state.now = 'killed'
  await expect.poll(() => device.answers, { timeout: 5_000 }).toEqual([GIVEN_UP])
  tree.go()
})

it.each([
  ['pages that the kernel gathered', 0, 'killed'],
  ['a program that cannot be seen', CALLER, 'unseen'],
] as const)('[FM6] a write of %s is answered when the tree answers, however long that takes', async (_who, pid, state) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const { device, tree, session, turn } = sessionOf({ callerState: () => state })
  session.handle(write(pid))
  if (pid === 0) session.handle(interrupt())
  vi.advanceTimersByTime(600_000)
  expect(device.answers).toEqual([])
  tree.go()
  await turn()
  expect(device.answers).toEqual([ANSWERED])
})

it('[FM6] a program that cannot be seen is let go of when the kernel tells of a signal; that its bytes could not be stored then is in the log', async () => {
  const warnings: unknown[] = []
  const log = { ...silentLogger, warn: (...line: unknown[]) => void warnings.push(line) }
  const { device, tree, session, turn } = sessionOf({ callerState: () => 'unseen', log })
  session.handle(write())
  session.handle(interrupt())
  tree.fail(new Error('no room'))
  await turn()
  expect(device.answers).toEqual([GIVEN_UP])
  expect(warnings).toEqual([['what a killed program wrote could not be stored', { ino: 1, error: 'no room' }]])
})

it('[FM6] a device that takes no answer ends the mount, and nothing else', async () => {
  const errors: string[] = []
  const log = { ...silentLogger, error: (text: string) => void errors.push(text) }
  const { device, tree, session, turn } = sessionOf({ log })
  const ended = session.run()
  session.handle(lookup())
  device.fails = true
  tree.go()
  await ended
  await turn() // an unhandled rejection would fail this run
  session.handle(lookup())
  tree.go()
  await turn()
  expect([device.isDisposed, errors]).toEqual([true, ['the kernel takes no answers; the mount ends']])
})
