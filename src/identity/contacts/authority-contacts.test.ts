import { beforeEach, describe, expect, it } from 'vitest'
import { toBase58 } from '../../base/base58.ts'
import type { DeviceId, PersonId } from '../../base/ids.ts'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { AuthorityAuthor, authorityDevice, authorityPerson, entryOf } from '../../testkit/authority-world.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { AuthorityGrants } from '../authority/authority-grants.ts'
import type { AuthorityLog } from '../authority/authority-log.ts'
import { MemoryAuthorityStore } from '../authority/authority-store.ts'
import { foldAuthority } from '../authority/fold-authority.ts'
import type { Grant, Operation } from '../authority/operation.ts'
import { decodeState, encodeState } from '../authority/state-codec.ts'
import type { SigningKey } from '../crypto.ts'
import { DeviceKeys } from '../device-keys.ts'
import { DeviceList } from '../device-list.ts'
import { AuthorityContacts, MAX_CONTACTS } from './authority-contacts.ts'
import { type ContactCard, decodeContactCard, encodeContactCard, openContactCard, sealContactCard } from './contact-card.ts'

const crypto = new SodiumCrypto()
const ada = authorityPerson('ada')
const code = (expected: string) => expect.objectContaining({ code: expected })
const card: ContactCard = { name: 'Ada', meeting: new Uint8Array(32).fill(5), places: ['wss://meet.example/'] }
const portFor = (person: PersonId): Grant => ({
  person,
  target: { kind: 'port', port: 8080 },
  abilities: ['ports:share'],
  mayDelegate: false,
})

describe('what is kept of a contact', () => {
  let keys: DeviceKeys
  beforeEach(() => {
    keys = DeviceKeys.create(crypto, ada)
  })

  it('[ID151] survives its encoding, and opens for the person it is about only', () => {
    const sealed = sealContactCard(keys.datasetKeys, ada, card)
    expect(openContactCard(keys.datasetKeys, ada, sealed)).toEqual(card)
    expect(() => openContactCard(keys.datasetKeys, authorityPerson('bob'), sealed)).toThrow(code('vault/unsealable'))
    const others = DeviceKeys.create(crypto, ada)
    expect(() => openContactCard(others.datasetKeys, ada, sealed)).toThrow(code('vault/unsealable'))
    expect(Buffer.from(sealed).includes('Ada')).toBe(false)
  })

  it.each([
    ['no name', { ...card, name: '' }],
    ['a name that turns others around', { ...card, name: 'Ada\u202e' }],
    ['five places', { ...card, places: Array.from({ length: 5 }, (_, i) => `ws://m${i}/`) }],
    ['a place that is none', { ...card, places: ['file:///etc/passwd'] }],
    ['a place that is too long', { ...card, places: [`ws://${'a'.repeat(130)}/`] }],
  ])('[ID151] %s is refused by name', (_, wrong) => {
    expect(() => encodeContactCard(wrong)).toThrow(code('authority/malformed'))
  })

  it('[ID151] cut, longer and of another format, it is refused', () => {
    const bytes = encodeContactCard(card)
    for (let end = 0; end < bytes.length; end++)
      expect(() => decodeContactCard(bytes.subarray(0, end))).toThrow(code('authority/malformed'))
    expect(() => decodeContactCard(Uint8Array.of(...bytes, 0))).toThrow(code('authority/malformed'))
    expect(() => decodeContactCard(Uint8Array.of(9, ...bytes.subarray(1)))).toThrow(code('authority/malformed'))
  })
})

