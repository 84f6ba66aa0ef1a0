import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { DeviceId } from '../base/ids.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'
import { copyIdOf, OpMerger } from './merge-op.ts'
import { winnerOf } from './node-record.ts'
import { type Content, isLater, type Mark, type NodeId, type Op, type OpBody, type OpId, ROOT_NODE } from './op.ts'
import { conflictName, markedName, secondName } from './shown-name.ts'

const crypto = new NodeFilesCrypto()
const NAMES = ['Lamp', 'Desk', 'Car']
const START = 1_700_000_000_000_000
const id = (n: number) => (n + 0x1000).toString(16).padStart(32, '0') as NodeId
const link = (target: string): Content => ({ kind: 'link', target })

/** An op of one of three devices. Clocks of devices agree by chance only: ties are common. */
interface Written extends Op {
  readonly by: number
}

/** Ops with numbers of their own in their device's log. */
class Logs {
  readonly #counts = [0, 0, 0]
  op(by: number, stamp: number, body: OpBody): Written {
    const number = this.#counts[by] as number
    this.#counts[by] = number + 1
    return { id: `${String(by).repeat(24)}.${number}` as OpId, stamp: START + stamp, body, by }
  }
  create(by: number, stamp: number, node: NodeId, name: string, content: Content, parent: NodeId = ROOT_NODE): Written {
    return this.op(by, stamp, { kind: 'create', node, parent, name, mode: 0o600, mtimeNs: 0n, content })
  }
}

function merged(ops: readonly Written[]): MemoryDatasetStore {
  const store = new MemoryDatasetStore()
  const merger = new OpMerger({ store, copyId: copyIdOf(crypto) })
  for (const { by, ...op } of ops) {
    const author = { device: `device ${by}` as DeviceId, deviceName: NAMES[by] as string }
    merger.apply(op, author, { nodes: new Set(), folders: new Set() })
  }
  return store
}
const markOf = ({ stamp, id: op }: Op): Mark => ({ stamp, op })
const last = (ops: readonly Written[]): Written | undefined =>
  ops.reduce<Written | undefined>((best, op) => (best && isLater(markOf(best), markOf(op)) ? best : op), undefined)
const by = fc.integer({ min: 0, max: 2 })
const stamp = fc.integer({ min: 10, max: 16 })
/** In any order. */
const shuffled = <T>(list: readonly T[]) => fc.shuffledSubarray([...list], { minLength: list.length })

it('[FT2] of each name, place, mode, time and attribute the one that was set last wins, by itself, in whatever order the ops come', () => {
  const field = fc.constantFrom('name', 'parent', 'mode', 'mtime', 'xattr')
  const changes = fc.array(fc.record({ field, value: fc.integer({ min: 0, max: 9 }), by, stamp }), { maxLength: 14 })
  const run = changes.chain((all) => {
    const logs = new Logs()
    const folders = Array.from({ length: 10 }, (_, n) => logs.create(0, n, id(100 + n), `folder ${n}`, { kind: 'folder' }))
    const made = logs.create(0, 10, id(0), 'first', link('x'))
    const bodies: Record<string, (value: number) => OpBody> = {
      name: (value) => ({ kind: 'move', node: id(0), name: `name ${value}` }),
      parent: (value) => ({ kind: 'move', node: id(0), parent: id(100 + value) }),
      mode: (value) => ({ kind: 'attributes', node: id(0), mode: 0o700 + value }),
      mtime: (value) => ({ kind: 'attributes', node: id(0), mtimeNs: BigInt(value) }),
      xattr: (value) => ({ kind: 'xattr', node: id(0), name: 'user.a', value: value === 0 ? null : `v${value}` }),
    }
    const ops = all.map((change) => ({
      ...change,
      op: logs.op(change.by, change.stamp + 10, bodies[change.field]?.(change.value) as OpBody),
    }))
    return fc.record({ first: fc.constant([...folders, made]), ops: fc.constant(ops), order: shuffled(ops) })
  })
  fc.assert(
    fc.property(run, ({ first, ops, order }) => {
      const record = merged([...first, ...order.map(({ op }) => op)]).node(id(0))
      const winner = (of: string) => {
        const op = last(ops.filter(({ field: one }) => one === of).map(({ op: one }) => one))
        return ops.find((one) => one.op === op)?.value
      }
      const [name, parent, mode, mtime, xattr] = ['name', 'parent', 'mode', 'mtime', 'xattr'].map(winner)
      expect(record).toMatchObject({
        name: name === undefined ? 'first' : `name ${name}`,
        parent: parent === undefined ? ROOT_NODE : id(100 + parent),
        mode: mode === undefined ? 0o600 : 0o700 + mode,
        mtimeNs: BigInt(mtime ?? 0),
      })
      expect(record?.xattrs['user.a']?.value).toBe(xattr === undefined ? undefined : xattr === 0 ? null : `v${xattr}`)
    }),
  )
})

