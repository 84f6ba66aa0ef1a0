import { useCallback, useEffect, useRef, useState } from 'react'
import { create } from 'zustand'
import { errorCode } from '../../../base/errors.ts'
import { ELSEWHERE } from '../../../session/app-state.ts'
import { useClient } from '../../desk/app-desk.ts'
import { useDeviceReachable } from '../app-hooks.ts'
import { useHome } from '../use-home.ts'
import type { PaneEntry } from './file-source.ts'
import { keepReading } from './keep-reading.ts'
import { sourceOf } from './source-of.ts'

/** A folder as last read. */
export interface Listing {
  readonly path: string
  readonly entries: readonly PaneEntry[]
  /** There are more than the 100,000 shown. */
  readonly truncated: boolean
  readonly readAtMs: number
}

export interface FolderHandle {
  /** Undefined until the folder was read once on this display. */
  readonly listing: Listing | undefined
  /** Home of the device; undefined until known. */
  readonly home: string | undefined
  /** The listing is an old one: its device cannot be reached. */
  readonly away: boolean
  readonly error: unknown
  /** While a long folder is read for the first time: entries so far, of how many. */
  readonly part: { readonly entries: number; readonly total: number } | undefined
  reload(): void
}

interface Kept {
  readonly listing: Listing | undefined
  readonly error: unknown
}

/**
 * What was seen on this display, so that a folder is there at once when one comes back to it, and while its device is
 * away. Only names and sizes, in memory, gone with the page (a lock reloads it). 60: a long walk through a home.
 */
const MAX_KEPT = 60
const useKept = create<{ readonly folders: ReadonlyMap<string, Kept> }>(() => ({ folders: new Map() }))
const keyOf = (device: string, path: string) => `${device} ${path}`

function keep(key: string, listing: Listing | undefined, error: unknown): void {
  useKept.setState(({ folders }) => {
    const before = folders.get(key)
    const same = listing && before?.listing && sameEntries(before.listing.entries, listing.entries)
    const next = new Map(folders)
    next.delete(key)
    next.set(key, { listing: same ? { ...before.listing, readAtMs: listing.readAtMs } : (listing ?? before?.listing), error })
    for (const oldest of next.keys()) {
      if (next.size <= MAX_KEPT) break
      next.delete(oldest)
    }
    return { folders: next }
  })
}

/** While shown, a folder is read again this often: homes of devices have no change events, and datasets none for what is cached. */
const REFRESH_MS = 5_000
/** And later by this for each entry, so that a folder of 20,000 costs one reading a minute, and one of 100,000 one in five. */
const REFRESH_MS_AN_ENTRY = 3
/** Changes of a dataset that come together are shown together: a frame or two, and a large copy does not read the folder for each file. */
const SETTLE_MS = 60
/** Files that are still being opened are there soon. */
const OPENING_MS = 400

/** Reads a folder of a device and keeps it fresh while `visible`. `path` null = the device's home. */
export function useFolder(device: string, path: string | null, visible: boolean): FolderHandle {
  const client = useClient()
  const reachable = useDeviceReachable(device)
  const { home, error: homeError } = useHome(device)
  const folder = path ?? home
  const key = folder === undefined ? '' : keyOf(device, folder)
  const kept = useKept(({ folders }) => folders.get(key))
  const again = useRef<() => void>(undefined)
  const [part, setPart] = useState<FolderHandle['part'] & { readonly key: string }>()
  const reload = useCallback(() => again.current?.(), [])

  useEffect(() => {
    if (!client || folder === undefined || !reachable) return
    const reading = keepReading(async (signal) => {
      let restMs = REFRESH_MS
      try {
        const isNew = useKept.getState().folders.get(keyOf(device, folder))?.listing === undefined
        const onPart = (read: number, total: number) => setPart({ entries: read, total, key: keyOf(device, folder) })
        const { entries, truncated } = await sourceOf(client, device).list(folder, { signal, ...(isNew && { onPart }) })
        restMs += entries.length * REFRESH_MS_AN_ENTRY
        keep(keyOf(device, folder), { path: folder, entries, truncated, readAtMs: Date.now() }, undefined)
      } catch (failure) {
        if (errorCode(failure) === 'dataset/locked') restMs = OPENING_MS
        else if (!signal.aborted) keep(keyOf(device, folder), undefined, failure)
      }
      return visible ? restMs : undefined
    }, SETTLE_MS)
    const watching = device === ELSEWHERE && visible ? client.onDidChangeDataset(() => reading.readSoon()) : undefined
    again.current = () => reading.readNow()
    return () => {
      again.current = undefined
      watching?.dispose()
      reading.dispose()
    }
  }, [client, device, folder, reachable, visible])

  const error = kept?.error ?? homeError
  const away = !reachable || errorCode(error) === 'file/device-away'
  const isPart = part?.key === key && !kept?.listing
  return { listing: kept?.listing, home, away, error: away ? undefined : error, part: isPart ? part : undefined, reload }
}

function sameEntries(a: readonly PaneEntry[], b: readonly PaneEntry[]): boolean {
  return a.length === b.length && a.every((entry, index) => sameEntry(entry, b[index] as PaneEntry))
}

export const sameEntry = (a: PaneEntry, b: PaneEntry): boolean =>
  a.name === b.name &&
  a.bytes === b.bytes &&
  a.modifiedMs === b.modifiedMs &&
  a.kind === b.kind &&
  a.shared?.node === b.shared?.node &&
  a.shared?.version === b.shared?.version &&
  a.shared?.place === b.shared?.place &&
  a.shared?.isSafe === b.shared?.isSafe &&
  a.shared?.isConflictCopy === b.shared?.isConflictCopy &&
  a.shared?.isLocal === b.shared?.isLocal &&
  a.shared?.pinned === b.shared?.pinned &&
  a.shared?.isClockAhead === b.shared?.isClockAhead
