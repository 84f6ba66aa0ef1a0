import * as Y from 'yjs'
import { WORKSPACE_DOC, type DocId } from '../base/ids.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { firstContent } from '../session/first-content.ts'
import { WorkspaceDoc } from '../session/workspace-doc.ts'
import { decodeEnvelope, chainKeyOf } from '../sync/envelope.ts'
import { Frontier } from '../sync/frontier.ts'
import { MemoryEnvelopeLog } from '../sync/memory-envelope-log.ts'
import type { Replica, ReplicaOptions } from '../sync/replica.ts'
import { createFakeLinkPair, type FakeLinkPair } from './fake-link.ts'
import { ManualClock } from './manual-clock.ts'
import type { SeededRandom } from './seeded-random.ts'
import { ContextSource } from './session-replicas.ts'
import { commandOf } from './session-steps.ts'
import { SimulatedDisplay } from './simulated-display.ts'
import { SyncDevice } from './sync-device.ts'

export interface Tally {
  commands: number
  moves: number
  windows: number
  texts: number
  restarts: number
  cuts: number
  drops: number
  snapshots: number
}

interface Member {
  readonly name: string
  readonly log: MemoryEnvelopeLog
  readonly store: MemoryKeyValueStore
  readonly displays: { readonly display: SimulatedDisplay; workspace: WorkspaceDoc; readonly contexts: ContextSource }[]
  device: SyncDevice
}

const NAMES = ['A', 'B', 'C', 'D', 'E']
const TEXTS = 6

/** Five devices of one person, their displays and a network that a seed decides: one process, simulated time. */
export class ConvergenceWorld {
  readonly clock = new ManualClock()
  readonly tally: Tally = { commands: 0, moves: 0, windows: 0, texts: 0, restarts: 0, cuts: 0, drops: 0, snapshots: 0 }
  readonly #random: SeededRandom
  readonly #members: Member[]
  readonly #links = new Map<string, FakeLinkPair>()
  readonly #replica: Omit<ReplicaOptions, 'firstContent'>
  readonly #tokens = new Map<DocId, string[]>()
  readonly #dropped = new Set<DocId>()
  readonly #aside: { readonly doc: DocId; readonly text: string }[] = []
  #nextText = 0

