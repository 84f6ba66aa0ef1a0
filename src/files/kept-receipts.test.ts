import { expect, it } from 'vitest'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { testSegmentSigner } from '../testkit/file-device.ts'
import { testDatasetKeys } from '../testkit/file-parts.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import { type LogId, type NodeId, type OpId, ROOT_NODE } from './op.ts'
import type { Segment } from './op-segment.ts'
import { signReceipt } from './receipt.ts'
import { FIRST_POLICY } from './replica-policy.ts'
import { ReplicationBook } from './replication-book.ts'

class CountingCrypto extends NodeFilesCrypto {
  verified = 0
  override verify(...args: Parameters<NodeFilesCrypto['verify']>): boolean {
    this.verified++
    return super.verify(...args)
  }
}

const { dataset } = testDatasetKeys()
const [self, other, third] = [0, 1, 2].map((n) => testSegmentSigner(n)) as [Signer, Signer, Signer]
type Signer = ReturnType<typeof testSegmentSigner>
const hashOf = (n: number) => n.toString(16).padStart(64, '0')

/** With one content. */
function segmentOf(n: number): Segment {
  const [hash, log] = [hashOf(n), n.toString(16).padStart(24, '0') as LogId]
  const content = { kind: 'file', manifest: { bytes: 5, depth: 0, pieces: [{ id: 'a'.repeat(64) as never, length: 5 }] } } as const
  const body = {
    kind: 'create',
    node: hash.slice(0, 32) as NodeId,
    parent: ROOT_NODE,
    name: 'x',
    mode: 0o644,
    mtimeNs: 0n,
    content,
  } as const
  const ops = [{ id: `${log}.0` as OpId, stamp: 1, body }]
  return { log, device: self.device, hash, epoch: 0, start: '', seq: 1, prev: '', deps: [], first: 0, deviceName: '', ops }
}

function start() {
  const [crypto, store] = [new CountingCrypto(), new MemoryDatasetStore()]
  const policy = () => ({ ...FIRST_POLICY, departures: 0 })
  const gone = new Set<string>()
  const isMember = (device: string) => !gone.has(device)
  const open = () => new ReplicationBook({ crypto, dataset, store, signer: self, isMember, policy })
  return { crypto, store, gone, open, rows: () => store.values('receipt').length }
}

it('[RP9] a receipt is verified once, when it comes; who left since counts for nothing all the same', () => {
  const { crypto, gone, open, rows } = start()
  const book = open()
  for (let n = 0; n < 50; n++) {
    book.book(segmentOf(n), true)
    expect(book.take(signReceipt(dataset, hashOf(n), other))).toBe(true)
  }
  expect(book.take(signReceipt(dataset, hashOf(0), other))).toBe(false)
  expect(crypto.verified).toBe(100)
  const again = open()
  expect([crypto.verified, rows(), again.isSafe(`${segmentOf(7).log}.0` as OpId)]).toEqual([100, 50, true])
  gone.add(other.device)
  const later = open()
  later.review()
  expect([later.isSafe(`${segmentOf(7).log}.0` as OpId), later.unsafe.length, crypto.verified]).toEqual([false, 50, 100])
})

it('[RP9] receipts go with what they are for', () => {
  const { open, rows } = start()
  const book = open()
  for (const n of [1, 2]) book.book(segmentOf(n), n === 1)
  book.take(signReceipt(dataset, hashOf(1), other))
  book.take(signReceipt(dataset, hashOf(2), other))
  book.sign(book.owed[0] as never)
  expect(rows()).toBe(3)
  book.release(`${segmentOf(2).log}.0` as OpId)
  expect([rows(), book.receiptsOf([hashOf(1), hashOf(2)]).length]).toEqual([1, 1])
  book.release(`${segmentOf(1).log}.0` as OpId)
  expect([rows(), open().receiptsOf([hashOf(1)])]).toEqual([0, []])
  // All that a segment named was dropped before it was here: this device says so, and keeps nothing of it.
  book.book(segmentOf(3), false)
  book.sign(book.owed[0] as never, [0])
  expect([rows(), book.owed]).toEqual([0, []])
})

it('[RP9] of receipts for segments that are not here the last thousand of each device are kept, told to nobody, and count when the segment comes', () => {
  const { store, open, rows } = start()
  const book = open()
  expect(book.take(signReceipt(dataset, hashOf(9_999), third))).toBe(false)
  for (let n = 0; n < 1100; n++) expect(book.take(signReceipt(dataset, hashOf(n), other))).toBe(false)
  expect(rows()).toBe(1001)
  const again = open()
  for (const n of [9_999, 0, 1099]) again.book(segmentOf(n), true)
  const isSafe = (n: number) => again.isSafe(`${segmentOf(n).log}.0` as OpId)
  expect([9_999, 0, 1099].map(isSafe)).toEqual([true, false, true])
  expect([again.take(signReceipt(dataset, hashOf(0), other)), isSafe(0)]).toEqual([true, true])
  // Those that count now take no place of others.
  for (let n = 2000; n < 3100; n++) again.take(signReceipt(dataset, hashOf(n), other))
  expect([rows(), isSafe(1099), isSafe(0), isSafe(9_999)]).toEqual([1003, true, true, true])
  // What an older version kept without end is cut when it is read.
  for (let n = 5000; n < 6000; n++) store.putValue('receipt', `${hashOf(n)}.${other.device}`, signReceipt(dataset, hashOf(n), other))
  open()
  expect(rows()).toBe(1003)
})
