import { afterEach, describe, expect, it } from 'vitest'
import * as Y from 'yjs'
import { WORKSPACE_DOC, type DeviceId, type DocId } from '../base/ids.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { EnvelopeAuthor, updateOf } from '../testkit/envelope-author.ts'
import { FakeDeviceCheck, fakeDevice } from '../testkit/fake-identity.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import { SyncDevice } from '../testkit/sync-device.ts'
import { decodeEnvelope } from './envelope.ts'
import { exciseDocuments } from './excision.ts'
import { Frontier } from './frontier.ts'
import { MemoryEnvelopeLog } from './memory-envelope-log.ts'

const THIEF = fakeDevice('C')

/** Knows of one removal, once it was heard: so many envelopes of the thief count. */
class Removal extends FakeDeviceCheck {
  counts: number | undefined

  hear(counts: number): void {
    this.counts = counts
    this.members.delete(THIEF)
  }

  countsUpTo(_doc: DocId, { device }: { readonly device: DeviceId }): number | undefined {
    return device === THIEF ? this.counts : undefined
  }

  cuts(): Uint8Array | undefined {
    return this.counts === undefined ? undefined : new Uint8Array(32).fill(this.counts)
  }
}

const opened: SyncDevice[] = []
afterEach(() => {
  for (const device of opened.splice(0)) device.dispose()
})

function machine(name: string, clock = new ManualClock()) {
  const [log, store] = [new MemoryEnvelopeLog(), new MemoryKeyValueStore()]
  const check = new Removal(['A', 'B', 'C', 'D'].map(fakeDevice))
  const open = () => {
    const device = new SyncDevice(name, { log, store, check, clock })
    opened.push(device)
    return device
  }
  const self = { log, check, device: open(), left: [] as readonly DocId[] }
  return Object.assign(self, {
    replica: () => self.device.documents.open(WORKSPACE_DOC),
    take(...envelopes: Uint8Array[]) {
      const replica = self.device.documents.open(WORKSPACE_DOC)
      return envelopes.map((bytes) => replica.receive(bytes, (update) => Y.applyUpdate(replica.doc, update, 'peer')).kind)
    },
    /** As the device does: documents made again, and the desk opened on them. */
    hear(counts: number, isPlanted = false) {
      check.hear(counts)
      if (!isPlanted) self.left = exciseDocuments(self.device.context, self.device.documents).left
      self.device.dispose()
      self.device = open()
    },
    text: () => self.device.documents.open(WORKSPACE_DOC).doc.getText('t').toString(),
    envelopes: () => log.page(WORKSPACE_DOC, { after: 0, have: new Frontier(), maxBytes: 1e9 }).rows.map(({ bytes }) => bytes),
  })
}

/** What two honest devices and a thief wrote, in causal order; the thief's last changes erase and vandalise. */
function history() {
  const [honest, thief] = [new EnvelopeAuthor('A'), new EnvelopeAuthor('C')]
  const doc = honest.doc()
  const first = honest.seal(updateOf(doc, () => doc.getText('t').insert(0, 'mine ')))
  const theirs = thief.doc(doc)
  const good = thief.seal(
    updateOf(theirs, () => theirs.getText('t').insert(5, 'ours ')),
    { deps: [honest.lastRef] },
  )
  const seen = [first, good]
  const erase = thief.seal(updateOf(theirs, () => theirs.getText('t').delete(0, 5)))
  const scrawl = thief.seal(updateOf(theirs, () => theirs.getText('t').insert(0, 'SCRAWL ')))
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(theirs))
  const after = honest.seal(
    updateOf(doc, () => doc.getText('t').insert(7, 'kept ')),
    { deps: [thief.lastRef] },
  )
  return { seen, bad: [erase, scrawl], after }
}

