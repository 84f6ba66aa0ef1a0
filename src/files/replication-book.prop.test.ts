import { expect, it } from 'vitest'
import { toHex } from '../base/bytes.ts'
import type { DeviceId } from '../base/ids.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { testSegmentSigner } from '../testkit/file-device.ts'
import { testDatasetKeys } from '../testkit/file-parts.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import { type LogId, type NodeId, type Op, type OpId, ROOT_NODE } from './op.ts'
import type { Segment } from './op-segment.ts'
import { openReceipt, signReceipt } from './receipt.ts'
import { ReplicationBook } from './replication-book.ts'

const crypto = new NodeFilesCrypto()
const { dataset } = testDatasetKeys()
const signers = [0, 1, 2, 3].map((n) => testSegmentSigner(n))

function segmentOf(n: number, author: number): Segment {
  const hash = toHex(crypto.sha256(Uint8Array.of(n)))
  const log = hash.slice(0, 24) as LogId
  const manifest = { bytes: 5, depth: 0, pieces: [{ id: 'a'.repeat(64) as never, length: 5 }] }
  const body = {
    kind: 'create' as const,
    node: hash.slice(0, 32) as NodeId,
    parent: ROOT_NODE,
    name: 'x',
    mode: 0o644,
    mtimeNs: 0n,
    content: { kind: 'file' as const, manifest },
  }
  const device = (signers[author] as (typeof signers)[0]).device
  return {
    log,
    device,
    hash,
    epoch: 0,
    start: '',
    seq: 1,
    prev: '',
    deps: [],
    first: 0,
    deviceName: '',
    ops: [{ id: `${log}.0` as OpId, stamp: 1, body }],
  }
}

const bookOf = (n: number, store = new MemoryDatasetStore(), isMember: (device: DeviceId) => boolean = () => true) =>
  new ReplicationBook({ crypto, dataset, store, signer: signers[n] as (typeof signers)[0], isMember, copies: 1 })

it('[RP1] own content is unsafe until another device has signed for it; a changed receipt, or one of a device that left, counts for nothing', () => {
  const store = new MemoryDatasetStore()
  const book = bookOf(0, store)
  const segment = segmentOf(1, 0)
  book.book(segment, true)
  const op = `${segment.log}.0` as OpId
  expect([book.isSafe(op), book.mustKeep(op), bookOf(0, store).isSafe(op)]).toEqual([false, true, false])
  const receipt = signReceipt(dataset, segment.hash, signers[1] as (typeof signers)[0])
  for (let at = 0; at < receipt.length; at += 5) {
    const changed = receipt.slice()
    changed[at] = (changed[at] as number) ^ 4
    expect(() => book.take(changed)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^segment\//) }))
  }
  expect(bookOf(0, store, (device) => device !== signers[1]?.device).take(receipt)).toBe(false)
  expect([book.take(receipt), book.take(receipt)]).toEqual([true, false])
  expect([book.isSafe(op), book.mustKeep(op), bookOf(0, store).isSafe(op)]).toEqual([true, false, true])
  expect(openReceipt(crypto, dataset, receipt)).toEqual({ device: signers[1]?.device, segment: segment.hash, missing: [] })
})

it('[RP1] a receipt may leave out what history had dropped: of that nobody counts as holding it; who left is not counted any more', () => {
  const gone = new Set<DeviceId>()
  const book = bookOf(0, new MemoryDatasetStore(), (device) => !gone.has(device))
  const one = segmentOf(7, 0)
  const segment: Segment = { ...one, ops: [0, 1].map((n) => ({ ...(one.ops[0] as Op), id: `${one.log}.${n}` as OpId })) }
  const [first, second] = segment.ops.map(({ id }) => id) as [OpId, OpId]
  book.book(segment, true)
  expect(book.unsafeContents).toEqual({ versions: 2, bytes: 10 })
  const receipt = signReceipt(dataset, segment.hash, signers[1] as (typeof signers)[0], [1])
  for (let at = 0; at < receipt.length; at += 5) {
    const changed = receipt.slice()
    changed[at] = (changed[at] as number) ^ 4
    expect(() => book.take(changed)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^segment\//) }))
  }
  expect(book.take(receipt)).toBe(true)
  expect([book.isSafe(first), book.isSafe(second), book.mustKeep(second)]).toEqual([true, false, true])
  expect(book.unsafeContents).toEqual({ versions: 1, bytes: 5 })
  book.release(second)
  expect([book.mustKeep(second), book.unsafe.length]).toEqual([false, 0])
  gone.add((signers[1] as (typeof signers)[0]).device)
  book.review()
  expect([book.isSafe(first), book.mustKeep(first), book.unsafe.length]).toEqual([false, true, 1])
})

it('[RP2] whichever receipts each device knows of, not all that signed let go', () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  let released = 0
  for (let round = 0; round < roundsOfRun(60, 3000); round++) {
    const segment = segmentOf(round % 256, 0)
    const op = `${segment.log}.0` as OpId
    const books = [1, 2, 3].map((n) => bookOf(n))
    const receipts = books.map((book) => {
      book.book(segment, false)
      return book.sign(book.owed[0] as never)
    })
    for (const book of books) for (const receipt of receipts) if (random.chance(0.6)) book.take(receipt)
    const keepers = books.filter((book) => book.mustKeep(op)).length
    released += 3 - keepers
    expect({ seed, round, isKept: keepers > 0 }).toEqual({ seed, round, isKept: true })
  }
  expect(released).toBeGreaterThan(0)
})