describe('contacts in the log', () => {
  let root: SigningKey
  let list: DeviceList
  let laptop: DeviceKeys
  let phone: DeviceKeys
  let contacts: AuthorityContacts
  let grants: AuthorityGrants
  const as = (keys: DeviceKeys, personKey?: SigningKey) => ({ device: keys.signer, personKey })
  const introduce = (keys: DeviceKeys, name: string) => ({ device: keys.device, boxKey: keys.box.publicKey, name, platform: 'linux' })

  beforeEach(() => {
    root = crypto.signingKey(crypto.bytes(32))
    const person = toBase58(root.publicKey) as PersonId
    ;[laptop, phone] = [DeviceKeys.create(crypto, person), DeviceKeys.create(crypto, person)]
    const clock = new ManualClock(1_700_000_000_000)
    list = DeviceList.open({ crypto, clock, person, store: new MemoryKeyValueStore(), authority: new MemoryAuthorityStore() })
    list.found(introduce(laptop, 'laptop'), root)
    list.add(introduce(phone, 'phone'), laptop.signer)
    contacts = new AuthorityContacts(list.authority as AuthorityLog, laptop.datasetKeys)
    grants = new AuthorityGrants(list.authority as AuthorityLog)
  })

  it('[ID151] an admin makes, renames and removes one; a name is read by own devices only', () => {
    contacts.acquaint(ada, card, 'words', as(laptop))
    expect(contacts.all).toEqual([{ person: ada, name: 'Ada', card, checkedBy: 'words' }])
    contacts.rename(ada, 'Ada from work', as(laptop))
    expect(contacts.find(ada)?.name).toBe('Ada from work')
    expect(contacts.find(ada)?.card?.meeting).toEqual(card.meeting)
    const without = new AuthorityContacts(list.authority as AuthorityLog, phone.datasetKeys)
    expect(without.find(ada)).toEqual({ person: ada, name: `${ada.slice(0, 12)}…`, card: undefined, checkedBy: 'words' })
    contacts.part(ada, as(laptop))
    expect(contacts.all).toEqual([])
    expect(() => contacts.part(ada, as(laptop))).toThrow(code('contact/unknown'))
  })

  it('[ID151] a member may not, with the root key it may; nobody is a contact of oneself', () => {
    expect(() => contacts.acquaint(ada, card, 'words', as(phone))).toThrow(code('contact/refused'))
    contacts.acquaint(ada, card, 'qr', as(phone, root))
    expect(contacts.find(ada)?.checkedBy).toBe('qr')
    expect(() => contacts.acquaint(list.person, card, 'qr', as(laptop))).toThrow(code('contact/refused'))
  })

  it('[ID150] every grant of theirs goes with them, and does not come back with them', () => {
    contacts.acquaint(ada, card, 'words', as(laptop))
    grants.add(portFor(ada), as(laptop))
    contacts.part(ada, as(laptop))
    expect(grants.all).toEqual([])
    contacts.acquaint(ada, card, 'words', as(laptop))
    expect(grants.all).toEqual([])
  })

  it('[ID151] there is room for so many, and for a known one anew', () => {
    for (let i = 0; i < MAX_CONTACTS; i++) contacts.acquaint(authorityPerson(`c${i}`), card, 'qr', as(laptop))
    expect(() => contacts.acquaint(ada, card, 'qr', as(laptop))).toThrow(code('contact/too-many'))
    contacts.acquaint(authorityPerson('c0'), { ...card, name: 'again' }, 'words', as(laptop))
    expect(contacts.find(authorityPerson('c0'))?.name).toBe('again')
  })
})

describe('parting with a contact, while another device does not know of it', () => {
  const [L, P] = [authorityDevice('laptop'), authorityDevice('phone')] as [DeviceId, DeviceId]
  let author: AuthorityAuthor
  let known: Operation
  const acquaint = { kind: 'acquaint' as const, person: ada, checkedBy: 'words' as const, sealed: new Uint8Array(40).fill(1) }
  const part = { kind: 'part' as const, person: ada }
  const fold = () => foldAuthority(author.me, author.all.values())

  beforeEach(() => {
    author = new AuthorityAuthor()
    const l = author.say(author.me, [author.genesis], { kind: 'add-device', role: 'admin', entry: entryOf(L) })
    const p = author.say(author.me, [l], { kind: 'add-device', role: 'admin', entry: entryOf(P) })
    known = author.say(L, [p], acquaint)
  })

  it('[ID150] no grant, card or new acquaintance that had not seen it counts, in whatever order they come', () => {
    author.say(L, [known], part)
    const grant = author.say(P, [known], { kind: 'grant', grant: portFor(ada) })
    const card = author.say(P, [grant], { kind: 'contact-card', person: ada, sealed: new Uint8Array(40).fill(2) })
    author.say(P, [card], acquaint)
    const { state } = fold()
    expect([state.contacts.size, state.grants.size]).toEqual([0, 0])
  })

  it('[ID150] one that had seen it makes them a contact again, without what they had', () => {
    author.say(P, [known], { kind: 'grant', grant: portFor(ada) })
    const parted = author.say(L, [known], part)
    author.say(P, [parted], acquaint)
    const { state } = fold()
    expect([state.contacts.has(ada), state.grants.size]).toEqual([true, 0])
    expect(decodeState(encodeState(state))).toEqual(state)
  })

  it('[ID150] a member parts with nobody, and nobody with the person oneself', () => {
    const member = authorityDevice('tablet')
    const added = author.say(L, [known], { kind: 'add-device', role: 'member', entry: entryOf(member) })
    const byMember = author.say(member, [added], part)
    const own = author.say(L, [byMember], { kind: 'part', person: author.me })
    const { state, voided } = fold()
    expect([voided.get(byMember.id), voided.get(own.id)]).toEqual(['not-allowed', 'no-target'])
    expect(state.contacts.has(ada)).toBe(true)
  })
})
