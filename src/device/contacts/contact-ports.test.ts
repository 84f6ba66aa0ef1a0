import { afterEach, beforeEach, expect, it } from 'vitest'
import type { DeviceId, PersonId } from '../../base/ids.ts'
import { silentLogger } from '../../base/logger.ts'
import type { ContactOfferRow } from '../../identity/contacts-contract.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { ContactPorts } from './contact-ports.ts'
import { DeviceError } from '../device-error.ts'
import type { LinkedContacts } from './linked-contacts.ts'

const [person, device] = ['person' as PersonId, 'device' as DeviceId]
let offers: ContactOfferRow[]
let isLinked: boolean
let listening: Set<number>
let ports: ContactPorts
/** The system takes its time. */
let letListen: () => void
let recorded: string[]

beforeEach(() => {
  offers = [{ kind: 'port', port: 8080, isOpen: true }]
  isLinked = true
  listening = new Set()
  recorded = []
  const linked = {
    sessionOf: () => (isLinked ? { hasMet: true, offers } : undefined),
    require: () => {
      if (isLinked) return { offers }
      throw new DeviceError('contact/away', 'away')
    },
  } as unknown as LinkedContacts
  const listen = async (port: number) => {
    await new Promise<void>((resolve) => (letListen = resolve))
    listening.add(port)
    return { port, dispose: () => void listening.delete(port) }
  }
  const ledger = { record: ({ kind }: { kind: string }) => void recorded.push(kind) }
  ports = new ContactPorts({ sockets: { listen } as never, linked, ledger, clock: new ManualClock(), log: silentLogger })
})
afterEach(() => {
  ports.dispose()
  expect(listening.size).toBe(0)
})

it('[ID154] a port is listened on for as long as it is offered', async () => {
  const opening = ports.open(person, device, 8080)
  letListen()
  expect([await opening, ports.hereOf(person, device, 8080), recorded]).toEqual([8080, 8080, ['port-opened']])
  offers = []
  ports.settle(() => true)
  expect([ports.hereOf(person, device, 8080), recorded]).toEqual([undefined, ['port-opened', 'port-ended']])
})

it.each([
  ['parted with', 'contact/away'],
  ['taken back', 'contact/not-offered'],
] as const)('[ID154] one that is %s while it is being opened is not opened', async (_, code) => {
  const opening = ports.open(person, device, 8080)
  if (code === 'contact/away') isLinked = false
  else offers = []
  ports.settle(() => isLinked)
  letListen()
  await expect(opening).rejects.toMatchObject({ code })
  expect([listening.size, ports.hereOf(person, device, 8080), recorded]).toEqual([0, undefined, []])
})
