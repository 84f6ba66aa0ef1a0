import { expect, it } from 'vitest'
import { base64Of } from '../base/base64.ts'
import { utf8 } from '../base/bytes.ts'
import { checkpointDevice } from '../testkit/checkpoint-device.ts'
import { bringSegments, testFileDevice, testSegmentSigner } from '../testkit/file-device.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { checkDataset } from './check-dataset.ts'
import { DatasetPolicy } from './dataset-policy.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import { OpMerger } from './merge-op.ts'
import { type LogId, type NodeId, type OpBody, type OpId, ROOT_NODE } from './op.ts'
import { POLICY_NODE, policyBodies, policyIn } from './replica-policy.ts'

const clock = () => new ManualClock(1_700_000_000_000)
const device = (n: number) => testSegmentSigner(n).device

function following({ dataset, store }: ReturnType<typeof testFileDevice>): DatasetPolicy {
  const policy = new DatasetPolicy(store)
  policy.follow(dataset)
  return policy
}

it('[RP6] the policy that was set last is in force on all devices, whatever came first; nothing in the tree shows it', async () => {
  const time = clock()
  const [a, b, c] = [testFileDevice(0, time), testFileDevice(1, time), testFileDevice(2, time)]
  const policies = [a, b, c].map(following)
  for (const { current } of policies) expect(current).toEqual({ copies: 1, on: [], generation: 0, departures: 0 })
  const told: unknown[] = []
  policies[2]?.onDidChange((policy) => told.push(policy))
  policies[0]?.set({ copies: 3, on: [] })
  time.advance(10)
  policies[1]?.set({ copies: 2, on: [device(2)] }) // at once: neither has heard of the other
  bringSegments(b.dataset, c.dataset)
  bringSegments(a.dataset, c.dataset)
  bringSegments(a.dataset, b.dataset)
  bringSegments(b.dataset, a.dataset)
  for (const { current } of policies) expect(current).toMatchObject({ copies: 2, on: [device(2)] })
  expect(new Set(policies.map(({ current }) => current.generation)).size).toBe(1)
  expect(told.length).toBe(1)
  for (const { dataset, store } of [a, b, c]) {
    expect(dataset.within(ROOT_NODE).map(({ id }) => id)).toEqual([ROOT_NODE])
    expect(dataset.removed()).toEqual([])
    expect(() => dataset.at('/policy')).toThrow(expect.objectContaining({ code: 'file/not-found' }))
    // What a program may set on the top of the mount is not it.
    expect(() => dataset.setXattr(ROOT_NODE, 'policy', 'x')).toThrow(expect.objectContaining({ code: 'file/not-found' }))
    const parts = { dataset, store, chunks: a.chunks, book: { mustKeep: () => false }, dropped: { batches: [] as never } }
    expect((await checkDataset(parts)).problems).toEqual([])
  }
})

it('[RP6] who brings it into sight, makes the folder it is in or writes another kind of it is ignored; what cannot be read asks for the most', () => {
  const store = new MemoryDatasetStore()
  const merger = new OpMerger({ store, copyId: () => 'c'.repeat(32) as NodeId })
  const log = 'a'.repeat(24) as LogId
  let n = 0
  const apply = (body: OpBody) =>
    merger.apply(
      { id: `${log}.${n}` as OpId, stamp: ++n, body },
      { device: device(0), deviceName: '' },
      { nodes: new Set(), folders: new Set() },
    )
  const [create, set] = policyBodies(undefined, { copies: 4, on: [] }, 0n) as [OpBody & { kind: 'create' }, OpBody & { kind: 'xattr' }]
  const folder = { kind: 'folder' } as const
  apply({ ...create, parent: ROOT_NODE })
  apply({ ...create, content: folder })
  apply({ ...create, node: create.parent, parent: ROOT_NODE, content: folder })
  expect([store.node(POLICY_NODE), store.node(create.parent), store.children(ROOT_NODE)]).toEqual([undefined, undefined, []])
  apply(create)
  apply(set)
  apply({ kind: 'move', node: POLICY_NODE, parent: ROOT_NODE, name: 'policy' })
  apply({ kind: 'write', node: POLICY_NODE, content: { kind: 'removed' }, mtimeNs: 0n, bases: [] })
  expect([store.children(ROOT_NODE), policyIn(store.node(POLICY_NODE))]).toEqual([[], { copies: 4, on: [], generation: 5 }])
  for (const value of ['{"copies":99}', '{"copies":2,"on":[7]}', 'not json', '\u0000']) {
    apply({ ...set, value: base64Of(utf8(value)) })
    expect(policyIn(store.node(POLICY_NODE))).toEqual({ copies: 8, on: [], generation: n })
  }
  apply({ ...set, value: base64Of(utf8('{"copies":2,"more":true}')) })
  expect(policyIn(store.node(POLICY_NODE))).toEqual({ copies: 2, on: [], generation: n })
})

it('[RP6] it is among what a checkpoint says; what was seen of it stays in force while the tree is fetched anew', async () => {
  const time = clock()
  const a = checkpointDevice(0, time)
  const b = checkpointDevice(1, time, { source: { fetch: (id) => a.chunks.get(id) } })
  following(a).set({ copies: 3, on: [device(1)] })
  a.dataset.createFile(ROOT_NODE, 'x')
  expect(await a.maker.make()).toBeTruthy()
  const seen = following(b)
  expect(await b.loader.offer(a.maker.last as Uint8Array)).toBe(true)
  for (let n = 0; b.loader.isLoading && n < 1000; n++) {
    time.advance(1)
    await new Promise((resolve) => setImmediate(resolve))
  }
  seen.review()
  const { generation } = policyIn(a.store.node(POLICY_NODE))
  expect(seen.current).toEqual({ copies: 3, on: [device(1)], generation, departures: 0 })
  seen.noteDepartures(2)
  seen.noteDepartures(1)
  const bare = new MemoryDatasetStore()
  for (const [key, value] of b.store.values('policy')) bare.putValue('policy', key, value)
  const after = new DatasetPolicy(bare)
  after.review()
  expect(after.current).toEqual({ copies: 3, on: [device(1)], generation, departures: 2 })
  for (const { dispose } of [a, b]) dispose()
})
