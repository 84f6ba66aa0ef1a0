import { expect, it } from 'vitest'
import type { Logger } from '../../../base/logger.ts'
import { silentLogger } from '../../../base/logger.ts'
import type { TreeAttributes } from '../../../files/mounted-tree.ts'
import { MemoryMountedTree } from '../../../testkit/memory-mounted-tree.ts'
import type { FuseDevice } from './fuse-device.ts'
import { Errno, IN_HEADER_BYTES, Opcode } from './fuse-protocol.ts'
import { FuseSession } from './fuse-session.ts'

const GIVEN_UP = { unique: 7, errno: -Errno.EINTR }

function requestOf(opcode: number, unique: number, body: Buffer): Buffer {
  const out = Buffer.concat([Buffer.alloc(IN_HEADER_BYTES), body])
  out.writeUInt32LE(out.length, 0)
  out.writeUInt32LE(opcode, 4)
  out.writeBigUInt64LE(BigInt(unique), 8)
  out.writeBigUInt64LE(1n, 16)
  return out
}

const lookup = () => requestOf(Opcode.lookup, 7, Buffer.from('f\0'))
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

/** A tree that answers looks when it is told to. */
class WaitingTree extends MemoryMountedTree {
  go = () => {}
  override lookup(parent: number, name: string): ReturnType<MemoryMountedTree['lookup']> {
    const later = new Promise<void>((resolve) => (this.go = resolve)).then(() => super.lookup(parent, name))
    return later as unknown as TreeAttributes
  }
}

function sessionOf(options: { readonly wasKilled?: () => boolean; readonly log?: Logger } = {}) {
  const [device, tree] = [new AnswersDevice(), new WaitingTree()]
  const session = new FuseSession({ device, tree, uid: 0, gid: 0, log: silentLogger, ...options })
  return { device, tree, session, turn: () => new Promise((resolve) => setImmediate(resolve)) }
}

it('[FM6] who was killed in a look is let go of, and what was found then is given back', async () => {
  const { device, tree, session, turn } = sessionOf({ wasKilled: () => true })
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
  const state = { isKilled: false }
  const { device, tree, session, turn } = sessionOf({ wasKilled: () => state.isKilled })
  session.handle(lookup())
  session.handle(interrupt())
  await turn()
  expect(device.answers).toEqual([])
  state.isKilled = true
  await expect.poll(() => device.answers, { timeout: 5_000 }).toEqual([GIVEN_UP])
  tree.go()
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
