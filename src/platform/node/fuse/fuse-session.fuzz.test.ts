import { expect, it } from 'vitest'
import { silentLogger } from '../../../base/logger.ts'
import { MemoryMountedTree } from '../../../testkit/memory-mounted-tree.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../../testkit/seeded-random.ts'
import type { FuseDevice } from './fuse-device.ts'
import { IN_HEADER_BYTES, Opcode, OUT_HEADER_BYTES } from './fuse-protocol.ts'
import { FuseSession } from './fuse-session.ts'
import type { RequestPlant } from './request-reader.ts'

const NAMES = ['a', 'b', 'c', '.', '..', '', 'x/y', 'ä', 'n'.repeat(255), 'n'.repeat(256), '\u{1f600}']
const NO_ANSWER: readonly number[] = [Opcode.forget, Opcode.batchForget, Opcode.interrupt]

/** A device that only remembers what it was told. */
class RecordingDevice implements FuseDevice {
  readonly replies: Buffer[] = []
  read = () => 'none' as const
  readSoon = () => 'none' as const
  write(parts: readonly Uint8Array[]): boolean {
    this.replies.push(Buffer.concat(parts))
    return true
  }
  waitReadable = async () => {}
  notify = async () => {}
  dispose(): void {}
}

/** The body of a request as the kernel would write it, more or less. */
function bodyOf(opcode: number, random: SeededRandom): Buffer {
  const name = () => Buffer.from(`${random.pick(NAMES)}\0`)
  const words = (count: number) => {
    const out = Buffer.alloc(4 * count)
    for (let i = 0; i < count; i++) out.writeUInt32LE(random.chance(0.6) ? random.below(64) : random.below(2 ** 32), 4 * i)
    return out
  }
  const data = Buffer.alloc(random.below(40), 1)
  const size = Buffer.alloc(4)
  size.writeUInt32LE(random.chance(0.8) ? data.length : data.length + random.below(100))
  const small = (count: number) => Buffer.alloc(4 * count, 0).map((_, i) => (i % 8 === 0 ? random.below(9) : 0))
  switch (opcode) {
    case Opcode.write:
      return Buffer.concat([small(4), size, Buffer.alloc(20), data])
    case Opcode.read:
    case Opcode.readdir:
    case Opcode.readdirplus:
      return Buffer.concat([small(4), size, Buffer.alloc(20)])
    case Opcode.setattr:
      return words(22)
    case Opcode.rename:
      return Buffer.concat([small(2), name(), name()])
    case Opcode.rename2:
      return Buffer.concat([small(4), name(), name()])
    case Opcode.setxattr:
      return Buffer.concat([size, small(3), Buffer.from('user.a\0'), data])
    case Opcode.symlink:
      return Buffer.concat([name(), name()])
    case Opcode.mkdir:
      return Buffer.concat([words(2), name()])
    case Opcode.mknod:
    case Opcode.create:
      return Buffer.concat([words(4), name()])
    case Opcode.init:
      return Buffer.concat([Buffer.from([7, 0, 0, 0, 45, 0, 0, 0]), words(14)])
    default:
      return random.chance(0.7) ? name() : words(random.below(12))
  }
}

/** @returns what went wrong, one line each */
function fuzz(seed: number, rounds: number, plant?: RequestPlant): readonly string[] {
  const random = new SeededRandom(seed)
  const problems: string[] = []
  const device = new RecordingDevice()
  const tree = new MemoryMountedTree()
  const log = {
    ...silentLogger,
    error: (message: string, details?: object) => void problems.push(`${message} ${String(Object.values(details ?? {}))}`),
  }
  const session = new FuseSession({ device, tree, uid: 0, gid: 0, log, ...(plant ? { plant } : {}) })
  const opcodes = [...Object.values(Opcode), 0, 7, 999]
  for (let round = 1; round <= rounds && problems.length === 0; round++) {
    const opcode = random.pick(opcodes)
    const body = bodyOf(opcode, random)
    let request = Buffer.alloc(IN_HEADER_BYTES + body.length)
    request.writeUInt32LE(opcode, 4)
    request.writeBigUInt64LE(BigInt(round), 8)
    request.writeUInt32LE(random.chance(0.9) ? random.below(20) : random.below(2 ** 32), 16)
    request.set(body, IN_HEADER_BYTES)
    if (random.chance(0.2)) request[16 + random.below(request.length - 16)] = random.below(256)
    if (random.chance(0.1)) request = request.subarray(0, IN_HEADER_BYTES + random.below(request.length - IN_HEADER_BYTES + 1))
    request.writeUInt32LE(random.chance(0.97) ? request.length : random.below(200), 0)
    const isReadable = request.readUInt32LE(0) === request.length
    device.replies.length = 0
    session.handle(request)
    const [reply] = device.replies
    const expected = isReadable && !NO_ANSWER.includes(opcode) ? 1 : 0
    if (device.replies.length !== expected) problems.push(`round ${round}: opcode ${opcode} got ${device.replies.length} answers`)
    if (!reply) continue
    const errno = -reply.readInt32LE(4)
    if (reply.readUInt32LE(0) !== reply.length || reply.readBigUInt64LE(8) !== BigInt(round)) problems.push(`round ${round}: a bad header`)
    if (errno < 0 || errno > 133 || (errno > 0 && reply.length !== OUT_HEADER_BYTES)) problems.push(`round ${round}: errno ${errno}`)
    if (opcode === Opcode.write && errno === 0 && reply.readUInt32LE(OUT_HEADER_BYTES) > request.length - IN_HEADER_BYTES - 40) {
      problems.push(`round ${round}: more written than was given`)
    }
  }
  return problems
}

it('[FM1] whatever bytes come as a request, there is one answer with a number the system knows', () => {
  const seed = seedOfRun()
  expect({ seed, problems: fuzz(seed, roundsOfRun(20_000, 2_000_000)) }).toEqual({ seed, problems: [] })
})

it('[FM1] the fuzz finds a reader that believes lengths (planted)', () => {
  expect(fuzz(seedOfRun(), 20_000, 'believed-length')).not.toEqual([])
})
