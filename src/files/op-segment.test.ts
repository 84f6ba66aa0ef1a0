import { expect, it } from 'vitest'
import { readFileSync } from 'node:fs'
import { fromHex, toHex } from '../base/bytes.ts'
import { testDatasetKeys } from '../testkit/file-parts.ts'
import { testSegmentSigner } from '../testkit/file-device.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { EMPTY_MANIFEST } from './manifest.ts'
import type { ChunkId } from './chunk-id.ts'
import { bodyText, type NodeId, type OpBody, type OpId, plainBody, ROOT_NODE } from './op.ts'
import { NO_SEGMENT, SegmentCodec } from './op-segment.ts'

const node = '0123456789abcdef0123456789abcdef' as NodeId
const bodies: OpBody[] = [
  {
    kind: 'create',
    node,
    parent: ROOT_NODE,
    name: 'ü.txt',
    mode: 0o644,
    mtimeNs: 1_700_000_000_123_456_789n,
    content: { kind: 'file', manifest: EMPTY_MANIFEST },
  },
  { kind: 'write', node, content: { kind: 'link', target: '../x' }, mtimeNs: -5n, bases: [`${'a'.repeat(24)}.0` as OpId] },
  { kind: 'move', node, name: 'b' },
  { kind: 'attributes', node, mode: 0o600 },
  { kind: 'xattr', node, name: 'user.a', value: null },
]

it('[OL3] a segment of format 1, written long ago, is read as it was written', () => {
  const crypto = new NodeFilesCrypto()
  const codec = new SegmentCodec(crypto, testDatasetKeys(2))
  const signer = testSegmentSigner(1)
  const start = '00112233aabbccdd'
  const log = codec.logOf(signer.device, start)
  const ops = bodies.map((body, n) => ({ id: `${log}.${7 + n}` as OpId, stamp: 1e15 + n, body }))
  const golden = readFileSync(new URL('golden/segment-1.hex', import.meta.url), 'utf8').trim()
  const bytes = fromHex(golden)
  const segment = codec.open(codec.check(bytes), bytes, 1.7e12)
  expect(segment).toMatchObject({
    log,
    device: signer.device,
    start,
    seq: 1,
    prev: NO_SEGMENT,
    epoch: 1,
    first: 7,
    deviceName: 'Lamp',
    ops,
    deps: [['b'.repeat(24), 3]],
  })
  const again = codec.encode({ start, seq: 1, prev: NO_SEGMENT, deps: segment.deps, first: 7, deviceName: 'Lamp', ops }, signer)
  expect(toHex(again.bytes.subarray(0, 212))).toBe(golden.slice(0, 424)) // behind it, the nonce is random
  expect(codec.open(codec.check(again.bytes), again.bytes, 1.7e12).ops).toEqual(ops)
})

it.each(bodies)('[OL3] the text of an op is its JSON ($kind)', (body) => {
  expect(bodyText(body)).toBe(JSON.stringify(plainBody(body)))
})

it('[OL3] the text of a content with chunks and holes, and of names with quotes in them, is its JSON', () => {
  const pieces = [
    { id: 'c'.repeat(64) as ChunkId, length: 5 },
    { id: undefined, length: 70_000 },
    { id: 'd'.repeat(64) as ChunkId, length: 6 },
  ]
  const content = { kind: 'file' as const, manifest: { bytes: 70_011, depth: 0, pieces } }
  const bases = ['a', 'b'].map((letter) => `${letter.repeat(24)}.12` as OpId)
  const write: OpBody = { kind: 'write', node, content, mtimeNs: 0n, bases }
  const create: OpBody = {
    kind: 'create',
    node,
    parent: ROOT_NODE,
    name: '"\\ \n\u2028',
    mode: 0,
    mtimeNs: 1n,
    content: { kind: 'folder' },
  }
  for (const body of [write, create]) expect(bodyText(body)).toBe(JSON.stringify(plainBody(body)))
})
