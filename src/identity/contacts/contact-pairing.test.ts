import { beforeEach, describe, expect, it } from 'vitest'
import { toBase58 } from '../../base/base58.ts'
import { publicKeyOf, type DeviceId, type PersonId } from '../../base/ids.ts'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { createPipes, type MemoryPipes } from '../../testkit/memory-pairing-pipe.ts'
import { MemoryAuthorityStore } from '../authority/authority-store.ts'
import { DeviceKeys } from '../device-keys.ts'
import { DeviceList } from '../device-list.ts'
import { Pairing } from '../pairing.ts'
import type { ContactOffer, PairingIntroduction } from '../pairing-wire.ts'
import { safetyWords } from '../safety-words.ts'

const crypto = new SodiumCrypto()
const settle = () => new Promise((resolve) => setImmediate(resolve))
type Taken = Parameters<NonNullable<ConstructorParameters<typeof Pairing>[0]['contacts']>['acquaint']>[0]

/** A person with one device and a real log, who may lie about either. */
class Somebody {
  readonly keys: DeviceKeys
  readonly list: DeviceList
  readonly taken: Taken[] = []
  readonly pairing: Pairing
  introduction: PairingIntroduction
  offer: () => ContactOffer

  constructor(name: string, clock: ManualClock) {
    const root = crypto.signingKey(crypto.bytes(32))
    const person = toBase58(root.publicKey) as PersonId
    this.keys = DeviceKeys.create(crypto, person)
    this.list = DeviceList.open({ crypto, clock, person, store: new MemoryKeyValueStore(), authority: new MemoryAuthorityStore() })
    const own = { device: this.keys.device, boxKey: this.keys.box.publicKey, name: `${name}'s laptop`, platform: 'linux' }
    this.list.found(own, root)
    this.introduction = { ...own, personName: name, person }
    this.offer = () => ({ log: this.list.encode(), places: [`ws://${name.toLowerCase()}.example/`] })
    this.pairing = new Pairing({
      crypto,
      clock,
      self: () => this.introduction,
      sign: (message) => this.keys.signer.sign(message),
      contacts: {
        card: () => this.offer(),
        acquaint: (theirs) => void this.taken.push({ ...theirs, meeting: theirs.meeting.slice() }),
      },
    })
  }
}

