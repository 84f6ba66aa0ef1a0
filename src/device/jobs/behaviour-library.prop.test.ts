import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { type Behaviour, countIn, keyText, type Outcome, type Tally } from '../../jobs/behaviour.ts'
import { BehaviourLibrary, type LibraryFaults, MAX_BEHAVIOURS } from '../../jobs/behaviour-library.ts'
import { KeyedArray } from '../../session/keyed-array.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'

const DEVICES = ['attic', 'laptop', 'server']
/** As large as moments are. */
const NOW_MS = 1_800_000_000_000
const NOTHING = { ports: [], terminal: false, input: false, screen: false }

const isOurs = (device: string) => device !== 'stranger'

function open(name: string, faults: LibraryFaults = {}, isMember = isOurs) {
  const doc = new Y.Doc()
  doc.clientID = DEVICES.indexOf(name) + 1
  const records = new KeyedArray(doc, 'behaviours')
  const library = new BehaviourLibrary(
    {
      get: (record) => records.get(record),
      keys: () => records.keys(),
      write: (set: readonly (readonly [string, Tally])[], remove) => doc.transact(() => records.write(set, remove)),
      onDidChange: records.onDidChange,
    },
    name,
    { isMember: (device) => isMember(device), nowMs: () => NOW_MS },
    faults,
  )
  return { name, doc, records, library }
}
const bring = (from: Y.Doc, to: Y.Doc) => Y.applyUpdate(to, Y.encodeStateAsUpdate(from, Y.encodeStateVector(to)))

function outcome(random: SeededRandom, atMs: number): Outcome {
  const ended = random.pick(['well', 'badly', undefined] as const)
  return {
    key: { name: 'cc', id: random.chance(0.5) ? `sha256:${'1'.repeat(64)}` : undefined, shape: `cc ${random.below(4)}` },
    seen: { ...NOTHING, ports: random.chance(0.3) ? [80 + random.below(3)] : [], input: random.chance(0.2) },
    folder: random.pick(['a', 'b', 'c', 'd', 'e', 'f']),
    atMs,
    tookMs: ended === 'well' ? random.below(10_000) : undefined,
    ended,
    files: random.chance(0.5) ? random.below(9) : undefined,
    cpuMs: undefined,
  }
}

/** Three devices learn, write and meet in any order; at the end all have met. Undefined: all of them know the same, and all of it. */
function life(seed: number, faults: LibraryFaults = {}): string | undefined {
  const random = new SeededRandom(seed)
  const devices = DEVICES.map((name) => open(name, faults))
  const runs: Outcome[] = []
  for (let step = 0; step < 40; step++) {
    const device = random.pick(devices)
    const does = random.below(4)
    if (does <= 1) {
      const run = outcome(random, NOW_MS + random.below(1_000))
      runs.push(run)
      device.library.learn(run)
    } else if (does === 2) device.library.flush()
    else bring(random.pick(devices).doc, device.doc)
  }
  for (const { library } of devices) library.flush()
  for (const from of devices) for (const to of devices) bring(from.doc, to.doc)
  for (const from of devices) for (const to of devices) bring(from.doc, to.doc)
  const [first, ...others] = devices.map(({ library }) => JSON.stringify(library.all))
  if (others.some((one) => one !== first)) return 'they do not know the same'
  const known = devices[0]?.library.all ?? []
  for (const key of new Set(runs.map((run) => keyText(run.key)))) {
    const mine = runs.filter((run) => keyText(run.key) === key)
    const counted = (of: (run: Outcome) => boolean) => mine.filter(of).length
    const found = known.find((one) => one.key === key) as Behaviour
    const expected = {
      times: mine.length,
      well: counted((run) => run.ended === 'well'),
      badly: counted((run) => run.ended === 'badly'),
      listened: counted((run) => (run.seen?.ports.length ?? 0) > 0),
      input: counted((run) => run.seen?.input === true),
      atMs: Math.max(...mine.map((run) => run.atMs)),
    }
    const { times, well, badly, listened, input, atMs } = found
    if (JSON.stringify({ times, well, badly, listened, input, atMs }) !== JSON.stringify(expected)) return 'a run was lost or counted twice'
  }
  // What a device reads from the document anew is what it knew.
  for (const { name, doc, library } of devices) {
    const again = open(name, faults)
    bring(doc, again.doc)
    if (JSON.stringify(again.library.all) !== JSON.stringify(library.all)) return 'read anew it is something else'
  }
  return undefined
}

it('[JB107] whatever order devices learn, write and meet in, all of them know the same, and no run is lost or counted twice', () => {
  const seed = seedOfRun()
  for (let round = 0; round < roundsOfRun(60, 3_000); round++) {
    expect({ seed: seed + round, problem: life(seed + round) }).toEqual({ seed: seed + round, problem: undefined })
  }
})

it('[JB107] the property finds devices that count in one record (planted)', () => {
  const problems = Array.from({ length: 20 }, (_, seed) => life(seed, { oneRecord: true }))
  expect(problems).toContain('a run was lost or counted twice')
})

it('[JB107] a thousand are kept, the ones seen last; what is forgotten is forgotten on all', () => {
  const [laptop, server] = [open('laptop'), open('server')]
  const run = (n: number): Outcome => ({
    key: { name: 'tool', id: undefined, shape: `tool ${n}` },
    seen: NOTHING,
    folder: '',
    atMs: n,
    tookMs: n,
    ended: 'well',
    files: undefined,
    cpuMs: undefined,
  })
  for (let n = 0; n < MAX_BEHAVIOURS + 20; n++) laptop.library.learn(run(n))
  laptop.library.flush()
  bring(laptop.doc, server.doc)
  for (const { library } of [laptop, server]) {
    expect(library.all.length).toBe(MAX_BEHAVIOURS)
    expect(library.find(run(19).key)).toBeUndefined()
    expect(library.find(run(20).key)).toBeDefined()
  }
  expect(server.library.forget(keyText(run(500).key))).toBe(true)
  expect(server.library.forget(keyText(run(500).key))).toBe(false)
  bring(server.doc, laptop.doc)
  expect(laptop.library.find(run(500).key)).toBeUndefined()
  laptop.library.learn(run(500))
  expect(laptop.library.find(run(500).key)?.behaviour.times).toBe(1)
})