  constructor(random: SeededRandom, replica: Omit<ReplicaOptions, 'firstContent'> = {}) {
    this.#random = random
    this.#replica = replica
    this.#members = NAMES.map((name) => {
      const log = new MemoryEnvelopeLog()
      const store = new MemoryKeyValueStore()
      const member: Member = { name, log, store, displays: [], device: this.#boot(name, log, store) }
      for (let n = 0; n < 2; n++) {
        const display = new SimulatedDisplay()
        const workspace = new WorkspaceDoc(display.open(member.device.documents.open(WORKSPACE_DOC)))
        member.displays.push({ display, workspace, contexts: new ContextSource(`${name}${n}-`) })
      }
      return member
    })
  }

  /** One random step, then a little time. */
  async step(): Promise<void> {
    const random = this.#random
    const what = random.next()
    if (what < 0.7) this.#command()
    else if (what < 0.85) this.#type()
    else if (what < 0.95) this.#relink()
    else if (what < 0.96) this.#restart(random.pick(this.#members))
    else if (what < 0.975) random.pick(this.#members).device.documents.get(WORKSPACE_DOC)?.saveState()
    else if (what < 0.98) this.#snapshot()
    else if (what < 0.985) this.#drop()
    else for (const pair of this.#links.values()) pair.setDelay(random.pick([0, 1, 5, 40, 300]))
    this.clock.advance(random.pick([0, 1, 1, 5, 20, 50]))
    await microtasks()
  }

  /** Joins all in one line, so that most news must be passed on, and waits until nothing moves. */
  async settle(): Promise<void> {
    for (const pair of this.#links.values()) pair.cut()
    this.#links.clear()
    for (let i = 1; i < this.#members.length; i++) this.#link(this.#members[i - 1] as Member, this.#members[i] as Member, 1)
    for (let round = 0, quiet = 0; round < 4_000 && quiet < 40; round++) {
      const before = this.#positions()
      this.clock.advance(50)
      await microtasks()
      quiet = this.#positions() === before ? quiet + 1 : 0
    }
  }

  /** What is not the same everywhere; empty when the devices and their displays have converged. */
  differences(): string[] {
    const [first, ...others] = this.#members as [Member, ...Member[]]
    const found: string[] = []
    for (const other of others) {
      const open = (member: Member): string =>
        member.device.documents
          .all()
          .map((replica) => replica.docId)
          .sort()
          .join()
      if (open(first) !== open(other)) found.push(`${other.name} holds ${open(other)}, ${first.name} ${open(first)}`)
    }
    for (const replica of first.device.documents.all()) {
      const expected = Y.snapshot(replica.doc)
      for (const member of this.#members) {
        const mine = member.device.documents.get(replica.docId)
        if (!mine) continue
        if (!Y.equalSnapshots(expected, Y.snapshot(mine.doc))) found.push(`${member.name} differs in ${replica.docId}`)
        if (mine.doc.store.pendingStructs || mine.doc.store.pendingDs)
          found.push(`${member.name} has something pending in ${replica.docId}`)
        if (mine.waiting > 0) found.push(`${member.name} still waits in ${replica.docId}`)
        for (const { display } of member.displays) {
          if (display.docs().includes(replica.docId) && !Y.equalSnapshots(expected, Y.snapshot(display.open(mine)))) {
            found.push(`a display of ${member.name} differs in ${replica.docId}`)
          }
        }
      }
    }
    const states = this.#members.flatMap(({ displays }) => displays.map(({ workspace }) => canonical(workspace.state)))
    if (new Set(states).size !== 1) found.push('the displays do not show the same desk')
    return found
  }

  /**
   * Every text typed into a buffer that lives must be there once, on every device; one typed where the drop of its buffer
   * was not known yet must have been kept aside.
   */
  lostTexts(): string[] {
    const lost: string[] = []
    for (const [doc, tokens] of this.#tokens) {
      if (!this.#dropped.has(doc)) continue
      const kept = this.#aside.filter((text) => text.doc === doc).map(({ text }) => text)
      lost.push(...tokens.filter((token) => !kept.some((text) => text.includes(token))).map((token) => `${token} of dropped ${doc}`))
      this.#tokens.delete(doc)
    }
    for (const [doc, tokens] of this.#tokens) {
      for (const { name, device } of this.#members) {
        const text = device.documents.get(doc)?.doc.getText('text').toString() ?? ''
        for (const token of tokens) if (text.split(token).length !== 2) lost.push(`${token} of ${doc} on ${name}`)
      }
    }
    return lost
  }

  survivors(): { readonly windows: number; readonly tabs: number; readonly texts: number } {
    const [first] = (this.#members[0] as Member).displays as [Member['displays'][number]]
    const { state } = first.workspace
    const texts = [...this.#tokens.values()].reduce((sum, tokens) => sum + tokens.length, 0)
    return { windows: Object.keys(state.windows).length, tabs: Object.keys(state.tabs).length, texts }
  }

  /** Pairs of envelopes of the workspace of which neither author had seen the other. */
  concurrentPairs(): { readonly envelopes: number; readonly pairs: number } {
    const { log } = this.#members[0] as Member
    const past = new Map<string, Map<string, number>>()
    const lengths = new Map<string, number>()
    let notInPast = 0
    let envelopes = 0
    const rows = log.page(WORKSPACE_DOC, { after: 0, have: new Frontier(), maxBytes: Number.MAX_SAFE_INTEGER }).rows
    const decoded = rows.map(({ bytes }) => decodeEnvelope(bytes))
    for (const envelope of decoded) lengths.set(chainKeyOf(envelope), (lengths.get(chainKeyOf(envelope)) ?? 0) + 1)
    for (const envelope of decoded) {
      const chain = chainKeyOf(envelope)
      const seen = new Map(past.get(`${chain}/${envelope.seq - 1}`))
      for (const dep of envelope.deps) {
        for (const [key, seq] of past.get(`${chainKeyOf(dep)}/${dep.seq}`) ?? []) seen.set(key, Math.max(seen.get(key) ?? 0, seq))
      }
      seen.set(chain, envelope.seq)
      past.set(`${chain}/${envelope.seq}`, seen)
      envelopes++
      notInPast += decoded.length - [...seen.values()].reduce((sum, seq) => sum + seq, 0)
    }
    // a concurrent pair was counted from both sides, an ordered one from one
    return { envelopes, pairs: notInPast - (envelopes * (envelopes - 1)) / 2 }
  }

  dispose(): void {
    for (const pair of this.#links.values()) pair.cut()
    for (const { device, displays } of this.#members) {
      for (const { workspace } of displays) workspace.dispose()
      device.dispose()
    }
  }

  #boot(name: string, log: MemoryEnvelopeLog, store: MemoryKeyValueStore): SyncDevice {
    const device = new SyncDevice(name, {
      log,
      store,
      clock: this.clock,
      random: this.#random,
      firstContentOf: (doc) => (doc === WORKSPACE_DOC ? firstContent() : undefined),
      replica: this.#replica,
    })
    device.documents.open(WORKSPACE_DOC)
    device.documents.onDidDrop(({ doc, unseen }) => {
      if (!unseen) return
      const kept = new Y.Doc()
      Y.applyUpdate(kept, unseen)
      this.#aside.push({ doc, text: kept.getText('text').toString() })
    })
    return device
  }

  #command(): void {
    this.#commandAt(this.#random.pick(this.#members))
  }

  #commandAt(member: Member): void {
    const random = this.#random
    const { workspace, contexts } = random.pick(member.displays)
    const command = commandOf(workspace.state, {
      kind: random.below(64),
      a: random.below(1_000),
      b: random.below(1_000),
      c: random.below(1_000),
    })
    if (!command || !workspace.dispatch(command, contexts.next())) return
    this.tally.commands++
    if (command.type === 'window/move' || command.type === 'window/resize' || command.type === 'window/snap') this.tally.moves++
    if (command.type === 'window/open') this.tally.windows++
  }

  #type(): void {
    const random = this.#random
    const member = random.pick(this.#members)
    const open = member.device.documents.all().filter((replica) => replica.docId !== WORKSPACE_DOC)
    const isNew = open.length === 0 || (open.length < TEXTS && random.chance(0.05))
    const replica = isNew
      ? member.device.documents.open(`text/t${this.#nextText++}` as DocId)
      : open.length > 0
        ? random.pick(open)
        : undefined
    if (!replica) return
    const text = random.pick(member.displays).display.open(replica).getText('text')
    const token = `<${this.tally.texts++}>`
    const places = [0, ...[...text.toString().matchAll(/>/g)].map((match) => match.index + 1)]
    text.insert(random.pick(places), token)
    const tokens = this.#tokens.get(replica.docId)
    if (tokens) tokens.push(token)
    else this.#tokens.set(replica.docId, [token])
  }

  #relink(): void {
    const random = this.#random
    const [a, b] = [random.pick(this.#members), random.pick(this.#members)]
    if (a === b) return
    const key = [a.name, b.name].sort().join()
    const pair = this.#links.get(key)
    if (!pair || pair.a.isClosed) return this.#link(a, b, random.pick([0, 1, 10, 100]))
    const what = random.next()
    if (what < 0.3) pair.hold()
    else if (what < 0.5) pair.release()
    else {
      pair.cut()
      this.tally.cuts++
    }
  }

  #link(a: Member, b: Member, delayMs: number): void {
    const pair = createFakeLinkPair(a.device.id, b.device.id, { delayMs, clock: this.clock })
    this.#links.set([a.name, b.name].sort().join(), pair)
    a.device.sync.attach(pair.a)
    b.device.sync.attach(pair.b)
  }

  /** kill -9: what was not in the log is lost to the device, not to its displays. */
  #restart(member: Member): void {
    this.tally.restarts++
    for (const [key, pair] of this.#links) if (key.includes(member.name)) pair.cut()
    member.device.sync.dispose()
    // often just after a cached state was written, with a batch still open: the worst moment
    if (this.#random.chance(0.7)) {
      this.#commandAt(member)
      this.#commandAt(member)
      member.device.documents.get(WORKSPACE_DOC)?.saveState()
    }
    for (const replica of member.device.documents.all()) replica.discard()
    member.device = this.#boot(member.name, member.log, member.store)
    for (const { display } of member.displays) {
      for (const doc of display.docs()) {
        if (member.log.tombstone(doc)) display.forget(doc)
        else display.reattach(member.device.documents.open(doc))
      }
    }
  }

  #snapshot(): void {
    this.tally.snapshots++
    this.#random.pick(this.#members).device.documents.get(WORKSPACE_DOC)?.makeSnapshot()
  }

  #drop(): void {
    const member = this.#random.pick(this.#members)
    const texts = member.device.documents.all().filter((replica: Replica) => replica.docId !== WORKSPACE_DOC)
    if (texts.length < TEXTS) return
    const { docId } = this.#random.pick(texts)
    this.tally.drops++
    // what the dropper sees goes; what others have typed meanwhile must be kept aside
    const seen = member.device.documents.get(docId)?.doc.getText('text').toString() ?? ''
    this.#tokens.set(docId, this.#tokens.get(docId)?.filter((token) => !seen.includes(token)) ?? [])
    this.#dropped.add(docId)
    member.device.documents.drop(docId)
  }

  #positions(): string {
    return this.#members
      .map(({ device }) =>
        device.documents
          .all()
          .map((replica) => replica.position)
          .join(),
      )
      .join(';')
  }
}

/** JSON with sorted keys: maps that were filled in another order are equal. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => {
    if (part instanceof Map || part instanceof Set) return [...part].sort()
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
  })

/** Lets y-webrtc's rooms open and links without delay deliver. */
export const microtasks = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
