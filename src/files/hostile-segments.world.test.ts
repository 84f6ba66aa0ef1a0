import { afterEach, expect, it } from 'vitest'
import { systemClock } from '../base/clock.ts'
import { utf8 } from '../base/bytes.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { linkHosts, TestDatasetHost } from '../testkit/dataset-hosts.ts'
import { testSegmentSigner } from '../testkit/file-device.ts'
import { testDatasetKeys } from '../testkit/file-parts.ts'
import { checkDataset } from './check-dataset.ts'
import { EMPTY_MANIFEST } from './manifest.ts'
import { type Content, isNodeName, type NodeId, type OpBody, type OpId, ROOT_NODE } from './op.ts'
import { NO_SEGMENT, SegmentCodec, type SegmentContent } from './op-segment.ts'

const owned: { dispose(): void }[] = []
afterEach(() => {
  for (const one of owned.splice(0).reverse()) one.dispose()
})
const until = async (isSo: () => boolean) => {
  for (let n = 0; n < 500 && !isSo(); n++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect(isSo()).toBe(true)
}

const codec = new SegmentCodec(new NodeFilesCrypto(), testDatasetKeys())
const LIAR = testSegmentSigner(1)
const id = (n: number) => (n === 0 ? 0 : 0x1000 + n).toString(16).padStart(32, '0') as NodeId
const file: Content = { kind: 'file', manifest: EMPTY_MANIFEST }
const folder: Content = { kind: 'folder' }
const create = (n: number, name: string, parent: NodeId = ROOT_NODE, content: Content = file): OpBody => ({
  kind: 'create',
  node: id(n),
  parent,
  name,
  mode: 0o644,
  mtimeNs: 1n,
  content,
})

/** A segment as no honest device writes it, and signed all the same. */
function lie(start: string, bodies: readonly OpBody[], how: Partial<SegmentContent> & { readonly stampUs?: number } = {}) {
  const log = codec.logOf(LIAR.device, start)
  const from = how.stampUs ?? Date.now() * 1000
  const ops = bodies.map((body, n) => ({ id: `${log}.${n}` as OpId, stamp: from + n, body }))
  const content: SegmentContent = { start, seq: 1, prev: NO_SEGMENT, deps: [], first: 0, deviceName: 'liar', ops, ...how }
  const { bytes, hash } = codec.encode(content, LIAR)
  const last = content.ops.at(-1)?.stamp ?? 0
  return { log, bytes, head: { log, device: LIAR.device, start, seq: content.seq, hash, ops: content.first + ops.length, stamp: last } }
}

/** `isRefused`: the log stops there. Otherwise it is taken in, and does no harm. */
type Lie = readonly [what: string, isRefused: boolean, bodies: readonly OpBody[], how: NonNullable<Parameters<typeof lie>[2]>]
const LIES = (
  [
    ...['..', '.', '', 'a/b', '/etc/passwd', 'nul\0', 'x'.repeat(300), '\ud800'].map(
      (name) => [`a file called ${JSON.stringify(name).slice(0, 20)}`, true, [create(1, name)]] as const,
    ),
    ['a file that is renamed to ..', true, [create(1, 'x'), { kind: 'move', node: id(1), name: '..' }]],
    ['1,001 ops', true, Array.from({ length: 1001 }, (_, n) => create(n + 1, `many ${n}`))],
    ['a stamp ten years and a day ahead', true, [create(1, 'x')], { stampUs: (Date.now() + 3651 * 86_400_000) * 1000 }],
    ['ops that are not one after the other', true, [create(1, 'x')], { first: 7 }],
    ['a first segment that follows another one', true, [create(1, 'x')], { prev: 'a'.repeat(64) }],
    ['a device name of many characters', true, [create(1, 'x')], { deviceName: 'x'.repeat(81) }],
    ['a folder in itself', false, [create(1, 'self', id(1), folder), create(2, 'inside', id(1))]],
    ['a file in itself', false, [create(1, 'self', id(1)), { kind: 'move', node: id(1), parent: id(1) }]],
    ['a file in a folder that nobody made', false, [create(1, 'lost', id(99))]],
    ['two folders in each other', false, [create(1, 'x', id(2), folder), create(2, 'y', id(1), folder), create(3, 'in y', id(2))]],
    [
      'a circle of three folders by moves',
      false,
      [
        ...[1, 2, 3].map((n) => create(n, `ring ${n}`, ROOT_NODE, folder)),
        ...[1, 2, 3].map((n): OpBody => ({ kind: 'move', node: id(n), parent: id((n % 3) + 1) })),
      ],
    ],
    ['files in each other', false, [create(1, 'x', id(2)), create(2, 'y', id(1))]],
    [
      'two files in each other that are removed',
      false,
      [
        create(1, 'x', id(2), folder),
        create(2, 'y', id(1), folder),
        ...[1, 2].map((n): OpBody => ({ kind: 'write', node: id(n), content: { kind: 'removed' }, mtimeNs: 1n, bases: [] })),
      ],
    ],
    [
      'the top removed, moved, made and forgotten',
      false,
      [
        { kind: 'write', node: ROOT_NODE, content: { kind: 'removed' }, mtimeNs: 1n, bases: [] },
        { kind: 'move', node: ROOT_NODE, parent: id(1), name: 'top' },
        create(0, 'top'),
        { kind: 'forget', node: ROOT_NODE },
      ],
    ],
    [
      'nodes that nobody made',
      false,
      [
        { kind: 'move', node: id(7), name: 'x' },
        { kind: 'xattr', node: id(7), name: '__proto__', value: null },
      ],
    ],
    [
      'attributes of odd names',
      false,
      [create(1, 'x'), ...['__proto__', 'constructor'].map((name): OpBody => ({ kind: 'xattr', node: id(1), name, value: 'AA' }))],
    ],
    [
      'a device name that is a path',
      false,
      [
        create(1, 'c'),
        ...[1, 2].map((n): OpBody => ({ kind: 'write', node: id(1), content: { kind: 'link', target: `${n}` }, mtimeNs: 1n, bases: [] })),
      ],
      { deviceName: '../../\0/etc' },
    ],
    ['a segment after one that nobody has', false, [create(1, 'later')], { deps: [['a'.repeat(24) as never, 3]] }],
  ] as readonly (readonly [string, boolean, readonly OpBody[], Lie[3]?])[]
).map(([what, isRefused, bodies, how = {}]): Lie => [what, isRefused, bodies, how])

it.each(LIES)(
  '[OL6] %s, signed by a member: nothing leaves the tree, nothing breaks, and what others wrote is there',
  async (_, isRefused, bodies, how) => {
    const [a, liar, honest] = [0, 1, 2].map((n) => new TestDatasetHost(n, 3, systemClock)) as [
      TestDatasetHost,
      TestDatasetHost,
      TestDatasetHost,
    ]
    owned.push(a, liar, honest)
    for (const host of [a, liar, honest]) await host.unlock()
    const { log, bytes, head } = lie('00112233aabbccdd', bodies, how)
    liar.store.transaction(() => liar.store.putSegment({ log, seq: head.seq, bytes }, head))
    // Behind it in every answer: what another device wrote, and what the liar writes honestly.
    honest.open.dataset.createFile(ROOT_NODE, 'of another', { manifest: await honest.open.dataset.writer.write(utf8('text')) })
    honest.open.dataset.flush()
    for (const segment of honest.open.dataset.segmentsAfter(new Map(), 2 ** 20)) liar.open.dataset.takeSegment(segment)
    const refused: string[] = []
    a.open.exchange.onDidRefuse(({ log: which, author }) => refused.push(`${which} ${author}`))
    owned.push(linkHosts(a, liar))
    await until(() => a.open.dataset.lookup(ROOT_NODE, 'of another') !== undefined)
    liar.open.dataset.makeFolder(ROOT_NODE, 'and honestly')
    await until(() => a.open.dataset.lookup(ROOT_NODE, 'and honestly') !== undefined)
    expect(refused).toEqual(isRefused ? [`${log} ${LIAR.device}`] : [])
    expect(a.open.dataset.frontier().has(log)).toBe(!isRefused && how.deps === undefined)
    const { dataset, store } = a.open
    const all = dataset.within(ROOT_NODE)
    for (const { id: node, name } of all) if (node !== ROOT_NODE) expect({ name, isName: isNodeName(name) }).toEqual({ name, isName: true })
    for (const { node } of dataset.removed()) dataset.restore(node.id)
    expect(dataset.within(ROOT_NODE).length).toBeGreaterThanOrEqual(all.length)
    for (const { node } of store.versionedNodes(undefined, 100, 1).map((node) => ({ node })))
      expect(dataset.pathOf(node).length).toBeLessThan(1000)
    dataset.makeFolder(ROOT_NODE, 'goes on')
    expect((await checkDataset(a.open)).problems).toEqual([])
  },
)

it('[OL6] a device that sends ever more logs that cannot be is not noted without end, and what others wrote is there', async () => {
  const [a, liar, honest] = [0, 1, 2].map((n) => new TestDatasetHost(n, 3, systemClock)) as [
    TestDatasetHost,
    TestDatasetHost,
    TestDatasetHost,
  ]
  owned.push(a, liar, honest)
  for (const host of [a, liar, honest]) await host.unlock()
  for (let n = 0; n < 300; n++) {
    const { log, bytes, head } = lie(`00112233aabb${n.toString(16).padStart(4, '0')}`, [create(1, 'a/b')])
    liar.store.transaction(() => liar.store.putSegment({ log, seq: head.seq, bytes }, head))
  }
  honest.open.dataset.makeFolder(ROOT_NODE, 'of another')
  honest.open.dataset.flush()
  for (const segment of honest.open.dataset.segmentsAfter(new Map(), 2 ** 20)) liar.open.dataset.takeSegment(segment)
  const refused: string[] = []
  a.open.exchange.onDidRefuse(({ log }) => refused.push(log))
  owned.push(linkHosts(a, liar))
  await until(() => a.open.dataset.lookup(ROOT_NODE, 'of another') !== undefined)
  expect(refused.length).toBe(256)
  liar.open.dataset.makeFolder(ROOT_NODE, 'and honestly')
  await until(() => a.open.dataset.lookup(ROOT_NODE, 'and honestly') !== undefined)
  expect(refused.length).toBe(256)
})

it('[FT5] two folders that two logs put in each other are the same tree in whatever order they come', () => {
  const one = lie('00112233aabbccdd', [create(1, 'x', id(2), folder), create(3, 'in x', id(1))], { stampUs: 1_700_000_000_000_500 })
  const two = lie('00112233aabbccee', [create(2, 'y', id(1), folder), create(4, 'in y', id(2))], { stampUs: 1_700_000_000_000_300 })
  const trees = [
    [one, two],
    [two, one],
  ].map((order) => {
    const host = new TestDatasetHost(0, 3, systemClock)
    owned.push(host)
    return host.unlock().then(() => {
      const { dataset } = host.open
      for (const { bytes } of order) expect(dataset.takeSegment(bytes)).toBe(true)
      return dataset
        .within(ROOT_NODE)
        .map((node) => dataset.pathOf(node.id))
        .sort()
    })
  })
  return Promise.all(trees).then(([first, second]) => {
    expect(first).toEqual(second)
    expect(first).toEqual(['/', '/x', '/x/in x', '/x/y', '/x/y/in y'])
  })
})
