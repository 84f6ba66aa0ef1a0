import { describe, expect, it } from 'vitest'
import { toBase58 } from '../../base/base58.ts'
import { toHex } from '../../base/bytes.ts'
import type { DeviceId, PersonId } from '../../base/ids.ts'
import { StoreError } from '../../base/store-error.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import type { SigningKey } from '../crypto.ts'
import { AuthorityLog, type AuthorityReport } from './authority-log.ts'
import { MemoryAuthorityStore, type StoredCheckpoint, type StoredOperation } from './authority-store.ts'
import { foldAuthority } from './fold-authority.ts'
import { parse, signOperation } from './operation-codec.ts'
import type { OperationSigner } from './operation.ts'
import { encodeState } from './state-codec.ts'

const crypto = new SodiumCrypto()
const clock = new ManualClock()
const keyOf = (seed: number): SigningKey => crypto.signingKey(new Uint8Array(32).fill(seed))
const signerOf = (seed: number): OperationSigner => {
  const key = keyOf(seed)
  return { by: toBase58(key.publicKey) as DeviceId, sign: (message) => key.sign(message) }
}
const ROOT = signerOf(1)
const PERSON = ROOT.by as PersonId
const [L, P, S] = [signerOf(2), signerOf(3), signerOf(4)]
const entryOf = ({ by }: OperationSigner, name = 'device') => ({
  device: by as DeviceId,
  boxKey: new Uint8Array(32).fill(9),
  name,
  platform: 'linux',
})
const add = (signer: OperationSigner, role: 'admin' | 'member' = 'member') => ({
  kind: 'add-device' as const,
  role,
  entry: entryOf(signer),
})
const rename = ({ by }: OperationSigner, name: string) => ({ kind: 'rename' as const, device: by as DeviceId, name })

function open(store = new MemoryAuthorityStore(), self?: OperationSigner) {
  const log = AuthorityLog.open({ crypto, clock, person: PERSON, store, checkpointEvery: 4, ...(self ? { self: self.by } : {}) })
  const reports: AuthorityReport[] = []
  log.onDidReport((report) => reports.push(report))
  return { log, store, reports }
}

const bytesOf = (store: MemoryAuthorityStore): Uint8Array[] => store.read(0).map(({ bytes }) => bytes)
const shape = (log: AuthorityLog): string => toHex(encodeState(log.state))
/** The state that a fold of everything stored gives, without any checkpoint. */
const fullFold = (store: MemoryAuthorityStore): string =>
  toHex(
    encodeState(
      foldAuthority(
        PERSON,
        bytesOf(store).map((bytes) => parse(crypto, bytes)),
      ).state,
    ),
  )

/** `to` asks `from` until there is nothing more. */
function pull(to: AuthorityLog, from: AuthorityLog, maxBytes = 700): void {
  const have = to.landmarks()
  for (let skip = 0; ; ) {
    const operations = from.missingFor({ have, skip }, maxBytes)
    if (operations.length === 0) return
    to.receive(operations.map(({ bytes }) => bytes))
    skip += operations.length
  }
}

function founded() {
  const laptop = open(undefined, L)
  laptop.log.append(add(L, 'admin'), ROOT)
  laptop.log.append(add(P, 'admin'), ROOT)
  laptop.log.append(add(S), L)
  return laptop
}