it('[FT3] of contents written at once the latest is shown, and each other lies beside it under its own date and device', () => {
  const run = fc.array(fc.record({ by, stamp }), { minLength: 1, maxLength: 5 }).chain((all) => {
    const logs = new Logs()
    const made = logs.create(0, 0, id(0), 'plan.txt', link('base'))
    // What a device wrote itself it had seen: of each device all but its first replace the one before.
    const before = new Map<number, OpId>()
    const writes = [...all]
      .sort((a, b) => a.stamp - b.stamp)
      .map((one, n) => {
        const bases = [before.get(one.by) ?? made.id]
        const op = logs.op(one.by, one.stamp * 60_000_000 + n, {
          kind: 'write',
          node: id(0),
          content: link(`text ${n}`),
          mtimeNs: 0n,
          bases,
        })
        before.set(one.by, op.id)
        return op
      })
    return fc.record({ made: fc.constant(made), writes: fc.constant(writes), order: shuffled(writes) })
  })
  fc.assert(
    fc.property(run, ({ made, writes, order }) => {
      // Each after what it had seen.
      const ordered = [...order].sort((a, b) => (a.by === b.by ? a.stamp - b.stamp : 0))
      const inTurn = NAMES.flatMap((_, n) => ordered.filter((op) => op.by === n).sort((a, b) => a.stamp - b.stamp))
      const next = new Map<number, Written[]>(NAMES.map((_, n) => [n, inTurn.filter((op) => op.by === n)]))
      const store = merged([made, ...order.map((op) => next.get(op.by)?.shift() as Written)])
      const heads = NAMES.flatMap((_, n) => last(writes.filter((op) => op.by === n)) ?? [])
      const shown = last(heads) as Written
      const found = new Map(store.children(ROOT_NODE).map((entry) => [entry.shown, winnerOf(entry.record).content]))
      const wanted = new Map(
        heads.map((op) => {
          const name = op === shown ? 'plan.txt' : conflictName('plan.txt', op.stamp, NAMES[op.by] as string)
          return [name, 'content' in op.body ? op.body.content : undefined]
        }),
      )
      expect(found).toEqual(wanted)
    }),
  )
})

it('[FT4] what somebody writes in a folder, however deep, beats that others removed it and all above it at the same time, whichever came last; what nobody wrote in is gone', () => {
  const run = fc
    .record({
      depth: fc.integer({ min: 1, max: 6 }),
      isNew: fc.boolean(),
      removedAt: stamp,
      writtenAt: stamp,
      removers: fc.integer({ min: 1, max: 2 }),
    })
    .chain(({ depth, isNew, removedAt, writtenAt, removers }) => {
      const logs = new Logs()
      const chain = Array.from({ length: depth }, (_, n) =>
        logs.create(0, n, id(n), `deep ${n}`, { kind: 'folder' }, n === 0 ? ROOT_NODE : id(n - 1)),
      )
      const file = logs.create(0, 8, id(50), 'file', link('old'), id(depth - 1))
      const beside = logs.create(0, 9, id(51), 'beside', link('x'), id(depth - 1))
      const first = [...chain, file, beside]
      const removals = Array.from({ length: removers }, (_, who) =>
        [beside, file, ...[...chain].reverse()].map(({ id: base, body }) =>
          logs.op(who, removedAt, { kind: 'write', node: body.node, content: { kind: 'removed' }, mtimeNs: 0n, bases: [base] }),
        ),
      ).flat()
      const edit = isNew
        ? logs.create(2, writtenAt, id(60), 'new', link('new'), id(depth - 1))
        : logs.op(2, writtenAt, { kind: 'write', node: id(50), content: link('new'), mtimeNs: 0n, bases: [file.id] })
      return fc.record({
        depth: fc.constant(depth),
        isNew: fc.constant(isNew),
        first: fc.constant(first),
        order: shuffled([...removals, edit]),
      })
    })
  fc.assert(
    fc.property(run, ({ depth, isNew, first, order }) => {
      const store = merged([...first, ...order])
      const path: string[] = []
      let at: NodeId = ROOT_NODE
      for (let n = 0; n <= depth; n++) {
        const children = store.children(at)
        expect(children.length).toBe(1)
        path.push(children[0]?.shown as string)
        at = children[0]?.record.id as NodeId
      }
      expect(path).toEqual([...Array.from({ length: depth }, (_, n) => `deep ${n}`), isNew ? 'new' : 'file'])
      expect(winnerOf(store.node(at) as never).content).toEqual(link('new'))
      expect(store.shownName(id(51))).toBeUndefined()
    }),
  )
})