describe('two persons become contacts', () => {
  let clock: ManualClock
  let ada: Somebody
  let bob: Somebody
  beforeEach(() => {
    clock = new ManualClock(1_700_000_000_000)
    ;[ada, bob] = [new Somebody('Ada', clock), new Somebody('Bob', clock)]
    return () => {
      for (const one of [ada, bob]) one.pairing.dispose()
    }
  })

  const meet = async (typed: string, pipes: MemoryPipes = createPipes()) => {
    const { number } = bob.pairing.join(typed)
    ada.pairing.attach(pipes.offer, number)
    bob.pairing.attach(pipes.join)
    await settle()
    return pipes
  }
  const bothSayYes = async () => {
    ada.pairing.confirm(true)
    bob.pairing.confirm(true)
    for (let i = 0; i < 4; i++) await settle()
  }

  it.each(['code', 'link'] as const)(
    '[ID152] by %s: names and the same words first, then each has the other and a place of both',
    async (by) => {
      ada.pairing.offer()
      await meet(ada.pairing.state[by] as string)
      const words = safetyWords(crypto, [
        publicKeyOf(ada.list.person as string as DeviceId),
        publicKeyOf(bob.list.person as string as DeviceId),
      ])
      expect(ada.pairing.state).toMatchObject({ step: 'confirm', personName: 'Bob', deviceName: "Bob's laptop", safetyWords: words })
      expect(bob.pairing.state).toMatchObject({ step: 'confirm', personName: 'Ada', deviceName: "Ada's laptop", safetyWords: words })
      expect([ada.taken, bob.taken]).toEqual([[], []])
      await bothSayYes()
      expect([ada.pairing.state.step, bob.pairing.state.step]).toEqual(['done', 'done'])
      expect(ada.taken[0]).toMatchObject({ peer: bob.introduction, offer: bob.offer(), wasLink: by === 'link' })
      expect(bob.taken[0]).toMatchObject({ peer: ada.introduction, offer: ada.offer(), wasLink: by === 'link' })
      expect(ada.taken[0]?.meeting).toEqual(bob.taken[0]?.meeting)
      expect(ada.taken[0]?.meeting).toHaveLength(32)
      expect(ada.list.members.map(({ device }) => device)).toEqual([ada.keys.device])
      expect(bob.list.members.map(({ device }) => device)).toEqual([bob.keys.device])
    },
  )

  it('[ID152] one no, and neither has anything', async () => {
    ada.pairing.offer()
    await meet(ada.pairing.state.code as string)
    ada.pairing.confirm(true)
    bob.pairing.confirm(false)
    for (let i = 0; i < 4; i++) await settle()
    expect([ada.pairing.state.error?.code, bob.pairing.state.error?.code]).toEqual(['pairing/declined', 'pairing/declined'])
    expect([ada.taken, bob.taken]).toEqual([[], []])
  })

  it.each([
    ['with the log of that person', () => ({ log: carol().list.encode(), places: [] })],
    ['with its own log', () => ({ log: bob.list.encode(), places: [] })],
    ['with a list of before there was a log', () => ({ log: carol().list.encodeStatements(), places: [] })],
    ['with garbage', () => ({ log: crypto.bytes(400), places: [] })],
  ])("[ID152] a device that claims another's person %s is refused, and not kept", async (_, offer) => {
    carolOf = new Somebody('Carol', clock)
    bob.introduction = { ...bob.introduction, person: carol().list.person }
    bob.offer = offer
    ada.pairing.offer()
    await meet(ada.pairing.state.code as string)
    expect(ada.pairing.state.step).toBe('confirm')
    await bothSayYes()
    expect(ada.pairing.state.step).toBe('failed')
    expect(ada.taken).toEqual([])
  })
  let carolOf: Somebody
  const carol = () => carolOf

  it('[ID152] a box key that is not the one in the log is refused', async () => {
    bob.introduction = { ...bob.introduction, boxKey: crypto.bytes(32) }
    ada.pairing.offer()
    await meet(ada.pairing.state.code as string)
    await bothSayYes()
    expect([ada.pairing.state.error?.code, ada.taken]).toEqual(['pairing/refused', []])
  })

  it('[ID152] an invitation is good once: whoever stole it finds it used up, before and after the yes', async () => {
    ada.pairing.offer()
    const link = ada.pairing.state.link as string
    await meet(link)
    const thief = new Somebody('Mallory', clock)
    const knock = async () => {
      const pipes = createPipes()
      const { number } = thief.pairing.join(link)
      ada.pairing.attach(pipes.offer, number)
      thief.pairing.attach(pipes.join)
      await settle()
      return pipes.offer.isClosed
    }
    expect(await knock()).toBe(true)
    await bothSayYes()
    expect(await knock()).toBe(true)
    expect([ada.taken.map(({ peer }) => peer.personName), thief.taken]).toEqual([['Bob'], []])
    thief.pairing.dispose()
  })

  it('[ID152] a device of one’s own is no contact', async () => {
    bob.introduction = { ...bob.introduction, person: ada.list.person }
    ada.pairing.offer()
    await meet(ada.pairing.state.code as string)
    expect(ada.pairing.state.error?.code).toBe('pairing/refused')
  })

  it('[ID152] no code or link to join by makes a contact, and none for contacts adds a device', async () => {
    const { introduction, keys } = bob
    const { person: _, ...device } = introduction
    const admitted: unknown[] = []
    const joining = new Pairing({
      crypto,
      clock,
      self: () => device,
      sign: (message) => keys.signer.sign(message),
      admit: async (peer) => {
        admitted.push(peer)
        throw new Error('never')
      },
      adopt: async (grant) => void admitted.push(grant),
    })
    ada.pairing.offer()
    expect(() => joining.join(ada.pairing.state.link as string)).toThrow(expect.objectContaining({ code: 'pairing/bad-code' }))
    const { number } = joining.join(ada.pairing.state.code as string)
    expect(number.startsWith('contact-')).toBe(false)
    // Also where somebody brings them together all the same: the keys of the run differ.
    const pipes = createPipes()
    ada.pairing.attach(pipes.offer)
    joining.attach(pipes.join)
    await settle()
    expect([ada.pairing.state.error?.code, joining.state.error?.code]).toEqual(['pairing/wrong-code', 'pairing/wrong-code'])
    joining.offer()
    expect(() => ada.pairing.join(joining.state.link as string)).toThrow(expect.objectContaining({ code: 'pairing/bad-code' }))
    expect([ada.taken, admitted]).toEqual([[], []])
    joining.dispose()
  })
})
