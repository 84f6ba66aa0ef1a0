import { create } from 'zustand'
import { type EngineRow, isEngine } from '../../jobs/engines/engines-contract.ts'
import type { DeviceRow } from '../../sync/links-contract.ts'
import type { DeviceClient } from './device-connection.ts'
import { useDevices } from './devices-store.ts'

/** Engines of this device, as they were when somebody last looked. */
export const useEngines = create<{ readonly rows: readonly EngineRow[] }>(() => ({ rows: [] }))

/** @param ask  how they are; else as they were, without a call to any. On a broken connection the next one asks again */
export async function readEngines(client: Pick<DeviceClient, 'listEngines'>, ask: boolean, signal: AbortSignal): Promise<void> {
  const rows = await client.listEngines({ ask }, { signal }).catch(() => undefined)
  if (rows && !signal.aborted) useEngines.setState({ rows })
}

/** What work is carried to: a device, or an engine as if it was one. */
export type WorkPlace = Pick<DeviceRow, 'deviceId' | 'name' | 'state'>

/** An engine where a device is meant; one that was not asked may take work: it is asked then. Pure. */
export const placeOfEngine = ({ engine, name, state }: EngineRow): WorkPlace => ({
  ...{ deviceId: engine, name, state: state === 'ready' || state === 'unasked' ? 'linked' : 'away' },
})

export function workPlaceNow(tile: string): WorkPlace | undefined {
  if (!isEngine(tile)) return useDevices.getState().rows.find(({ deviceId }) => deviceId === tile)
  const row = useEngines.getState().rows.find(({ engine }) => engine === tile)
  return row && placeOfEngine(row)
}

/** How much of it is taken, 0 to 1; undefined: not known. Pure. */
export const busyOf = ({ cores, idleCores }: Pick<EngineRow, 'cores' | 'idleCores'>): number | undefined =>
  cores === undefined || idleCores === undefined || cores === 0 ? undefined : 1 - Math.min(1, idleCores / cores)
