import { describe, expect, it } from 'vitest'
import { toHex } from '../../base/bytes.ts'
import type { DeviceId } from '../../base/ids.ts'
import { AuthorityAuthor, authorityDataset, authorityDevice, authorityPerson, entryOf } from '../../testkit/authority-world.ts'
import { currentRotation, type AuthorityState } from './authority-state.ts'
import { foldAuthority } from './fold-authority.ts'
import type { Grant, Operation } from './operation.ts'
import { outcomeOfRemoval, waysToRemove } from './removal-ways.ts'
import { encodeState } from './state-codec.ts'

const [L, P, S, T, X] = ['laptop', 'phone', 'server', 'tablet', 'stranger'].map(authorityDevice) as [
  DeviceId,
  DeviceId,
  DeviceId,
  DeviceId,
  DeviceId,
]
const remove = (device: DeviceId) => ({ kind: 'remove-device' as const, device, lastCounted: [] })
const add = (device: DeviceId, role: 'admin' | 'member' = 'member', name?: string) => ({
  kind: 'add-device' as const,
  role,
  entry: entryOf(device, name),
})
const shell = (more: Partial<Grant> = {}): Grant => ({
  person: authorityPerson('me'),
  target: { kind: 'shell' },
  abilities: ['shell'],
  mayDelegate: true,
  ...more,
})

/** Laptop, phone and server are admins, in this order; the tablet is a member that the phone added. */
function family() {
  const author = new AuthorityAuthor()
  const { me } = author
  const l = author.say(me, [author.genesis], add(L, 'admin'))
  const p = author.say(me, [l], add(P, 'admin'))
  const s = author.say(me, [p], add(S, 'admin'))
  const t = author.say(P, [s], add(T))
  const fold = () => foldAuthority(me, author.all.values())
  return { author, me, t, fold }
}

const members = (state: AuthorityState) => [...state.devices.values()].filter(({ member }) => member).map(({ device }) => device)
const isIn = (state: AuthorityState, device: DeviceId) => members(state).includes(device)

function everyOrder(list: readonly Operation[]): Operation[][] {
  if (list.length < 2) return [[...list]]
  return list.flatMap((first, i) => everyOrder([...list.slice(0, i), ...list.slice(i + 1)]).map((rest) => [first, ...rest]))
}

describe('who belongs', () => {
  it('[ID54] the founding, two admins, a member and a grant give one state in all 720 orders', () => {
    const { author, me, t } = family()
    author.say(L, [t], { kind: 'grant', grant: shell() })
    const all = [...author.all.values()]
    expect(all).toHaveLength(6)
    const states = new Set(everyOrder(all).map((order) => toHex(encodeState(foldAuthority(me, order).state))))
    expect(states.size).toBe(1)
    expect(members(foldAuthority(me, all).state).sort()).toEqual([L, P, S, T].sort())
  })

  it('[ID56] only the root makes admins; a member adds nobody', () => {
    const { author, t, fold } = family()
    const sneaked = author.say(P, [t], add(X, 'admin'))
    const promoted = author.say(L, [t], { kind: 'role', role: 'admin', entry: entryOf(T) })
    const byMember = author.say(T, [t], add(X))
    const { state, voided } = fold()
    expect([sneaked, promoted, byMember].map(({ id }) => voided.get(id))).toEqual(['not-allowed', 'not-allowed', 'not-allowed'])
    expect(isIn(state, X)).toBe(false)
    expect(state.devices.get(T)?.admin).toBeUndefined()
  })

  it('[ID56] a stranger says nothing; what hangs on nothing waits', () => {
    const { author, t, fold } = family()
    const outside = author.say(X, [t], remove(L))
    const lost = foldAuthority(
      author.me,
      [...author.all.values()].filter(({ id }) => id !== t.id),
    )
    expect(fold().voided.get(outside.id)).toBe('not-a-member')
    expect(lost.waiting.map(({ id }) => id)).toEqual([outside.id])
  })

  it('[ID56] a log begins with its own person, and with no other', () => {
    const other = new AuthorityAuthor(authorityPerson('other'))
    const { state, waiting } = foldAuthority(authorityPerson('me'), [other.genesis])
    expect([state.count, waiting.length]).toEqual([0, 1])
  })

  it('[ID56] an add by another admin takes away neither the key nor the name of a member', () => {
    const { author, t, fold } = family()
    author.say(S, [t], add(L, 'member', 'mine now'))
    const { state } = fold()
    expect(state.devices.get(L)).toMatchObject({ name: entryOf(L).name, boxKey: entryOf(L).boxKey })
    expect(state.devices.get(L)?.admin).toBeDefined()
  })
})

