import { sha256 } from '@noble/hashes/sha2.js'
import { toBase58 } from '../base/base58.ts'
import { concatBytes, toHex, utf8 } from '../base/bytes.ts'
import type { DatasetId, DeviceId, PersonId } from '../base/ids.ts'
import type { Grant, Operation, OperationBody, OperationId, SignerId } from '../identity/authority/operation.ts'
import { encodeUnsigned, genesisOf, parse } from '../identity/authority/operation-codec.ts'
import { orderOperations } from '../identity/authority/segment.ts'
import { emptyState } from '../identity/authority/authority-state.ts'
import type { SeededRandom } from './seeded-random.ts'

const hash = { sha256: (bytes: Uint8Array) => sha256(bytes) }
const UNSIGNED = new Uint8Array(64)

export const authorityDevice = (name: string): DeviceId => toBase58(sha256(utf8(`device ${name}`))) as DeviceId
export const authorityPerson = (name: string): PersonId => toBase58(sha256(utf8(`person ${name}`))) as PersonId
export const authorityDataset = (name: string): DatasetId => toBase58(sha256(utf8(`dataset ${name}`)).slice(0, 16)) as DatasetId

export const entryOf = (device: DeviceId, name = `d-${device.slice(0, 4)}`) => ({
  device,
  boxKey: sha256(utf8(`box ${device} ${name}`)),
  name,
  platform: 'linux',
})

/**
 * Writes operations in any shape, signed by nobody: the fold looks at no signature. `ME` is the person whose log it is.
 */
export class AuthorityAuthor {
  readonly me: PersonId
  readonly genesis: Operation
  readonly all = new Map<OperationId, Operation>()
  readonly #seqs = new Map<SignerId, number>()

  constructor(me: PersonId = authorityPerson('me')) {
    this.me = me
    const { by, ...said } = genesisOf(me)
    this.genesis = this.#make(by, said)
  }

  /** One operation of `by` after `prevs`; its number is one more than the last of that signer, unless given. */
  say(by: SignerId, prevs: readonly Operation[], body: OperationBody, seq = (this.#seqs.get(by) ?? 0) + 1): Operation {
    this.#seqs.set(by, Math.max(seq, this.#seqs.get(by) ?? 0))
    return this.#make(by, { seq, atMs: 1_000 + this.all.size, prevs: prevs.map(({ id }) => id).sort(), body })
  }

  /** `operations` and all that they rest on. */
  withPast(operations: Iterable<Operation>): Operation[] {
    const found = new Set<Operation>()
    const open = [...operations]
    for (let next = open.pop(); next; next = open.pop()) {
      if (found.has(next)) continue
      found.add(next)
      open.push(...next.prevs.map((prev) => this.all.get(prev) as Operation))
    }
    return [...found]
  }

  #make(by: SignerId, said: Omit<Parameters<typeof encodeUnsigned>[0], 'by'>): Operation {
    const operation = parse(hash, concatBytes(encodeUnsigned({ ...said, by }), UNSIGNED))
    this.all.set(operation.id, operation)
    return operation
  }
}

/** The operations nothing in `known` follows. */
export function headsOf(known: Iterable<Operation>): Operation[] {
  const all = [...known]
  const named = new Set(all.flatMap(({ prevs }) => prevs))
  return all.filter(({ id }) => !named.has(id))
}

/** Everything of `by` in `operations`; for asserting on what it did. */
export const actsOf = (operations: Iterable<Operation>, by: SignerId): Operation[] => [...operations].filter((one) => one.by === by)

/**
 * A person's devices that write, exchange, lie and back-date for a while. Honest acts name all that their device knows; a
 * hostile one anything it ever saw. Everything comes from `random`.
 */
export class AuthorityWorld {
  readonly author = new AuthorityAuthor()
  readonly devices: readonly DeviceId[]
  readonly #random: SeededRandom
  readonly #views = new Map<SignerId, Set<Operation>>()
  /** How often somebody pretends to know less than it does. Where nobody does, a history has places to cut it. */
  readonly #lies: number

