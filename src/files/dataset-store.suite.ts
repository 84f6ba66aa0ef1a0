import { afterEach, describe, expect, it } from 'vitest'
import type { DeviceId } from '../base/ids.ts'
import { EMPTY_MANIFEST } from './manifest.ts'
import type { DatasetStore, LogHead, NodePlace } from './dataset-store.ts'
import type { NodeRecord } from './node-record.ts'
import { type LogId, type NodeId, type OpId, ROOT_NODE } from './op.ts'
import { pagedVersions } from './paged-versions.ts'

export interface DatasetStoreUnderTest {
  readonly store: DatasetStore
  reopen?(): DatasetStore
  dispose(): void
}

const idOf = (n: number) => n.toString(16).padStart(32, '0') as NodeId
const opOf = (n: number) => `${'a'.repeat(24)}.${n}` as OpId
const at = (n: number) => ({ stamp: 1.7e15 + n, op: opOf(n) })
const head = (n: number) => ({
  ...at(n),
  device: 'dev' as DeviceId,
  deviceName: 'Lamp',
  content: { kind: 'file' as const, manifest: EMPTY_MANIFEST },
  mtimeNs: 12345678901234567890n,
})
const record = (n: number, name: string, parent = ROOT_NODE): NodeRecord => ({
  id: idOf(n),
  kind: 'file',
  created: at(n),
  parent,
  parentAt: at(n),
  name,
  nameAt: at(n),
  mode: 0o640,
  modeAt: at(n),
  mtimeNs: 1_700_000_000_123_456_789n,
  mtimeAt: at(n),
  xattrs: { 'user.x': { value: 'YQ==', at: at(n) } },
  heads: [head(n)],
  copies: [],
})