describe('strong remove', () => {
  it('[ID55] what a removed device did unseen is void, with all that hangs on it', () => {
    const { author, t, fold } = family()
    author.say(L, [t], remove(P))
    const sneaked = author.say(P, [t], add(X))
    const child = author.say(X, [sneaked], { kind: 'rename', device: X, name: 'kept' })
    const granted = author.say(P, [t], { kind: 'grant', grant: shell() })
    const { state, voided } = fold()
    expect([sneaked, child, granted].map(({ id }) => voided.get(id))).toEqual(['removed', 'not-a-member', 'removed'])
    expect(members(state).sort()).toEqual([L, S, T].sort())
    expect(state.grants.size).toBe(0)
  })

  it('[ID55] what the removal had seen stays: the tablet that the phone added', () => {
    const { author, t, fold } = family()
    author.say(L, [t], remove(P))
    expect(isIn(fold().state, T)).toBe(true)
  })

  it('[ID55] an act dated back before its removal is void, too', () => {
    const { author, t, fold } = family()
    const removal = author.say(L, [t], remove(P))
    author.say(L, [removal], { kind: 'rename', device: S, name: 'box' })
    const late = author.say(P, [author.genesis, t], { kind: 'grant', grant: shell() })
    expect(fold().voided.get(late.id)).toBe('removed')
  })

  it('[ID55] removing beats an add made at once; an add that knows of the removal counts', () => {
    const { author, t, fold } = family()
    const removal = author.say(L, [t], remove(T))
    author.say(S, [t], add(T))
    expect(isIn(fold().state, T)).toBe(false)
    author.say(S, [removal], add(T))
    expect(isIn(fold().state, T)).toBe(true)
  })

  it('[ID58] two admins who remove each other: the senior stays', () => {
    const { author, t, fold } = family()
    author.say(L, [t], remove(P))
    author.say(P, [t], remove(L))
    const { state } = fold()
    expect([isIn(state, L), isIn(state, P)]).toEqual([true, false])
  })

  it('[ID58] the root removes anyone, whatever that one says meanwhile', () => {
    const { author, me, t, fold } = family()
    author.say(me, [t], remove(L))
    author.say(L, [t], remove(P))
    author.say(L, [t], remove(S))
    expect(members(fold().state).sort()).toEqual([P, S, T].sort())
  })

  it('[ID63] a removal says which envelopes of the device still count', () => {
    const { author, t, fold } = family()
    const lastCounted = [{ doc: 'workspace', start: '0102030405060708', seq: 42 }]
    author.say(L, [t], { kind: 'remove-device', device: T, lastCounted })
    expect(fold().state.devices.get(T)?.removed?.lastCounted).toEqual(lastCounted)
  })
})