  constructor(random: SeededRandom, deviceCount = 6) {
    this.#random = random
    this.#lies = random.pick([0, 0.05, 0.25])
    this.devices = Array.from({ length: deviceCount }, (_, n) => authorityDevice(`${n}`))
    for (const who of [this.author.me, ...this.devices]) this.#views.set(who, new Set([this.author.genesis]))
    let last = this.author.genesis
    for (const device of this.devices.slice(0, 3)) {
      last = this.author.say(this.author.me, [last], { kind: 'add-device', role: 'admin', entry: entryOf(device) })
    }
    for (const view of this.#views.values()) for (const operation of this.author.withPast([last])) view.add(operation)
  }

  get operations(): Operation[] {
    return [...this.author.all.values()]
  }

  step(): void {
    const random = this.#random
    const who = random.chance(0.15) ? this.author.me : random.pick(this.devices)
    const meeting = random.pick(['none', 'none', 'none', 'none', 'none', 'hears all', 'tells all'] as const)
    if (meeting === 'hears all') for (const other of this.#views.keys()) this.#exchange(who, other)
    if (meeting === 'tells all') for (const other of this.#views.keys()) this.#exchange(other, who)
    if (random.chance(0.3)) return this.#exchange(who, random.pick([this.author.me, ...this.devices]))
    const view = this.#views.get(who) as Set<Operation>
    const known = random.chance(this.#lies) ? this.#earlier(view) : [...view]
    const prevs = headsOf(known).slice(0, 16)
    const seq = random.chance(0.05) ? { seq: 1 + random.below(3) } : {}
    const operation =
      'seq' in seq ? this.author.say(who, prevs, this.#body(known), seq.seq) : this.author.say(who, prevs, this.#body(known))
    view.add(operation)
  }

  #exchange(to: SignerId, from: SignerId): void {
    const view = this.#views.get(to) as Set<Operation>
    for (const operation of this.#views.get(from) as Set<Operation>) view.add(operation)
  }

  /** What a liar pretends to know: some operation it saw, with its past. */
  #earlier(view: ReadonlySet<Operation>): Operation[] {
    return this.author.withPast([this.#random.pick([...view]), this.#random.pick([...view])])
  }

  #body(known: readonly Operation[]): OperationBody {
    const random = this.#random
    const device = random.pick(this.devices)
    const made = known.filter(({ body }) => body.kind === 'grant' || body.kind === 'delegate' || body.kind === 'contact')
    const said: (() => OperationBody)[] = [
      () => ({ kind: 'add-device', role: random.chance(0.3) ? 'admin' : 'member', entry: entryOf(device, `n${random.below(3)}`) }),
      () => ({ kind: 'role', role: 'admin', entry: entryOf(device) }),
      () => ({ kind: 'role', role: 'member', device }),
      () => ({ kind: 'remove-device', device, lastCounted: [{ doc: 'workspace', start: '00'.repeat(8), seq: random.below(9) }] }),
      () => ({ kind: 'remove-device', device, lastCounted: [] }),
      () => ({ kind: 'rename', device, name: `r${random.below(5)}` }),
      () => ({ kind: 'box-key', boxKey: sha256(utf8(`${random.below(99)}`)) }),
      () => ({ kind: 'contact', person: authorityPerson(`${random.below(3)}`), name: `c${random.below(3)}`, checkedBy: 'qr' }),
      () => ({
        kind: 'acquaint',
        person: authorityPerson(`${random.below(3)}`),
        checkedBy: 'words',
        sealed: sha256(utf8(`${random.below(3)}`)),
      }),
      () => ({ kind: 'contact-card', person: authorityPerson(`${random.below(3)}`), sealed: sha256(utf8(`card ${random.below(3)}`)) }),
      () => ({ kind: 'part', person: authorityPerson(`${random.below(3)}`) }),
      () => ({ kind: 'grant', grant: this.#grant() }),
      () => ({ kind: 'delegate', from: this.#target(made), grant: this.#grant() }),
      () => ({ kind: 'revoke', target: this.#target(made) }),
      () => ({ kind: 'rotate', dataset: authorityDataset(`${random.below(2)}`), epoch: random.below(4), wraps: [] }),
    ]
    return random.pick(said)()
  }

  #target(made: readonly Operation[]): OperationId {
    return made.length > 0 ? this.#random.pick(made).id : (toHex(sha256(utf8('nothing'))) as OperationId)
  }

  #grant(): Grant {
    const random = this.#random
    return {
      person: random.pick([this.author.me, authorityPerson('1')]),
      target: { kind: 'shell' },
      abilities: random.chance(0.5) ? ['shell'] : ['read', 'shell'],
      mayDelegate: random.chance(0.7),
    }
  }
}

/** In the order of the fold, genesis first: for cutting a log in two. */
export const inOrder = (operations: Iterable<Operation>, me: PersonId): readonly Operation[] =>
  orderOperations(operations, emptyState(me), () => false).operations
