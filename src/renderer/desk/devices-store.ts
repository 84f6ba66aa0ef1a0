import { ENGINE_PREFIX, isEngine } from '../../jobs/engines/engines-contract.ts'
import { create } from 'zustand'
import { ELSEWHERE } from '../../session/app-state.ts'
import type { MachineLoad, TerminalInfo } from '../../jobs/terminal-contract.ts'
import type { DeviceRow } from '../../sync/links-contract.ts'

/** A device of another person. */
export interface ContactDevice {
  /** "desktop of Bob". */
  readonly name: string
  readonly isLinked: boolean
  /** Its person lets this device run jobs on it. */
  readonly runsJobs: boolean
}

export interface DevicesSlice {
  /** This device first, then by name. */
  readonly rows: readonly DeviceRow[]
  /** As last measured; only devices that somebody looks at are asked. */
  readonly loads: Readonly<Record<string, MachineLoad>>
  /** Running terminals by device. */
  readonly terminals: Readonly<Record<string, readonly TerminalInfo[]>>
  /** Devices that are linked and did not say which terminals run there, and why. */
  readonly unsaid: Readonly<Record<string, 'refused' | 'failed'>>
  /** Devices of this person's contacts: shells on them have windows as any other. */
  readonly contactDevices: Readonly<Record<string, ContactDevice>>
  /** What this person calls their contacts. */
  readonly contactNames: Readonly<Record<string, string>>
}

export const useDevices = create<DevicesSlice>(() => ({
  rows: [],
  loads: {},
  terminals: {},
  unsaid: {},
  contactDevices: {},
  contactNames: {},
}))

/** Rows as the docks show them: this device first, linked before away, then by name. */
export function sortedRows(rows: readonly DeviceRow[]): DeviceRow[] {
  const weight = { self: 0, linked: 1, connecting: 2, away: 3 }
  return [...rows].sort((a, b) => weight[a.state] - weight[b.state] || a.name.localeCompare(b.name) || (a.deviceId < b.deviceId ? -1 : 1))
}

/** A device's name, or its id's first letters when it is unknown here. */
export function deviceNameOf({ rows, contactDevices }: Pick<DevicesSlice, 'rows' | 'contactDevices'>, deviceId: string): string {
  if (deviceId === ELSEWHERE) return 'Elsewhere'
  if (isEngine(deviceId)) return deviceId.slice(ENGINE_PREFIX.length)
  const known = rows.find((row) => row.deviceId === deviceId) ?? contactDevices[deviceId]
  return known?.name ?? (deviceId ? `${deviceId.slice(0, 6)}…` : 'this device')
}

/** How a device of one's own stands, in a word or two. */
export const STATE_WORDS: Readonly<Record<DeviceRow['state'], string>> = {
  self: 'this device',
  linked: 'linked',
  connecting: 'connecting',
  away: 'away',
}
