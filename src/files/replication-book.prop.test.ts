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
import { FIRST_POLICY, type PolicyInForce } from './replica-policy.ts'
import { ReplicationBook } from './replication-book.ts'

/** What was verified once is not verified again: the same receipts are taken by many books. */
class RememberingCrypto extends NodeFilesCrypto {
  readonly #known = new Map<string, boolean>()

  override verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
    const name = [publicKey, message, signature].map(toHex).join()
    const known = this.#known.get(name) ?? super.verify(publicKey, message, signature)
    this.#known.set(name, known)
    return known
  }
}

const crypto = new RememberingCrypto()
const { dataset } = testDatasetKeys()
const signers = [0, 1, 2, 3, 4].map((n) => testSegmentSigner(n))

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

const NO_TERMS = { generation: 0, departures: 0, order: 2 }
const FIRST: PolicyInForce = { ...FIRST_POLICY, departures: 0 }
const signerOf = (n: number) => signers[n] as (typeof signers)[0]

const bookOf = (
  n: number,
  store = new MemoryDatasetStore(),
  isMember: (device: DeviceId) => boolean = () => true,
  policy: () => PolicyInForce = () => FIRST,
  isAlwaysOn?: () => boolean,
) => new ReplicationBook({ crypto, dataset, store, signer: signerOf(n), isMember, policy, ...(isAlwaysOn && { isAlwaysOn }) })

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
  expect(openReceipt(crypto, dataset, receipt)).toEqual({ device: signers[1]?.device, segment: segment.hash, missing: [], ...NO_TERMS })
})

