import { beforeEach, expect, it } from 'vitest'
import type { DeviceId, PersonId } from '../../base/ids.ts'
import { silentLogger } from '../../base/logger.ts'
import type { LedgerEvent } from '../../identity/ledger/ledger-event.ts'
import type { HostTerminal } from '../../jobs/host-contract.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { contactShellContract } from './contact-contract.ts'
import { MAX_ENTERED, ShellsOnContacts } from './shells-on-contacts.ts'

const [person, device] = ['bob' as PersonId, 'desktop' as DeviceId]
const shell = (terminalId: string, more: Partial<HostTerminal> = {}) => ({ terminalId, ...more }) as HostTerminal
let clock: ManualClock
let shells: ShellsOnContacts
let recorded: LedgerEvent[]
let there: readonly HostTerminal[]
let asked: number
let session: { hasMet: boolean; offers: object[]; person: PersonId; shells: object } | undefined

beforeEach(() => {
  clock = new ManualClock()
  recorded = []
  there = []
  asked = 0
  const listShells = async () => {
    asked++
    return there
  }
  session = { hasMet: true, offers: [{ kind: 'shell' }], person, shells: { listShells } }
  const linked = { find: () => session, sessionOf: () => session } as never
  shells = new ShellsOnContacts({ linked, ledger: { record: (event) => void recorded.push(event) }, clock, log: silentLogger })
  shells.enter(device, shell('a'))
  shells.enter(device, shell('a')) // another display of the same tab
  clock.advance(5_000)
})

const ENTERED = { kind: 'shell-entered', peer: device, person, shell: 'a' }
const LEFT = { kind: 'shell-left', peer: device, person, shell: 'a', forMs: 5_000 }

it.each([
  ['it says that it ended', () => shells.handleChange(device, shell('a', { exit: { code: 0 } }))],
  ['it offers no shell any more', () => (((session as NonNullable<typeof session>).offers = []), shells.settle(() => true))],
  ['they parted', () => shells.settle(() => false)],
  ['it is linked again and lists it no more', () => shells.lookAgain(device)],
  ['it is linked again and lists it as ended', () => ((there = [shell('a', { exit: { code: 0 } })]), shells.lookAgain(device))],
  ['the desk closes', () => shells.dispose()],
])('[ID167] a shell on a contact’s device is in the own ledger, once, until %s', async (_, over) => {
  await over()
  shells.handleChange(device, shell('a', { exit: { code: 0 } }))
  shells.dispose()
  expect(recorded).toEqual([ENTERED, LEFT])
})

it('[ID167] it goes on while the link is broken or the other device has not said what it offers; nothing is asked that is not offered', async () => {
  session = undefined
  shells.settle(() => true)
  await shells.lookAgain(device)
  session = { hasMet: false, offers: [], person, shells: {} }
  shells.settle(() => true)
  await shells.lookAgain(device)
  expect([recorded, asked]).toEqual([[ENTERED], 0])
})

it('[ID167] a device that says whatever it likes fills no memory, and puts nothing long into the ledger', () => {
  for (let count = 0; count < 200; count++) shells.enter(device, shell(`t${count}`))
  expect(recorded.filter(({ kind }) => kind === 'shell-left')).toHaveLength(201 - MAX_ENTERED)
  shells.dispose()
  expect(recorded.filter(({ kind }) => kind === 'shell-left')).toHaveLength(201)
  const said = { terminalId: 'x'.repeat(65), title: '', cwd: '/', pid: 1, foreground: '', columns: 80, rows: 24, startedAtMs: 1 }
  expect(() => contactShellContract.openShell.parseOutput(said)).toThrow()
  expect(contactShellContract.openShell.parseOutput({ ...said, terminalId: 'x' })).toBeDefined()
})
