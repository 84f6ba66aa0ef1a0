import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { errorCode } from '../../base/errors.ts'
import type { ContactList } from '../../identity/contacts-contract.ts'
import type { TerminalInfo } from '../../jobs/terminal-contract.ts'
import type { DeviceRow } from '../../sync/links-contract.ts'
import type { DeviceClient } from './device-connection.ts'
import { deviceNameOf, type DevicesSlice, sortedRows, useDevices } from './devices-store.ts'
import { addMessage, useMessages } from './messages-store.ts'

/** Keeps `useDevices` equal to what the device knows of itself and its peers. Asks only when something changed. */
export function followDevices(client: DeviceClient): Disposable {
  const heard = new DisposableStore()
  const reached = new Set<string>()

  const take = (rows: readonly DeviceRow[]) => {
    if (heard.isDisposed) return
    useDevices.setState({ rows: sortedRows(rows) })
    for (const { deviceId, state } of rows) {
      const reachable = state === 'self' || state === 'linked'
      if (!reachable) reached.delete(deviceId)
      else if (!reached.has(deviceId)) {
        reached.add(deviceId)
        readTerminals(client, deviceId)
      }
    }
  }
  const takeContacts = ({ contacts }: ContactList) => {
    if (!heard.isDisposed) useDevices.setState(knownOf(contacts))
  }
  heard.add(client.onDidChangeContacts(takeContacts))
  client.listContacts({}).then(takeContacts, () => {}) // as below
  heard.add(client.onDidChangeDevices(take))
  heard.add(client.onDidChangeTerminal((info) => takeTerminal(client, info)))
  client.listDevices({}).then(take, () => {}) // the connection broke: the next one asks again
  return heard
}

/** "desktop of Bob", as the device itself calls it. */
function knownOf(contacts: ContactList['contacts']): Pick<DevicesSlice, 'contactDevices' | 'contactNames'> {
  const all = contacts.flatMap(({ name: person, devices }) =>
    devices.map(({ deviceId, name, state, offers }) => {
      const runsJobs = offers.some(({ kind }) => kind === 'jobs')
      return [deviceId, { name: `${name} of ${person}`, isLinked: state === 'linked', runsJobs }] as const
    }),
  )
  return { contactDevices: Object.fromEntries(all), contactNames: Object.fromEntries(contacts.map(({ person, name }) => [person, name])) }
}

function readTerminals(client: DeviceClient, device: string): void {
  client.listTerminals({ device }).then(
    (list) => {
      const running = list.filter((terminal) => !terminal.exit)
      useDevices.setState(({ terminals, unsaid: { [device]: _said, ...unsaid } }) => ({
        terminals: { ...terminals, [device]: running },
        unsaid,
      }))
      for (const terminal of running) tellGuest(terminal)
    },
    (error: unknown) =>
      useDevices.setState(({ terminals, unsaid }) => ({
        terminals: { ...terminals, [device]: [] },
        unsaid: { ...unsaid, [device]: errorCode(error) === 'grant/refused' ? 'refused' : 'failed' },
      })),
  )
}

/** Within it, another shell of the same person there takes the place of the notice before without a word. */
const SAID_MS = 60_000

/** Another person's shell on a device of this one's: said once, listed under Contacts as long as it is there. */
function tellGuest({ device, guest, startedAtMs }: TerminalInfo): void {
  if (!guest) return
  const devices = useDevices.getState()
  const who = devices.contactNames[guest.person] ?? 'A contact'
  const id = `guest ${guest.person} ${device}`
  const known = useMessages.getState().messages.find((message) => message.id === id)
  if (known && known.atMs >= startedAtMs) return
  addMessage({
    id,
    code: 'contact/shell-opened',
    severity: 'warn',
    title: `${who} opened a shell on ${deviceNameOf(devices, device)}`,
    body: 'They can do there what you can. It is listed in Devices, under Contacts, where it can be ended.',
    atMs: startedAtMs,
    about: { kind: 'contacts' },
    quiet: known !== undefined && startedAtMs - known.atMs < SAID_MS,
  })
}

function takeTerminal(client: DeviceClient, info: TerminalInfo): void {
  if (useDevices.getState().unsaid[info.device]) readTerminals(client, info.device) // it tells this device now
  const isNew = !useDevices.getState().terminals[info.device]?.some(({ terminalId }) => terminalId === info.terminalId)
  if (isNew && !info.exit) tellGuest(info)
  useDevices.setState(({ terminals }) => {
    const others = (terminals[info.device] ?? []).filter(({ terminalId }) => terminalId !== info.terminalId)
    return { terminals: { ...terminals, [info.device]: info.exit ? others : [...others, info] } }
  })
}

/** Measures one device's load once. Called for devices that somebody looks at, never in the background. */
export async function measureLoad(client: DeviceClient, device: string, signal: AbortSignal): Promise<void> {
  const { load } = await client.listProcesses({ device }, { signal })
  useDevices.setState(({ loads }) => ({ loads: { ...loads, [device]: load } }))
}
