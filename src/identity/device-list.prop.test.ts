import { describe, expect, it } from 'vitest'
import { toBase58 } from '../base/base58.ts'
import { toHex } from '../base/bytes.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import type { PersonId } from '../base/ids.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import { DeviceKeys } from './device-keys.ts'
import { DeviceList } from './device-list.ts'
import { IdentityError } from './identity-error.ts'

const SEED = seedOfRun()
const ROUNDS = roundsOfRun(25, 800)
const crypto = new SodiumCrypto()
const DEVICES = 6
const STEPS = 60

/** Devices of one person that add, rename and remove each other, cut off from each other most of the time. */
async function life(seed: number): Promise<{ members: number; acts: Map<string, number> }> {
  const random = new SeededRandom(seed)
  const clock = new ManualClock(1_700_000_000_000)
  const root = crypto.signingKey(random.bytes(32))
  const person = toBase58(root.publicKey) as PersonId
  const stores = Array.from({ length: DEVICES }, () => new MemoryKeyValueStore())
  const open = (n: number) => DeviceList.open({ crypto, clock, person, store: stores[n] as MemoryKeyValueStore })
  const devices = Array.from({ length: DEVICES }, (_, n) => ({ n, keys: DeviceKeys.create(crypto, person), list: open(n) }))
  const introduce = ({ n, keys }: (typeof devices)[number]) => ({
    device: keys.device,
    boxKey: keys.box.publicKey,
    name: `device ${n}`,
    platform: 'linux',
  })
  const [first] = devices as [(typeof devices)[number]]
  first.list.found(introduce(first), root)
  const acts = new Map<string, number>()
  for (let i = 0; i < STEPS; i++) {
    clock.advance(random.below(5000) - 1000) // clocks go back, too
    const [by, about] = [random.pick(devices), random.pick(devices)]
    const act = random.pick(['add', 'add', 'rename', 'remove', 'meet', 'meet', 'meet', 'restart'] as const)
    let end = 'ok'
    try {
      if (act === 'add') by.list.add(introduce(about), by.keys.signer)
      else if (act === 'rename') by.list.rename(about.keys.device, `named ${i}`, by.keys.signer)
      else if (act === 'remove' && about !== first) by.list.remove(about.keys.device, by.keys.signer)
      else if (act === 'meet') about.list.merge(by.list.encode())
      else if (act === 'restart') by.list = open(by.n)
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error
      end = error.code
    }
    acts.set(`${act}: ${end}`, (acts.get(`${act}: ${end}`) ?? 0) + 1)
  }
  // The cut is over: everybody meets everybody, in an order of its own, twice.
  for (let pass = 0; pass < 2; pass++) {
    for (const a of devices) for (const b of devices) if (a !== b) b.list.merge(a.list.encode())
  }
  const [reference] = devices as [(typeof devices)[number]]
  for (const { list, n } of devices) {
    expect(toHex(list.encode()), `device ${n}`).toBe(toHex(reference.list.encode()))
    expect(open(n).encode()).toEqual(list.encode())
  }
  return { members: reference.list.members.length, acts }
}

describe('device lists of cut-off devices', () => {
  it(`[ID20] end equal, whoever said what where, in ${ROUNDS} lives from seed ${SEED}`, { timeout: 300_000 }, async () => {
    const seen = new Set<string>()
    const sizes = new Set<number>()
    for (let round = 0; round < ROUNDS; round++) {
      const { members, acts } = await life(SEED + round)
      sizes.add(members)
      for (const act of acts.keys()) seen.add(act)
    }
    expect(sizes.size).toBeGreaterThan(1)
    for (const act of ['add: ok', 'rename: ok', 'remove: ok', 'add: devices/refused', 'rename: devices/unknown'])
      expect(seen).toContain(act)
  })
})