it('[JB107] records that are not ours, or say they are of another command, are left out', () => {
  const { doc, library } = open('laptop')
  const records = new KeyedArray(doc, 'behaviours')
  const good = open('server')
  good.library.learn(outcome(new SeededRandom(1), 5))
  good.library.flush()
  const [known] = good.library.all
  bring(good.doc, doc)
  const theirs = records.get(`${known?.key}/server`)
  doc.transact(() => {
    records.set(`${'0'.repeat(20)}/server`, theirs as never)
    records.set(`${known?.key}/attic`, { format: 2 })
    records.set('no key', 'x')
    records.set(`${known?.key}/`, theirs as never)
  })
  expect(library.all).toEqual(good.library.all)
})

it('[JB101] a program of the same bytes comes before another version of it, and is told from it', () => {
  const { library } = open('laptop')
  const run = (id: string | undefined, tookMs: number, atMs: number): Outcome => ({
    ...outcome(new SeededRandom(1), atMs),
    key: { name: 'cc', id: id as never, shape: 'cc x' },
    tookMs,
    ended: 'well',
  })
  const [old, now] = [`sha256:${'1'.repeat(64)}`, `sha256:${'2'.repeat(64)}`]
  library.learn(run(old, 1_000, 1))
  library.learn(run(now, 2_000, 2))
  const find = (id: string | undefined) => library.find({ name: 'cc', id: id as never, shape: 'cc x' })
  expect(find(old)).toMatchObject({ isSame: true, behaviour: { id: old } })
  expect(find(`sha256:${'3'.repeat(64)}`)).toMatchObject({ isSame: false, behaviour: { id: now } })
  expect(find(undefined)).toMatchObject({ isSame: true, behaviour: { id: now } })
  library.learn(run(undefined, 3_000, 3))
  expect(find(`sha256:${'3'.repeat(64)}`)).toMatchObject({ isSame: false, behaviour: { id: undefined } })
})

const tool = (n: number, atMs = n): Outcome => ({
  ...outcome(new SeededRandom(1), atMs),
  key: { name: 'tool', id: undefined, shape: `tool ${n}` },
})

it('[JB107] nothing counts for a device that does not belong, or of a time to come; the former is cleared away', () => {
  let isIn = true
  const laptop = open('laptop', {}, (device) => device !== 'server' || isIn)
  const server = open('server')
  server.library.learn(tool(1))
  server.library.learn(tool(2, NOW_MS + 2 * 86_400_000))
  server.library.flush()
  bring(server.doc, laptop.doc)
  expect(laptop.library.all.map(({ shape }) => shape)).toEqual(['tool 1'])
  isIn = false
  laptop.library.rebuild()
  expect(laptop.library.all).toEqual([])
  expect([...laptop.records.keys()].length).toBe(2)
  laptop.library.learn(tool(3))
  laptop.library.flush()
  expect([...laptop.records.keys()]).toEqual([`${keyText(tool(3).key)}/laptop`])
})

it('[JB107] a device that does not know yet who belongs clears nothing away', () => {
  const server = open('server')
  server.library.learn(tool(1))
  server.library.flush()
  const laptop = open('laptop', {}, () => false)
  bring(server.doc, laptop.doc)
  laptop.library.learn(tool(3))
  laptop.library.flush()
  expect([...laptop.records.keys()].length).toBe(2)
})

it('[JB107] one device, whatever it writes, neither fills the library nor makes another forget', () => {
  const [laptop, attic] = [open('laptop'), open('attic')]
  laptop.library.learn(tool(0))
  laptop.library.flush()
  const many = Array.from({ length: 2 * MAX_BEHAVIOURS }, (_, n) => countIn(undefined, tool(n + 1, NOW_MS)))
  attic.doc.transact(() =>
    attic.records.write(many.map((tally) => [`${keyText({ name: 'tool', id: undefined, shape: tally.shape })}/attic`, tally])),
  )
  bring(attic.doc, laptop.doc)
  const held = many.filter(({ shape }) => laptop.library.find({ name: 'tool', id: undefined, shape }))
  expect(held.length).toBe(MAX_BEHAVIOURS)
  laptop.library.learn(tool(99_999))
  laptop.library.flush()
  expect(laptop.library.find(tool(0).key)?.behaviour.devices).toEqual(['laptop'])
  expect(laptop.library.find(tool(99_999).key)).toBeDefined()
  laptop.library.rebuild()
  expect(laptop.library.find(tool(0).key)).toBeDefined()
  expect(laptop.library.find(tool(99_999).key)).toBeDefined()
})

it('[JB107] what could not be written is written the next time', () => {
  const { records, library } = open('laptop')
  let isFull = true
  const full = new BehaviourLibrary(
    {
      get: (record) => records.get(record),
      keys: () => records.keys(),
      write: (set, remove) => {
        if (isFull) throw new Error('no space left')
        records.write(set, remove)
      },
      onDidChange: records.onDidChange,
    },
    'laptop',
    { isMember: isOurs, nowMs: () => NOW_MS },
  )
  full.learn(tool(1))
  expect(() => full.flush()).toThrow('no space')
  isFull = false
  full.flush()
  expect(library.all).toMatchObject([{ shape: 'tool 1', times: 1 }])
})
