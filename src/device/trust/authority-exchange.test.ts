import { expect, it, onTestFinished } from 'vitest'
import { toBase58 } from '../../base/base58.ts'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import type { PersonId } from '../../base/ids.ts'
import type { AuthorityReport } from '../../identity/authority/authority-log.ts'
import { MemoryAuthorityStore } from '../../identity/authority/authority-store.ts'
import { HeadsHeard } from '../../identity/authority/heads-heard.ts'
import { DeviceKeys } from '../../identity/device-keys.ts'
import { DeviceList } from '../../identity/device-list.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { AuthorityExchange, type AuthorityNews } from './authority-exchange.ts'
import { voteNotice } from './authority-notice.ts'

const crypto = new SodiumCrypto()
const root = crypto.signingKey(new Uint8Array(32).fill(3))
const person = toBase58(root.publicKey) as PersonId
const clock = new ManualClock()

function machine(name: string) {
  const keys = DeviceKeys.create(crypto, person)
  const authority = new MemoryAuthorityStore()
  const list = DeviceList.open({ crypto, clock, person, store: new MemoryKeyValueStore(), authority, self: keys.device })
  onTestFinished(() => list.dispose())
  const introduction = { device: keys.device, boxKey: keys.box.publicKey, name, platform: 'linux' }
  const reports: AuthorityReport[] = []
  const heard = new HeadsHeard(new MemoryKeyValueStore())
  const exchangeWith = (peer: { keys: DeviceKeys }) =>
    new AuthorityExchange({ devices: list, heard, peer: peer.keys.device, report: (report) => reports.push(report) })
  return { keys, list, introduction, reports, exchangeWith }
}
type Machine = ReturnType<typeof machine>

const names = ({ list }: Machine) => list.members.map(({ name }) => name).sort()
/** `to` asks `from`, as over a link. */
async function pull(to: Machine, from: Machine): Promise<number> {
  let asked = 0
  const pullAuthority = async (question: { have: string[]; skip: number }) => {
    asked++
    return from.exchangeWith(to).answer(question)
  }
  await to.exchangeWith(from).pull({ pullAuthority } as never)
  return asked
}

it('[ID71] a peer that lacks hundreds of operations asks page by page, and then for nothing more', async () => {
  const [laptop, phone] = [machine('laptop'), machine('phone')]
  laptop.list.found(laptop.introduction, root)
  laptop.list.add(phone.introduction, laptop.keys.signer)
  for (let n = 0; n < 700; n++) laptop.list.rename(laptop.keys.device, `name ${n}`, laptop.keys.signer)
  expect(await pull(phone, laptop)).toBeGreaterThan(2)
  expect(names(phone)).toEqual(['name 699', 'phone'])
  expect(await pull(phone, laptop)).toBe(1)
})

it('[ID71] what is new is told with its operations; who misses something before it is told to ask', async () => {
  const [laptop, phone, tablet] = [machine('laptop'), machine('phone'), machine('tablet')]
  laptop.list.found(laptop.introduction, root)
  laptop.list.add(phone.introduction, laptop.keys.signer)
  await pull(phone, laptop)
  const told: AuthorityNews[] = []
  onTestFinished(() => subscription.dispose())
  const subscription = laptop.exchangeWith(phone).onDidTake((news) => told.push(news))
  laptop.list.add(tablet.introduction, laptop.keys.signer)
  laptop.list.rename(tablet.keys.device, 'slate', laptop.keys.signer)
  expect(told.map(({ operations, count }) => [operations.length, count])).toEqual([
    [1, 4],
    [1, 5],
  ])
  const hears = phone.exchangeWith(laptop)
  expect(hears.take(told[1] as AuthorityNews)).toBe(true)
  expect(hears.take(told[0] as AuthorityNews)).toBe(false)
  expect(names(phone)).toEqual(['laptop', 'phone', 'slate'])
})

it('[ID69] a device that still goes by statements takes the log over when it meets one that has it', async () => {
  const [laptop, phone] = [machine('laptop'), machine('phone')]
  const statements = DeviceList.open({ crypto, clock, person, store: new MemoryKeyValueStore() })
  onTestFinished(() => statements.dispose())
  statements.found(laptop.introduction, root)
  statements.add(phone.introduction, laptop.keys.signer)
  for (const { list } of [laptop, phone]) list.merge(statements.encode())
  laptop.list.found(laptop.introduction, root)
  phone.list.merge(laptop.list.encodeStatements())
  expect([phone.list.operationCount, names(phone)]).toEqual([0, ['laptop', 'phone']])
  await pull(phone, laptop)
  expect(phone.list.operationCount).toBe(3)
  expect(phone.list.members.map(({ name, role }) => `${name} ${role}`).sort()).toEqual(['laptop admin', 'phone admin'])
})

it('[ID57] who could second a removal is told of it, and nobody else; it ends when somebody does', async () => {
  const [laptop, phone, server] = [machine('laptop'), machine('phone'), machine('server')]
  laptop.list.found(laptop.introduction, root)
  laptop.list.add(phone.introduction, laptop.keys.signer, root)
  laptop.list.add(server.introduction, laptop.keys.signer, root)
  const told = () => [laptop, phone, server].map(({ keys }) => voteNotice(laptop.list, keys.device)?.message)
  expect(() => laptop.list.remove(laptop.keys.device, server.keys.signer)).toThrow(
    expect.objectContaining({ code: 'devices/needs-second' }),
  )
  expect(told()).toEqual([undefined, expect.stringMatching(/^server asks to remove laptop/), undefined])
  laptop.list.remove(laptop.keys.device, phone.keys.signer)
  expect(told()).toEqual([undefined, undefined, undefined])
})

it('[ID67] a peer that says it knows less than before is reported', async () => {
  const [laptop, phone] = [machine('laptop'), machine('phone')]
  laptop.list.found(laptop.introduction, root)
  laptop.list.add(phone.introduction, laptop.keys.signer)
  await pull(phone, laptop)
  phone.exchangeWith(laptop).take({ operations: [], count: 1 })
  expect(phone.reports).toEqual([{ kind: 'rollback', device: laptop.keys.device, before: 3, now: 1 }])
})

it('[ID67] [ID82] a peer whose data was set back is told of at once: what it proved when it linked is less than before', async () => {
  const [laptop, phone] = [machine('laptop'), machine('phone')]
  laptop.list.found(laptop.introduction, root)
  const before = laptop.list.head
  laptop.list.add(phone.introduction, laptop.keys.signer)
  const exchange = phone.exchangeWith(laptop)
  exchange.hearProved(laptop.list.head)
  expect(phone.reports).toEqual([])
  exchange.hearProved(undefined) // speaks an older version
  exchange.hearProved(before)
  expect(phone.reports).toEqual([{ kind: 'rollback', device: laptop.keys.device, before: 3, now: 2 }])
  await pull(phone, laptop)
  expect(phone.list.head).toEqual(laptop.list.head)
})