/** Rules DS1-DS5, for every implementation. */
export function describeDatasetStore(name: string, make: () => DatasetStoreUnderTest): void {
  describe(`dataset store: ${name}`, () => {
    const open: DatasetStoreUnderTest[] = []
    const start = () => {
      const made = make()
      open.push(made)
      return made
    }
    afterEach(() => {
      for (const made of open.splice(0)) made.dispose()
    })

    it('[DS1] finds nodes by id, by shown name and by folder; a removed one only by id', () => {
      const { store } = start()
      store.transaction(() => {
        store.putNode(record(1, 'a'), 'a')
        store.putNode(record(2, 'a'), 'a (2)')
        store.putNode(record(3, 'c', idOf(9)), 'c')
        store.putNode(record(4, 'd'), undefined)
      })
      expect(store.node(idOf(1))).toEqual(record(1, 'a'))
      expect([store.shownNode(ROOT_NODE, 'a (2)'), store.shownNode(ROOT_NODE, 'c'), store.shownNode(ROOT_NODE, 'd')]).toEqual([
        idOf(2),
        undefined,
        undefined,
      ])
      expect(store.namesakes(ROOT_NODE, 'a').sort()).toEqual([idOf(1), idOf(2)])
      expect(
        store
          .children(ROOT_NODE)
          .map(({ shown }) => shown)
          .sort(),
      ).toEqual(['a', 'a (2)'])
      expect([store.hasChildren(idOf(9)), store.hasChildren(idOf(1)), store.shownName(idOf(4)), store.nodeCount()]).toEqual([
        true,
        false,
        undefined,
        4,
      ])
      expect(store.removedNodes().map(({ id }) => id)).toEqual([idOf(4)])
      store.putNode(record(3, 'moved'), 'moved')
      store.deleteNode(idOf(1))
      expect([store.hasChildren(idOf(9)), store.node(idOf(1)), store.shownNode(ROOT_NODE, 'moved')]).toEqual([false, undefined, idOf(3)])
    })

    it('[DS2] moves come back in the order of their marks', () => {
      const { store } = start()
      const move = (n: number) => ({
        ...at(n),
        node: idOf(n),
        parent: ROOT_NODE,
        before: n === 2 ? undefined : { parent: idOf(7), at: at(0) },
      })
      for (const n of [3, 1, 2, 4]) store.putMove(move(n))
      store.deleteMove(opOf(4))
      expect(store.movesAfter(at(1))).toEqual([move(2), move(3)])
    })

    it('[DS3] versions of a node, the newest first', () => {
      const { store } = start()
      for (const n of [2, 1, 3]) store.putVersion(idOf(5), head(n))
      store.putVersion(idOf(6), head(9))
      store.deleteVersion(idOf(5), opOf(2))
      expect(store.versions(idOf(5))).toEqual([head(3), head(1)])
      expect([...pagedVersions(store)].length).toBe(3)
      store.putVersion(idOf(7), head(4))
      expect(store.versionedNodes(undefined, 10, 1)).toEqual([5, 6, 7].map(idOf))
      expect([store.versionedNodes(idOf(5), 1, 1), store.versionedNodes(idOf(7), 5, 1)]).toEqual([[idOf(6)], []])
      expect(store.versionedNodes(undefined, 10, 2)).toContain(idOf(5))
    })

    it('[DS4] segments, heads and the tail of the own log survive a restart', () => {
      const made = start()
      const log = 'b'.repeat(24) as LogId
      const ops = [1, 2, 3].map((n) => ({ id: opOf(n), stamp: at(n).stamp, body: { kind: 'move' as const, node: idOf(n), name: 'x' } }))
      made.store.transaction(() => {
        for (const op of ops) made.store.putTail(op)
        made.store.cutTail(1)
        made.store.putSegment({ log, seq: 1, bytes: Uint8Array.of(1, 2) }, { log, device: 'd', seq: 1, hash: 'h', ops: 4, stamp: 5 })
      })
      const store = made.reopen?.() ?? made.store
      expect(store.tail()).toEqual(ops.slice(1))
      expect([store.segment(log, 1), store.segment(log, 2)]).toEqual([Uint8Array.of(1, 2), undefined])
      const head: LogHead = { log, device: 'd', seq: 1, hash: 'h', ops: 4, stamp: 5 }
      expect([store.heads(), store.head(log), store.head('c'.repeat(24) as LogId)]).toEqual([[head], head, undefined])
      expect(store.segmentOrder()).toEqual([[log, 1]])
      store.transaction(() => store.putHead({ ...head, coveredBy: ['c'.repeat(24) as LogId, 7] }))
      const again = made.reopen?.() ?? store
      expect([again.head(log)?.coveredBy, again.segment(log, 1)]).toEqual([['c'.repeat(24), 7], Uint8Array.of(1, 2)])
    })

    it('[DS10] nodes come in the order of their folders, a page at a time; what is loaded leaves alone what is here; older segments go first', () => {
      const made = start()
      const { store } = made
      store.putNode(record(5, 'own name'), 'own name')
      store.putNode(record(6, 'gone'), undefined)
      const mark = { space: 'loaded', key: 'k', value: Uint8Array.of(7) }
      const nodes = [5, 7, 8].map((n) => ({ record: record(n, `loaded ${n}`, n === 8 ? idOf(7) : ROOT_NODE), shown: `loaded ${n}` }))
      expect(store.loadNodes({ nodes, versions: [{ node: idOf(7), version: head(7) }], mark })).toBe(2)
      const places: string[] = []
      for (let after: NodePlace | undefined; ; ) {
        const page = store.nodesFrom(after, 2)
        const last = page.at(-1)
        if (!last) break
        places.push(...page.map(({ record: { name }, shown }) => `${name}${shown === undefined ? ' (removed)' : ''}`))
        after = { parent: last.record.parent, isShown: last.shown !== undefined, id: last.record.id }
      }
      expect(places).toEqual(['gone (removed)', 'own name', 'loaded 7', 'loaded 8'])
      expect([store.nodeCount(), store.versions(idOf(7)), store.value('loaded', 'k')]).toEqual([4, [head(7)], Uint8Array.of(7)])
      const log = 'b'.repeat(24) as LogId
      const of = { log, device: 'd', start: '0'.repeat(16), hash: 'h', ops: 4, stamp: 5 }
      store.putHead({ ...of, seq: 2 })
      store.putSegment({ log, seq: 3, bytes: Uint8Array.of(3) }, { ...of, seq: 3 })
      for (const seq of [2, 1, 2]) store.putSegmentBefore({ log, seq, bytes: Uint8Array.of(seq) })
      const again = made.reopen?.() ?? store
      expect(again.segmentOrder().map(([, seq]) => seq)).toEqual([1, 2, 3])
      expect([again.heads(), again.segment(log, 1), again.nodeCount()]).toEqual([[{ ...of, seq: 3 }], Uint8Array.of(1), 4])
      const other = 'c'.repeat(24) as LogId
      again.putSegment({ log: other, seq: 1, bytes: Uint8Array.of(4) }, { ...of, log: other, seq: 1 })
      again.putSegment({ log, seq: 4, bytes: Uint8Array.of(5) }, { ...of, seq: 4 })
      const some = (log: LogId, above: number, upTo: number, limit: number, isLastFirst = false) =>
        again.segmentsOf(log, { above, upTo, limit, isLastFirst }).map(({ seq }) => seq)
      expect([some(log, 0, 9, 9), some(log, 1, 3, 9), some(log, 0, 9, 2), some(log, 4, 9, 9)]).toEqual([[1, 2, 3, 4], [2, 3], [1, 2], []])
      expect([some(log, 0, 9, 9, true), some(log, 0, 3, 2, true), some(log, 2, 9, 1, true)]).toEqual([[4, 3, 2, 1], [3, 2], [4]])
      const placed = [log, other].flatMap((it) => again.segmentsOf(it, { above: 0, upTo: 9, limit: 9 }).map((one) => ({ ...one, log: it })))
      expect(placed.sort((a, b) => a.place - b.place).map(({ log, seq }) => [log, seq])).toEqual(again.segmentOrder())
    })

    it('[DS5] small values by space and key', () => {
      const { store } = start()
      store.putValue('s', 'k', Uint8Array.of(1))
      store.putValue('s', 'l', Uint8Array.of(2))
      store.putValue('t', 'k', Uint8Array.of(3))
      store.putValue('s', 'k', undefined)
      expect([store.value('s', 'k'), store.value('s', 'l'), store.values('t')]).toEqual([
        undefined,
        Uint8Array.of(2),
        [['k', Uint8Array.of(3)]],
      ])
    })

    it('[DS11] starts over in one step: the tree and all logs are forgotten, values stay or are put; not while something is under way', async () => {
      const { store, reopen } = start()
      const log = 'b'.repeat(24) as LogId
      const logHead = { log, device: 'dev', start: '00'.repeat(8), seq: 1, hash: 'cd'.repeat(32), ops: 1, stamp: 5 }
      store.transaction(() => {
        store.putNode(record(1, 'a'), 'a')
        store.putVersion(idOf(1), head(1))
        store.putMove({ ...at(2), node: idOf(1), parent: ROOT_NODE, before: undefined })
        store.putSegment({ log, seq: 1, bytes: Uint8Array.of(1) }, logHead)
        store.putValue('stays', 'k', Uint8Array.of(1))
        store.putValue('goes', 'k', Uint8Array.of(2))
        store.putTail({ id: opOf(7), stamp: 7, body: { kind: 'move', node: idOf(1), name: 'b' } })
      })
      const values = [
        { space: 'goes', key: 'k', value: undefined },
        { space: 'comes', key: 'k', value: Uint8Array.of(3) },
      ]
      await store.settle()
      expect([store.startOver(values), store.nodeCount(), store.tail().length]).toEqual([false, 1, 1])
      store.transaction(() => store.cutTail(1))
      await store.settle()
      expect(store.startOver(values)).toBe(true)
      const expectNothing = (one: DatasetStore) => {
        expect([one.nodeCount(), one.node(idOf(1)), one.children(ROOT_NODE), one.versions(idOf(1))]).toEqual([0, undefined, [], []])
        expect([one.heads(), one.segmentOrder(), one.segment(log, 1), one.movesAfter({ stamp: 0, op: opOf(0) })]).toEqual([
          [],
          [],
          undefined,
          [],
        ])
        expect(['stays', 'goes', 'comes'].map((space) => one.value(space, 'k')?.[0])).toEqual([1, undefined, 3])
      }
      expectNothing(store)
      const again = reopen?.() ?? store // killed in that moment
      expectNothing(again)
      again.transaction(() => again.putNode(record(2, 'b'), 'b'))
      expect([again.nodeCount(), again.shownNode(ROOT_NODE, 'b')]).toEqual([1, idOf(2)])
    })
  })
}