it('[FT5] moves of folders never close a circle, and of those that would exactly the later ones are undone, in whatever order they come', () => {
  const move = fc.record({ node: fc.integer({ min: 0, max: 4 }), to: fc.integer({ min: 0, max: 5 }), by, stamp })
  const run = fc.array(move, { maxLength: 12 }).chain((moves) => {
    const logs = new Logs()
    const made = Array.from({ length: 5 }, (_, n) => logs.create(0, n, id(n), `folder ${n}`, { kind: 'folder' }))
    const ops = moves
      .filter(({ node, to }) => node !== to)
      .map(({ node, to, by: who, stamp: when }) =>
        logs.op(who, when, { kind: 'move', node: id(node), parent: to === 5 ? ROOT_NODE : id(to) }),
      )
    return fc.record({ made: fc.constant(made), ops: fc.constant(ops), order: shuffled(ops) })
  })
  fc.assert(
    fc.property(run, ({ made, ops, order }) => {
      const store = merged([...made, ...order])
      const parents = new Map<NodeId, NodeId>(made.map(({ body }) => [body.node, ROOT_NODE]))
      const isWithin = (node: NodeId, folder: NodeId): boolean =>
        node === folder || (node !== ROOT_NODE && isWithin(parents.get(node) as NodeId, folder))
      for (const { body } of [...ops].sort((a, b) => (isLater(markOf(a), markOf(b)) ? 1 : -1))) {
        if (body.kind === 'move' && body.parent !== undefined && !isWithin(body.parent, body.node)) parents.set(body.node, body.parent)
      }
      expect(new Map(made.map(({ body: { node } }) => [node, store.node(node)?.parent]))).toEqual(parents)
      const reached = new Set<NodeId>()
      const visit = (folder: NodeId) => {
        for (const { record } of store.children(folder)) {
          reached.add(record.id)
          visit(record.id)
        }
      }
      visit(ROOT_NODE)
      expect(reached.size).toBe(5)
    }),
  )
})

it('[FT7] of nodes with one name the first has it, and each other carries letters of its own id, in whatever order they come', () => {
  const run = fc.array(fc.record({ by, stamp }), { minLength: 1, maxLength: 6 }).chain((all) => {
    const logs = new Logs()
    const idOf = (n: number) => (n + 0x1000).toString(16).padEnd(32, '0') as NodeId
    const ops = all.map((one, n) => logs.create(one.by, one.stamp, idOf(n), 'report.txt', link(`${n}`)))
    return fc.record({ ops: fc.constant(ops), order: shuffled(ops) })
  })
  fc.assert(
    fc.property(run, ({ ops, order }) => {
      const store = merged(order)
      const [first] = [...ops].sort((a, b) => (isLater(markOf(a), markOf(b)) ? 1 : -1))
      for (const op of ops) {
        const { node } = op.body
        const name = op === first ? 'report.txt' : secondName('report.txt', node)
        expect(name === 'report.txt' || name === markedName('report.txt', node.slice(0, 8))).toBe(true)
        expect(store.shownName(node)).toBe(name)
      }
    }),
  )
})

it('[FT7] whatever names nodes take and give up, also those that others carry as second ones, no two in a folder are shown alike, and all devices show the same', () => {
  const count = 6
  // Ids of which some share their first letters, as a device that makes trouble may choose them.
  const ids = Array.from({ length: count }, (_, n) => ((n % 3).toString(16).repeat(8) + (n + 1).toString(16).padStart(24, '0')) as NodeId)
  const seconds = ids.slice(0, 3).flatMap((node) => [secondName('a.txt', node), markedName('a.txt', node)])
  const names = ['a.txt', ...seconds, ...seconds.slice(0, 2).map((name, n) => secondName(name, ids[n + 1] as NodeId))]
  const step = fc.record({ of: fc.nat(count - 1), what: fc.constantFrom(...names, 'remove', 'bring back'), by, stamp })
  const run = fc.array(step, { maxLength: 16 }).chain((all) => {
    const logs = new Logs()
    const made = ids.map((node, n) => logs.create(0, n, node, n % 2 ? 'a.txt' : (names[n] as string), link(`${n}`)))
    const ops = all.map(({ of, what, by, stamp }) => {
      const node = ids[of] as NodeId
      if (what !== 'remove' && what !== 'bring back') return logs.op(by, stamp, { kind: 'move', node, name: what })
      const content: Content = what === 'remove' ? { kind: 'removed' } : link('back')
      return logs.op(by, stamp, { kind: 'write', node, content, mtimeNs: 0n, bases: [] })
    })
    return fc.record({ made: fc.constant(made), ops: fc.constant(ops), order: shuffled(ops) })
  })
  fc.assert(
    fc.property(run, ({ made, ops, order }) => {
      const shownBy = (store: MemoryDatasetStore) => store.children(ROOT_NODE).map(({ record, shown }) => [shown, record.id] as const)
      const shown = shownBy(merged([...made, ...order]))
      expect(new Set(shown.map(([name]) => name)).size).toBe(shown.length)
      expect(new Map(shownBy(merged([...made, ...ops])))).toEqual(new Map(shown))
    }),
    { numRuns: 400 },
  )
})