describe('what a removed device did', () => {
  it('[SY48] is taken out where it had been taken in, and is not taken in where it had not: both end equal', () => {
    const { seen, bad, after } = history()
    const [early, late] = [machine('B'), machine('D')]
    early.take(...seen, ...bad, after)
    expect(early.text()).not.toContain('mine')
    early.hear(1)
    late.check.hear(1)
    expect(late.take(...seen, ...bad, after)).toEqual(['pass', 'pass', 'pass', 'pass', 'pass'])
    expect([early.text().includes('mine'), early.text().includes('kept'), early.text().includes('SCRAWL')]).toEqual([true, true, false])
    expect(late.text()).toBe(early.text())
    expect(Y.equalSnapshots(Y.snapshot(early.replica().doc), Y.snapshot(late.replica().doc))).toBe(true)
    expect(early.take(...bad)).toEqual(['known', 'known'])
  })

  it('[SY48] stays out after a restart, and of the cached state', () => {
    const { seen, bad } = history()
    const one = machine('B')
    one.take(...seen, ...bad)
    one.replica().saveState()
    one.hear(1)
    const healed = one.text()
    expect(healed).toBe('mine ours ')
    one.replica().saveState()
    one.device.dispose()
    one.device = new SyncDevice('B', { log: one.log, check: one.check })
    opened.push(one.device)
    expect(one.text()).toBe(healed)
  })

  it('[SY48] nothing is made again where nothing more was held', () => {
    const { seen } = history()
    const one = machine('B')
    one.take(...seen)
    one.check.hear(1)
    expect(exciseDocuments(one.device.context, one.device.documents)).toEqual({ rebuilt: [], left: [] })
  })

  it('[SY48] from a snapshot and what came after it, where the log begins there; what reaches further back stays, and is told', () => {
    const { seen, bad } = history()
    const [giver, taker] = [machine('B'), machine('D')]
    giver.take(...seen)
    giver.replica().makeSnapshot()
    const snapshot = giver.log.loadSnapshot(WORKSPACE_DOC) as Uint8Array
    const replica = taker.replica()
    replica.receiveSnapshot(snapshot, (update) => Y.applyUpdate(replica.doc, update, 'peer'))
    taker.take(...bad)
    expect(taker.text()).toBe('SCRAWL ours ')
    taker.hear(1)
    expect([taker.text(), taker.left]).toEqual(['mine ours ', []])
    const later = machine('A')
    const other = later.replica()
    giver.take(...bad)
    giver.replica().makeSnapshot()
    const covering = giver.log.loadSnapshot(WORKSPACE_DOC) as Uint8Array
    other.receiveSnapshot(covering, (update) => Y.applyUpdate(other.doc, update, 'peer'))
    later.hear(1)
    expect([later.text(), later.left]).toEqual(['SCRAWL ours ', [WORKSPACE_DOC]])
  })

  it('[SY49] a snapshot made under other removals is left out, one made under the same is taken', () => {
    const { seen, bad } = history()
    const [giver, taker] = [machine('B'), machine('D')]
    giver.take(...seen, ...bad)
    giver.replica().makeSnapshot()
    const before = giver.log.loadSnapshot(WORKSPACE_DOC) as Uint8Array
    giver.hear(1)
    expect(giver.log.loadSnapshot(WORKSPACE_DOC)).toBeUndefined()
    giver.replica().makeSnapshot()
    const after = giver.log.loadSnapshot(WORKSPACE_DOC) as Uint8Array
    taker.check.hear(1)
    const take = (snapshot: Uint8Array) => {
      const replica = taker.replica()
      return replica.receiveSnapshot(snapshot, (update) => Y.applyUpdate(replica.doc, update, 'peer'))
    }
    expect(() => take(before)).toThrow(expect.objectContaining({ code: 'sync/outdated-snapshot' }))
    expect(take(after)).toBe(true)
    expect(taker.text()).toBe('mine ours ')
  })

  const seeds = Array.from({ length: roundsOfRun(12, 400) }, (_, i) => seedOfRun() + i)
  it.each(seeds)('[SY48] devices that hear of changes and of the removal in any order end equal (seed %i)', (seed: number) => {
    const ends = randomEnds(seed, false)
    const [first] = ends as [(typeof ends)[0]]
    for (const end of ends) {
      expect(end.left).toEqual([])
      expect(end.text()).toBe(first.text())
      expect(Y.equalSnapshots(Y.snapshot(end.replica().doc), Y.snapshot(first.replica().doc))).toBe(true)
      expect(end.replica().doc.store.pendingStructs).toBeNull()
      expect(end.replica().waiting).toBe(0)
    }
  })

  it('[SY48] and a device that does not make its documents again is found', () => {
    const found = seeds.filter((seed) => new Set(randomEnds(seed, true).map((end) => end.text())).size > 1)
    expect(found.length).toBeGreaterThan(0)
  })

  function randomEnds(seed: number, isPlanted: boolean) {
    const random = new SeededRandom(seed)
    const authors = ['A', 'B', 'C'].map((name) => ({ author: new EnvelopeAuthor(name), doc: new EnvelopeAuthor(name).doc() }))
    const all: Uint8Array[] = []
    for (let step = 0; step < 30; step++) {
      const { author, doc } = random.pick(authors)
      for (const other of authors) if (random.chance(0.7)) Y.applyUpdate(doc, Y.encodeStateAsUpdate(other.doc))
      const heads = authors.filter((one) => one.author.seq > 0 && one.author !== author).map((one) => one.author.lastRef)
      for (const other of authors) Y.applyUpdate(doc, Y.encodeStateAsUpdate(other.doc)) // what it names it has
      const text = doc.getText('t')
      const update = updateOf(doc, () => {
        if (text.length > 3 && random.chance(0.4)) text.delete(random.below(text.length - 2), 1 + random.below(2))
        else text.insert(random.below(text.length + 1), `${'abc'[authors.findIndex((one) => one.author === author)]}`)
      })
      all.push(author.seal(update, { deps: heads }))
    }
    const counts = random.below(
      1 +
        Math.max(
          1,
          ...all
            .map((bytes) => decodeEnvelope(bytes))
            .filter(({ device }) => device === THIEF)
            .map(({ seq }) => seq),
        ),
    )
    const ends = Array.from({ length: 3 }, () => {
      const one = machine('D')
      const heardAt = random.below(all.length + 1)
      for (const [at, bytes] of all.entries()) {
        if (at === heardAt) one.hear(counts, isPlanted)
        one.take(bytes)
      }
      if (heardAt === all.length) one.hear(counts, isPlanted)
      return one
    })
    return ends
  }
})