it('[RP1] a receipt may leave out what history had dropped: of that nobody counts as holding it; who left is not counted any more', () => {
  const gone = new Set<DeviceId>()
  const book = bookOf(0, new MemoryDatasetStore(), (device) => !gone.has(device))
  const one = segmentOf(7, 0)
  const segment: Segment = { ...one, ops: [0, 1].map((n) => ({ ...(one.ops[0] as Op), id: `${one.log}.${n}` as OpId })) }
  const [first, second] = segment.ops.map(({ id }) => id) as [OpId, OpId]
  book.book(segment, true)
  expect(book.unsafeContents).toEqual({ versions: 2, bytes: 10 })
  const receipt = signReceipt(dataset, segment.hash, signers[1] as (typeof signers)[0], { missing: [1] })
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

it('[RP6] a receipt says under which policy it was given; a later one starts from nothing, and what a device signed for is owed anew', () => {
  let policy = FIRST
  const book = bookOf(
    0,
    new MemoryDatasetStore(),
    () => true,
    () => policy,
  )
  const segment = segmentOf(3, 0)
  const op = `${segment.log}.0` as OpId
  book.book(segment, true)
  expect([book.take(signReceipt(dataset, segment.hash, signerOf(1))), book.isSafe(op)]).toEqual([true, true])
  policy = { copies: 2, on: [], generation: 50, departures: 0 }
  book.reviewHolders()
  expect([book.isSafe(op), book.mustKeep(op), book.unsafeContents.versions]).toEqual([false, true, 1])
  const receiptOf = (n: number, terms: Parameters<typeof signReceipt>[3]) => signReceipt(dataset, segment.hash, signerOf(n), terms)
  expect([1, 2].map((n) => book.take(receiptOf(n, { generation: 49 })))).toEqual([true, true])
  expect(book.isSafe(op)).toBe(false)
  expect([book.take(receiptOf(1, { generation: 50 })), book.isSafe(op), book.take(receiptOf(1, { generation: 49 }))]).toEqual([
    true,
    false,
    false,
  ])
  expect([book.take(receiptOf(2, { generation: 51, order: 0 })), book.isSafe(op), book.mustKeep(op)]).toEqual([true, true, false])
  policy = { ...policy, departures: 1 }
  expect(book.isSafe(op), 'who holds it may have let go because of the one that left').toBe(false)
  policy = { copies: 1, on: [signerOf(3).device], generation: 51, departures: 0 }
  expect([book.isSafe(op), book.take(receiptOf(3, { generation: 51 })), book.isSafe(op)]).toEqual([false, true, true])
  policy = { ...policy, on: [signerOf(0).device] }
  expect([book.isSafe(op), book.mustKeep(op)], 'one that the policy names keeps everything').toEqual([true, true])
  for (const terms of [{ generation: 2 ** 52, departures: 3, order: 0, missing: [0, 7] }, { order: 1 }] as const) {
    const receipt = receiptOf(4, terms)
    expect(openReceipt(crypto, dataset, receipt)).toMatchObject({ ...NO_TERMS, missing: [], ...terms })
    for (let at = 0; at < receipt.length; at++) {
      const changed = receipt.slice()
      changed[at] = (changed[at] as number) ^ 1
      expect(() => openReceipt(crypto, dataset, changed)).toThrow(expect.objectContaining({ code: expect.stringMatching(/^segment\//) }))
    }
    expect(() => openReceipt(crypto, dataset, receipt.slice(0, -1))).toThrow(expect.objectContaining({ code: 'segment/malformed' }))
  }
})

it('[RP6] of all that signed, those that the policy names keep first, then always-on ones', () => {
  const named = signerOf(1).device
  for (let n = 0; n < 20; n++) {
    const segment = segmentOf(n, 0)
    const op = `${segment.log}.0` as OpId
    const policy = (): PolicyInForce => ({ copies: 2, on: [named], generation: 9, departures: 0 })
    const books = [1, 2, 3, 4].map((of) => bookOf(of, undefined, undefined, policy, () => of === 4))
    const receipts = books.map((book) => {
      book.book(segment, false)
      return book.sign(book.owed[0] as never)
    })
    for (const book of books) for (const receipt of receipts) book.take(receipt)
    expect(books.map((book) => book.mustKeep(op))).toEqual([true, false, false, true])
  }
})

it('[RP2] whatever policy is set when, and whoever comes, goes and leaves: what a device lets go of is held by as many others as any policy it may not have heard of asks for', () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  const told = { letGo: 0, renewed: 0, left: 0 }
  for (let round = 0; round < roundsOfRun(60, 3000); round++) {
    const found = new PolicyWorld(random, round).play()
    expect({ seed, round, problem: found.problem }).toEqual({ seed, round, problem: undefined })
    for (const name of ['letGo', 'renewed', 'left'] as const) told[name] += found[name]
  }
  expect(Math.min(...Object.values(told))).toBeGreaterThan(0)
})

it.each(['old receipts count', 'who left counts', 'each has an order of its own'] as const)('[RP2] finds a planted bug: %s', (bug) => {
  const random = new SeededRandom(7)
  let problem: string | undefined
  for (let round = 0; round < 1500 && problem === undefined; round++) problem = new PolicyWorld(random, round, bug).play().problem
  expect(problem).toBeDefined()
})

type PlantedBug = 'old receipts count' | 'who left counts' | 'each has an order of its own'

interface PolicyDevice {
  readonly n: number
  readonly book: ReplicationBook
  readonly knowsLeft: Set<DeviceId>
  readonly taken: Set<Uint8Array>
  policy: PolicyInForce
  holds: boolean
}

/** One content of device 0, and five devices that hear of policies, receipts and departures late, in any order, or never. */
class PolicyWorld {
  readonly #random: SeededRandom
  readonly #segment: Segment
  readonly #op: OpId
  readonly #bug: PlantedBug | undefined
  readonly #policies: PolicyInForce[] = [FIRST]
  readonly #left: number[] = []
  readonly #receipts: Uint8Array[] = []
  readonly #devices: PolicyDevice[]

  constructor(random: SeededRandom, round: number, bug?: PlantedBug) {
    this.#random = random
    this.#bug = bug
    this.#segment = segmentOf(round % 256, 0)
    this.#op = `${this.#segment.log}.0` as OpId
    this.#devices = signers.map((_, n) => {
      const knowsLeft = new Set<DeviceId>()
      const isMember = (device: DeviceId) => !knowsLeft.has(device)
      const policy = () => {
        const { policy } = device
        if (bug === 'old receipts count') return { ...policy, generation: 0 }
        return bug === 'who left counts' ? { ...policy, departures: 0 } : policy
      }
      const isAlwaysOn = () => random.chance(0.5)
      const device: PolicyDevice = {
        n,
        policy: FIRST,
        knowsLeft,
        taken: new Set(),
        holds: n === 0,
        book: bookOf(n, new MemoryDatasetStore(), isMember, policy, isAlwaysOn),
      }
      device.book.book(this.#segment, n === 0)
      return device
    })
  }

  play() {
    const told = { letGo: 0, renewed: 0, left: 0 }
    for (let step = 0; step < 120; step++) {
      const device = this.#random.pick(this.#members)
      const what = this.#random.below(20)
      if (what === 0) this.#setPolicy(device)
      else if (what < 4) this.#hear(device)
      else if (what === 4 && this.#left.length < 2 && this.#random.chance(0.5)) {
        this.#left.push(device.n)
        told.left++
      } else if (what < 8) told.renewed += this.#copy(device) ? 1 : 0
      else if (what < 15) for (const receipt of this.#receipts.filter(() => this.#random.chance(0.5))) this.#take(device, receipt)
      else if (device.holds && !device.book.mustKeep(this.#op)) {
        device.holds = false
        told.letGo++
        const problem = this.#problemOf(device)
        if (problem) return { ...told, problem: `step ${step}: ${problem}` }
      }
    }
    return { ...told, problem: this.#bug ? undefined : this.#problemInTheEnd() }
  }

  get #members() {
    return this.#devices.filter(({ n }) => !this.#left.includes(n))
  }

  get #holders() {
    return this.#members.filter(({ holds }) => holds)
  }

  #setPolicy(device: PolicyDevice): void {
    const on = this.#random.chance(0.3) ? [signerOf(this.#random.pick(this.#members).n).device] : []
    this.#policies.push({ copies: 1 + this.#random.below(3), on, generation: this.#policies.length, departures: 0 })
    this.#renew(device, this.#policies.at(-1) as PolicyInForce)
  }

  #hear(device: PolicyDevice): void {
    for (const n of this.#left) if (this.#random.chance(0.5)) device.knowsLeft.add(signerOf(n).device)
    this.#renew(device, this.#random.pick(this.#policies))
  }

  #renew(device: PolicyDevice, policy: PolicyInForce): void {
    const later = policy.generation > device.policy.generation ? policy : device.policy
    device.policy = { ...later, departures: device.knowsLeft.size }
    device.book.renewPromises()
    device.book.reviewHolders()
  }

  /** From whoever has it, be it one that left and is still there. */
  #copy(device: PolicyDevice): boolean {
    const [owed] = device.book.owed
    const isRenewed = this.#receipts.some((bytes) => openReceipt(crypto, dataset, bytes).device === signerOf(device.n).device)
    if (!owed || this.#holders.length === 0) return false
    device.holds = true
    this.#receipts.push(device.book.sign(owed))
    return isRenewed
  }

  /** The last bug: who hears of a receipt takes its order for another. */
  #take({ book, n, taken }: PolicyDevice, receipt: Uint8Array): void {
    if (taken.has(receipt)) return
    taken.add(receipt)
    const { device, segment, ...terms } = openReceipt(crypto, dataset, receipt)
    const of = signers.findIndex((signer) => signer.device === device)
    if (this.#bug !== 'each has an order of its own' || of === n) book.take(receipt)
    else book.take(signReceipt(dataset, segment, signerOf(of), { ...terms, order: 0 }))
  }

  #problemOf({ n, policy, knowsLeft }: PolicyDevice): string | undefined {
    const unheard = this.#left.length - knowsLeft.size
    const asked = this.#policies.filter(({ generation }) => generation >= policy.generation)
    const needed = Math.min(...asked.map(({ copies }) => copies)) - unheard
    const held = this.#holders.length
    if (held < needed) return `device ${n} let go under policy ${policy.generation}: ${held} hold it and ${needed} should`
    const [named] = policy.on
    const isNamedStill = named !== undefined && asked.every(({ on }) => on[0] === named)
    const isThere = this.#devices.every((device) => signerOf(device.n).device !== named || device.holds || this.#left.includes(device.n))
    // One that signed before keeps to an order of earlier times; an author waits for the named one.
    return n === 0 && isNamedStill && !isThere ? `the device that policy ${policy.generation} names does not hold it` : undefined
  }

  /** Everybody hears of everything, and copies what it owes: then the last policy holds, as far as there are devices. */
  #problemInTheEnd(): string | undefined {
    const had = this.#holders.length
    const [last] = this.#policies.slice(-1) as [PolicyInForce]
    for (let pass = 0; pass < 3; pass++) {
      for (const device of this.#members) {
        for (const n of this.#left) device.knowsLeft.add(signerOf(n).device)
        this.#renew(device, last)
        for (const receipt of this.#receipts) this.#take(device, receipt)
        this.#copy(device)
      }
    }
    for (const device of this.#members) if (device.holds && !device.book.mustKeep(this.#op)) device.holds = false
    if (had === 0) return this.#left.length > 0 ? undefined : 'nobody holds it' // with those that left went the last copies
    const others = this.#members.filter(({ n }) => n !== 0).length
    const held = this.#holders.length
    if (held < Math.min(last.copies, others)) return `in the end ${held} hold it; policy ${last.generation} asks for ${last.copies}`
    return undefined
  }
}

it('[RP10] wherever a kill comes while something is booked anew, the next start still has it: it is kept, or looked at again', () => {
  /** A store that takes no more than so many changes, and what is done with it. @returns whether all were taken */
  class EndingStore extends MemoryDatasetStore {
    left = Number.POSITIVE_INFINITY
    override putValue(space: string, key: string, value: Uint8Array | undefined): void {
      if (this.left-- <= 0) throw new Error('killed')
      super.putValue(space, key, value)
    }
  }
  const segment = segmentOf(1, 0)
  const op = segment.ops[0]?.id as OpId
  const receiptOf = (n: number) => signReceipt(dataset, segment.hash, signerOf(n))
  const killedAt = (after: number, before: (book: ReplicationBook) => void, work: (book: ReplicationBook) => void, isGone: boolean) => {
    const store = new EndingStore()
    const gone = new Set<DeviceId>()
    const open = (n: number) => bookOf(n, store, (device) => !gone.has(device))
    const own = before === owes ? 1 : 0
    const book = open(own)
    before(book)
    if (isGone) gone.add(signerOf(1).device)
    store.left = after
    let isDone = true
    try {
      work(book)
    } catch {
      isDone = false
    }
    store.left = Number.POSITIVE_INFINITY
    return { book: open(own), isDone, gone }
  }
  const owes = (book: ReplicationBook) => book.book(segment, false)
  const isSettled = (book: ReplicationBook) => {
    book.book(segment, true)
    book.take(receiptOf(1))
  }
  let kills = 0
  for (let after = 0, isDone = false; !isDone; after++, kills++) {
    const signed = killedAt(after, owes, (book) => void book.sign(book.owed[0] as (typeof book.owed)[0]), false)
    isDone = signed.isDone
    expect(signed.book.owed.length + signed.book.receiptsOf([segment.hash]).length).toBeGreaterThan(0)
    if (signed.book.receiptsOf([segment.hash]).length > 0) expect(signed.book.mustKeep(op)).toBe(true)
  }
  for (let after = 0, isDone = false; !isDone; after++, kills++) {
    const left = killedAt(after, isSettled, (book) => book.review(), true)
    isDone = left.isDone
    left.book.review()
    expect([left.book.own.length, left.book.isSafe(op), left.book.mustKeep(op)]).toEqual([1, false, true])
  }
  for (let after = 0, isDone = false; !isDone; after++, kills++) {
    const taken = killedAt(
      after,
      (book) => book.book(segment, true),
      (book) => void book.take(receiptOf(1)),
      false,
    )
    isDone = taken.isDone
    taken.gone.add(signerOf(1).device)
    taken.book.review()
    expect([taken.book.own.length, taken.book.isSafe(op), taken.book.mustKeep(op)]).toEqual([1, false, true])
  }
  expect(kills).toBeGreaterThan(8)
})

it('[RP10] a promise that could not be kept on a full disk is told to nobody, and made when there is room', () => {
  class FullStore extends MemoryDatasetStore {
    isFull = false
    override transaction<T>(work: () => T): T {
      if (!this.isFull) return super.transaction(work)
      work() // into memory; then there is no room for it
      throw new Error('the disk is full')
    }
    override putValue(space: string, key: string, value: Uint8Array | undefined): void {
      if (!this.isFull) super.putValue(space, key, value)
    }
  }
  const store = new FullStore()
  const segment = segmentOf(1, 0)
  const book = bookOf(1, store)
  book.book(segment, false)
  const owed = book.owed[0] as (typeof book.owed)[0]
  store.isFull = true
  expect(() => book.sign(owed)).toThrow('full')
  expect([book.owed, book.receiptsOf([segment.hash])]).toEqual([[owed], []])
  store.isFull = false
  book.sign(owed)
  expect([book.owed.length, book.receiptsOf([segment.hash]).length, bookOf(1, store).receiptsOf([segment.hash]).length]).toEqual([0, 1, 1])
})
