import { create } from 'zustand'
import { type EngineRow, isEngine } from '../../jobs/engines/engines-contract.ts'
import type { DeviceRow } from '../../sync/links-contract.ts'
import type { DeviceClient } from './device-connection.ts'
import { useDevices } from './devices-store.ts'
import { errorWords } from '../ui/error-words.ts'

interface EnginesRead {
  readonly rows: readonly EngineRow[]
  /** They were read once. */
  readonly isRead: boolean
  /** Why they could not be read the last time; the rows are as they were before. */
  readonly problem: string | undefined
}

/** Engines of this device, as they were when somebody last looked: one place for the dock and for Settings. */
export const useEngines = create<EnginesRead>(() => ({ rows: [], isRead: false, problem: undefined }))

/** @param ask  how they are; else as they were, without a call to any. On a broken connection the next one asks again */
export async function readEngines(client: Pick<DeviceClient, 'listEngines'>, ask: boolean, signal: AbortSignal): Promise<void> {
  try {
    const rows = await client.listEngines({ ask }, { signal })
    if (!signal.aborted) useEngines.setState({ rows, isRead: true, problem: undefined })
  } catch (error) {
    if (!signal.aborted) useEngines.setState({ problem: errorWords(error) })
  }
}

/**
 * Reads them now and, with `againMs`, so long after each answer, while the page is seen. One look at a time, however long it takes.
 *
 * @returns ends it
 */
export function watchEngines(client: Pick<DeviceClient, 'listEngines'>, ask: boolean, againMs?: number): () => void {
  const stop = new AbortController()
  let timer = 0
  const round = async () => {
    if (document.visibilityState === 'visible') await readEngines(client, ask, stop.signal)
    if (!stop.signal.aborted && againMs !== undefined) timer = window.setTimeout(round, againMs)
  }
  void round()
  return () => {
    clearTimeout(timer)
    stop.abort()
  }
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