describe('removing a senior', () => {
  it('[ID57] one junior only asks; a second one removes', () => {
    const { author, t, fold } = family()
    const asked = author.say(P, [t], remove(L))
    const first = fold()
    expect(first.voided.get(asked.id)).toBe('waits-for-second')
    expect(isIn(first.state, L)).toBe(true)
    author.say(S, [asked], remove(L))
    const { state } = fold()
    expect([isIn(state, L), state.votes.length]).toEqual([false, 0])
  })

  it('[ID57] two who ask at once remove, too; one who asks twice does not', () => {
    const { author, t, fold } = family()
    const once = author.say(S, [t], remove(L))
    author.say(S, [once], remove(L))
    expect(isIn(fold().state, L)).toBe(true)
    author.say(P, [t], remove(L))
    expect(isIn(fold().state, L)).toBe(false)
  })

  it('[ID57] the vote of an admin who was removed since no longer counts', () => {
    const { author, t, fold } = family()
    const asked = author.say(S, [t], remove(L))
    const out = author.say(L, [asked], remove(S))
    author.say(P, [out], remove(L))
    const { state } = fold()
    expect([isIn(state, L), isIn(state, S)]).toEqual([true, false])
    expect(state.votes).toHaveLength(1)
  })

  it('[ID58] two admins outrank the one they remove: removing one of them meanwhile saves it not', () => {
    const { author, t, fold } = family()
    author.say(P, [t], remove(L))
    author.say(S, [t], remove(L))
    author.say(L, [t], remove(S))
    const { state } = fold()
    expect([isIn(state, L), isIn(state, S)]).toEqual([false, true])
  })

  it('[ID58] a ring of removals ends alike in every order', () => {
    const { author, me, t } = family()
    const ring = [
      author.say(P, [t], remove(S)),
      author.say(S, [t], remove(L)),
      author.say(L, [t], remove(P)),
      author.say(P, [t], remove(L)),
    ]
    const rest = [...author.all.values()].filter((one) => !ring.includes(one))
    const states = everyOrder(ring).map((order) => foldAuthority(me, [...order, ...rest]).state)
    expect(new Set(states.map((state) => toHex(encodeState(state)))).size).toBe(1)
    // Two together are the strongest: the laptop is out, its act void; so the phone stays, and what it did to the server stands.
    expect(members(states[0] as AuthorityState).sort()).toEqual([P, T].sort())
  })

  it('[ID60] the ways to remove are exactly those that work', () => {
    const { author, t, fold } = family()
    let last = t
    for (const asks of [false, true]) {
      if (asks) last = author.say(S, [t], remove(L))
      const { state } = fold()
      for (const target of [L, P, S, T, X]) {
        for (const by of [L, P, S, T, X]) {
          const tried = new AuthorityAuthor()
          for (const [id, one] of author.all) tried.all.set(id, one)
          tried.say(by, [last], remove(target), 99)
          const after = foldAuthority(author.me, tried.all.values()).state
          const worked = isIn(state, target) && !isIn(after, target)
          expect([target, by, outcomeOfRemoval(state, target, by) === 'removed']).toEqual([target, by, worked])
        }
      }
    }
    expect(waysToRemove(fold().state, L)).toEqual({ alone: [L], together: { asked: [S], open: [P], missing: 1 } })
    expect(waysToRemove(fold().state, X)).toEqual({ alone: [] })
  })
})

describe('what admins say', () => {
  it('[ID61] a delegation is narrower, made by who holds the grant, and goes with it', () => {
    const { author, me, t, fold } = family()
    const granted = author.say(L, [t], { kind: 'grant', grant: shell({ person: me, device: T, untilMs: 100 }) })
    const friend = authorityPerson('friend')
    const narrower = author.say(T, [granted], {
      kind: 'delegate',
      from: granted.id,
      grant: shell({ person: friend, untilMs: 50, mayDelegate: false }),
    })
    const wider = author.say(T, [narrower], { kind: 'delegate', from: granted.id, grant: shell({ person: friend }) })
    const byOther = author.say(P, [wider], { kind: 'delegate', from: granted.id, grant: shell({ person: friend, untilMs: 50 }) })
    expect([...fold().voided]).toEqual([
      [wider.id, 'not-allowed'],
      [byOther.id, 'not-allowed'],
    ])
    expect([...fold().state.grants.keys()].sort()).toEqual([granted.id, narrower.id].sort())
    author.say(S, [byOther], { kind: 'revoke', target: granted.id })
    expect(fold().state.grants.size).toBe(0)
  })

  it('[ID62] of two epochs made at once the lower id counts, everywhere', () => {
    const { author, t, fold } = family()
    const dataset = authorityDataset('photos')
    const made = [
      author.say(L, [t], { kind: 'rotate', dataset, epoch: 1, wraps: [] }),
      author.say(P, [t], { kind: 'rotate', dataset, epoch: 1, wraps: [] }),
    ]
    expect(currentRotation(fold().state, dataset)?.id).toBe(made.map(({ id }) => id).sort()[0])
    expect(fold().state.rotations.get(dataset)).toHaveLength(2)
  })

  it('[ID64] a sequence number used twice is a fork, and told', () => {
    const { author, t, fold } = family()
    author.say(T, [t], { kind: 'rename', device: T, name: 'one' }, 1)
    expect(fold().state.forks.size).toBe(0)
    author.say(T, [t], { kind: 'rename', device: T, name: 'two' }, 1)
    expect([...fold().state.forks.keys()]).toEqual([T])
  })

  it('[ID56] contacts and names: the later one counts', () => {
    const { author, t, fold } = family()
    const person = authorityPerson('ada')
    const first = author.say(L, [t], { kind: 'contact', person, name: 'Ada', checkedBy: 'qr' })
    const second = author.say(P, [first], { kind: 'contact', person, name: 'Ada L.', checkedBy: 'words' })
    expect(fold().state.contacts.get(person)).toMatchObject({ name: 'Ada L.', checkedBy: 'words' })
    author.say(L, [second], { kind: 'revoke', target: second.id })
    expect(fold().state.contacts.size).toBe(0)
  })
})
