import { errorCode, errorMessage } from '../../base/errors.ts'
import type { ContactList, ContactRow } from '../../identity/contacts-contract.ts'
import type { TerminalInfo } from '../../jobs/terminal-contract.ts'
import { findDevice } from './find-device.ts'
import { followTerminal, ownSize } from './follow-terminal.ts'
import type { DeviceClient } from './local-client.ts'

/** A shell on a contact's device, in this terminal, until it ends. @throws TypeError  they let this device use none */
export async function openContactShell(device: DeviceClient, row: ContactRow, named: string | undefined): Promise<number> {
  const offering = row.devices.filter(({ offers }) => offers.some(({ kind }) => kind === 'shell'))
  const there = named === undefined ? offering[0] : findDevice(offering, named)
  if (!there) throw new TypeError(`${row.name} lets you use no shell now, or the device is not here`)
  const opened = await device.openTerminal({ device: there.deviceId, ...ownSize() })
  console.error(`This is ${row.name}'s account on ${there.name}. They see that you are here.`)
  try {
    return await followTerminal(device, opened)
  } finally {
    // Let go of, it would run on for nobody. One that has ended is gone already.
    await device.endTerminal({ device: there.deviceId, terminalId: opened.terminalId }).catch(() => undefined)
  }
}

/** Shells of contacts on this person's devices, and which of these were not seen. */
export async function listGuestShells(device: DeviceClient, { contacts }: ContactList, isJson: boolean): Promise<number> {
  const { shells, nameOf, seen, unseen } = await guestShells(device)
  if (isJson) console.log(JSON.stringify(shells, undefined, 2))
  else if (shells.length === 0) console.log(`Nobody else is in a shell on ${seen.join(', ') || 'any device that answers'}.`)
  for (const { terminalId, device: at, guest, foreground, startedAtMs } of isJson ? [] : shells) {
    const who = contacts.find(({ person }) => person === guest?.person)?.name ?? guest?.person.slice(0, 12)
    const since = new Date(startedAtMs).toISOString().slice(0, 16).replace('T', ' ')
    console.log(`${terminalId.slice(0, 10)}  ${who} on ${nameOf(at)} since ${since} UTC, runs ${foreground}`)
  }
  if (unseen.length > 0) console.error(notSeen(unseen))
  return 0
}

/** @throws TypeError  there is none of that id */
export async function endGuestShell(device: DeviceClient, start: string): Promise<number> {
  const { shells, unseen } = await guestShells(device)
  const found = shells.filter(({ terminalId }) => start.length >= 6 && terminalId.startsWith(start))
  const [shell] = found
  if (!shell || found.length > 1) {
    const more = unseen.length > 0 ? `. ${notSeen(unseen)}` : ''
    throw new TypeError(`no shell of others begins with "${start}"; "elsewhere contact shells" lists them${more}`)
  }
  await device.endTerminal({ device: shell.device, terminalId: shell.terminalId })
  console.log('It has ended. The grant stays: "elsewhere grant revoke" takes it back.')
  return 0
}

const notSeen = (unseen: readonly string[]) => `Not seen from here: ${unseen.join(', ')}`

async function guestShells(device: DeviceClient) {
  const rows = await device.listDevices({})
  const shells: TerminalInfo[] = []
  const seen: string[] = []
  const unseen: string[] = []
  const ask = async ({ deviceId, name, state }: (typeof rows)[number]) => {
    if (state !== 'self' && state !== 'linked') return void unseen.push(`${name} (away)`)
    try {
      shells.push(...(await device.listTerminals({ device: deviceId })).filter(({ guest, exit }) => guest && !exit))
      seen.push(name)
    } catch (error) {
      unseen.push(`${name} (${errorCode(error) === 'grant/refused' ? 'this device may use no shell there' : errorMessage(error)})`)
    }
  }
  await Promise.all(rows.map(ask))
  return { shells, seen, unseen, nameOf: (id: string) => rows.find(({ deviceId }) => deviceId === id)?.name ?? id.slice(0, 12) }
}