describe('AuthorityLog', () => {
  it('[ID65] opens as it was, with and without a checkpoint behind it', () => {
    const { log, store } = founded()
    expect(store.checkpoints()).toHaveLength(1)
    for (let n = 0; n < 9; n++) log.append(rename(S, `name ${n}`), S)
    expect(store.checkpoints().length).toBeGreaterThan(2)
    expect(shape(open(store).log)).toBe(shape(log))
    for (const { count } of store.checkpoints()) store.dropCheckpoint(count)
    expect(shape(open(store).log)).toBe(shape(log))
    expect(log.state.devices.get(S.by as DeviceId)?.name).toBe('name 8')
  })

  it('[ID59] what comes late refolds from the checkpoint before; the state is that of a full fold', () => {
    const laptop = founded()
    const phone = open(undefined, P)
    pull(phone.log, laptop.log)
    phone.log.append({ kind: 'remove-device', device: S.by as DeviceId, lastCounted: [] }, P) // knows nothing of what follows
    for (let n = 0; n < 13; n++) laptop.log.append(rename(S, `name ${n}`), S)
    const before = laptop.store.checkpoints().map(({ count }) => count)
    pull(laptop.log, phone.log)
    expect(laptop.store.checkpoints().map(({ count }) => count)).not.toEqual(before)
    expect(shape(laptop.log)).toBe(fullFold(laptop.store))
    expect(laptop.log.state.devices.get(S.by as DeviceId)).toMatchObject({ member: undefined, name: 'device' })
    expect(shape(open(laptop.store).log)).toBe(shape(laptop.log))
  })

  it('[ID66] a damaged, foreign or too long checkpoint is of no use, and does no harm', () => {
    const { log, store } = founded()
    store.putCheckpoint({ count: 4, state: Uint8Array.of(9, 9, 9) })
    store.putCheckpoint({ count: 3, state: store.checkpoints()[0]?.state as Uint8Array })
    store.putCheckpoint({ count: 99, state: encodeState(log.state) })
    expect(shape(open(store).log)).toBe(shape(log))
    expect(store.checkpoints()).toHaveLength(0)
  })

  it('[ID70] a removal that comes late takes effect and is told while the disk is full, checkpoints and all', () => {
    class FullDisk extends MemoryAuthorityStore {
      isFull = false
      #write<T>(work: () => T): T {
        if (this.isFull) throw StoreError.diskFull('the store')
        return work()
      }
      override append(operations: readonly StoredOperation[]): void {
        this.#write(() => super.append(operations))
      }
      override putCheckpoint(checkpoint: StoredCheckpoint): void {
        this.#write(() => super.putCheckpoint(checkpoint))
      }
      override dropCheckpoint(count: number): void {
        this.#write(() => super.dropCheckpoint(count))
      }
    }
    const disk = new FullDisk()
    const laptop = open(disk, L)
    for (const body of [add(L, 'admin'), add(P, 'admin'), add(S)]) laptop.log.append(body, ROOT)
    const phone = open(undefined, P)
    pull(phone.log, laptop.log)
    phone.log.append({ kind: 'remove-device', device: S.by as DeviceId, lastCounted: [] }, P)
    for (let n = 0; n < 13; n++) laptop.log.append(rename(S, `name ${n}`), S)
    const isMember: boolean[] = []
    laptop.log.onDidChange(({ devices }) => isMember.push(devices.get(S.by as DeviceId)?.member !== undefined))
    disk.isFull = true
    expect(() => laptop.log.receive(bytesOf(phone.store))).toThrow(expect.objectContaining({ code: 'store/disk-full' }))
    expect(isMember).toEqual([false])
    disk.isFull = false
    laptop.log.append(rename(L, 'desk'), L)
    expect(shape(open(disk).log)).toBe(shape(laptop.log))
    expect(shape(laptop.log)).toBe(fullFold(disk))
  })

  it('[ID66] a checkpoint that cannot be written keeps no change from being told, and is written with a later one', () => {
    class NoCheckpoints extends MemoryAuthorityStore {
      isFull = true
      override putCheckpoint(checkpoint: StoredCheckpoint): void {
        if (this.isFull) throw StoreError.diskFull('the store')
        super.putCheckpoint(checkpoint)
      }
    }
    const disk = new NoCheckpoints()
    const { log } = open(disk, L)
    let changes = 0
    log.onDidChange(() => changes++)
    for (const body of [add(L, 'admin'), add(P, 'admin'), add(S), rename(S, 'desk')]) log.append(body, ROOT)
    expect([changes, disk.checkpoints().length]).toEqual([4, 0])
    disk.isFull = false
    log.append(rename(S, 'box'), ROOT)
    expect(disk.checkpoints()).toHaveLength(1)
  })

  it('[ID68] takes in any order; what rests on nothing waits and is asked for', () => {
    const laptop = founded()
    const [genesis, ...rest] = bytesOf(laptop.store)
    const phone = open()
    const early = phone.log.receive(rest.toReversed())
    expect([early.taken.length, early.missing]).toEqual([0, [laptop.store.idAt(0)]])
    expect(phone.log.receive([genesis as Uint8Array]).taken).toHaveLength(4)
    expect(shape(phone.log)).toBe(shape(laptop.log))
  })

  it('[ID56] strangers, other persons and broken lines are refused by name; the rest is taken', () => {
    const laptop = founded()
    const stranger = open(new MemoryAuthorityStore(), signerOf(7))
    pull(stranger.log, laptop.log)
    expect(() => stranger.log.append(rename(S, 'mine'), signerOf(7))).toThrow(expect.objectContaining({ code: 'authority/refused' }))
    const strange = { seq: 1, atMs: 0, prevs: [...stranger.log.state.heads.keys()], body: rename(S, 'mine') }
    const said = signOperation(crypto, strange, signerOf(7)).bytes
    const foreign = AuthorityLog.open({ crypto, clock, person: signerOf(8).by as PersonId, store: new MemoryAuthorityStore() })
    foreign.append(add(L, 'admin'), signerOf(8))
    const theirs = foreign.missingFor({ have: [], skip: 0 }, 9_999).map(({ bytes }) => bytes)
    const broken = (bytesOf(laptop.store)[2] as Uint8Array).slice()
    broken[40] = (broken[40] as number) ^ 1
    const phone = open()
    const { taken, refused } = phone.log.receive([...bytesOf(stranger.store), said, ...theirs, broken])
    expect(taken).toHaveLength(4)
    expect(refused.map(({ code }) => code).sort()).toEqual(['authority/malformed', 'authority/refused', 'authority/refused'])
    expect(shape(phone.log)).toBe(shape(laptop.log))
  })

  it('[ID57] one junior admin asks; the second removes', () => {
    const { log } = founded()
    log.append(add(S, 'admin'), ROOT)
    const remove = { kind: 'remove-device' as const, device: L.by as DeviceId, lastCounted: [] }
    expect(log.append(remove, S)).toBe('waits-for-second')
    expect(log.append(remove, P)).toBeUndefined()
    expect(log.state.devices.get(L.by as DeviceId)?.member).toBeUndefined()
  })

  it('[ID64] a copied folder is a fork; [ID67] a store set back hears of its own lost lines', () => {
    const laptop = founded()
    const copy = open(structuredCloneStore(laptop.store), L)
    laptop.log.append(rename(S, 'here'), L)
    copy.log.append(rename(S, 'there'), L)
    const phone = open(undefined, P)
    pull(phone.log, laptop.log)
    pull(phone.log, copy.log)
    expect(phone.reports).toMatchObject([{ kind: 'fork', signer: L.by }])
    pull(copy.log, phone.log)
    expect(copy.reports.map(({ kind }) => kind).sort()).toEqual(['fork', 'own-rollback'])
  })

  it('[ID59] whoever writes, pulls, restarts in whatever order: all end equal, and equal to a full fold', { timeout: 300_000 }, () => {
    const seed = seedOfRun()
    const rounds = roundsOfRun(20, 400)
    for (let round = 0; round < rounds; round++) {
      const random = new SeededRandom(seed + round)
      const signers = [ROOT, L, P, S]
      const stores = signers.map(() => new MemoryAuthorityStore())
      const logs = stores.map((store) => open(store).log)
      logs[0]?.append(add(L, 'admin'), ROOT)
      logs[0]?.append(add(P, 'admin'), ROOT)
      for (let step = 0; step < 60; step++) {
        const at = random.below(4)
        const [log, signer] = [logs[at] as AuthorityLog, signers[at] as OperationSigner]
        const other = random.pick([L, P, S])
        const isNamed = signer === ROOT || log.state.devices.has(signer.by as DeviceId)
        if (!isNamed) {
          pull(log, random.pick(logs))
          continue
        }
        random.pick([
          () => log.append(add(other, random.chance(0.3) ? 'admin' : 'member'), signer),
          () => log.append({ kind: 'remove-device', device: other.by as DeviceId, lastCounted: [] }, signer),
          () => log.append(rename(other, `${step}`), signer),
          () => pull(log, random.pick(logs), 1 + random.below(900)),
          () => pull(log, random.pick(logs)),
          () => pull(log, random.pick(logs)),
          () => (logs[at] = open(stores[at]).log),
        ])()
      }
      for (let i = 0; i < 3; i++) for (const to of logs) for (const from of logs) pull(to, from)
      const shapes = new Set(logs.map(shape))
      expect({ seed: seed + round, states: shapes.size }).toEqual({ seed: seed + round, states: 1 })
      expect({ seed: seed + round, shape: shapes.has(fullFold(stores[0] as MemoryAuthorityStore)) }).toEqual({
        seed: seed + round,
        shape: true,
      })
    }
    console.info(`authority log fuzz: seed ${seed}, ${rounds} families`)
  })
})

function structuredCloneStore(store: MemoryAuthorityStore): MemoryAuthorityStore {
  const copy = new MemoryAuthorityStore()
  copy.append(store.read(0))
  return copy
}
