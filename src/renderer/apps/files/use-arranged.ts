import { useEffect, useMemo, useRef, useState } from 'react'
import type { ArrangeAnswer, ArrangeAsk, EntryColumns } from './arrange-worker.ts'
import type { PaneEntry } from './file-source.ts'
import { arrange, type FolderView } from './folder-view.ts'

/** Up to this a folder is sorted at once: 10 ms on a slow machine. */
const AT_ONCE = 2_000
const NO_ENTRIES: readonly PaneEntry[] = []

/**
 * The entries of a folder as they are shown, in order. Those of a long folder are put in order by a worker: until it has, the order
 * before stays, or nothing is shown yet (undefined).
 */
export function useArranged(entries: readonly PaneEntry[] | undefined, view: FolderView, filter: string): readonly PaneEntry[] | undefined {
  const isLong = (entries?.length ?? 0) > AT_ONCE
  const atOnce = useMemo(() => (isLong ? undefined : arrange(entries ?? NO_ENTRIES, view, filter)), [isLong, entries, view, filter])
  const slowly = useSlowly(isLong ? entries : undefined, view, filter)
  return atOnce ?? slowly
}

function useSlowly(entries: readonly PaneEntry[] | undefined, view: FolderView, filter: string): readonly PaneEntry[] | undefined {
  const [shown, setShown] = useState<readonly PaneEntry[]>()
  const worker = useRef<Worker>(undefined)
  const turn = useRef(0)
  const isNeeded = entries !== undefined
  useEffect(() => {
    if (!isNeeded) return
    const made = (worker.current = new Worker(new URL('./arrange-worker.ts', import.meta.url), { type: 'module' }))
    return () => {
      worker.current = undefined
      made.terminate()
    }
  }, [isNeeded])
  useEffect(() => {
    if (!entries) return
    worker.current?.postMessage({ kind: 'entries', columns: columnsOf(entries) } satisfies ArrangeAsk)
  }, [entries])
  useEffect(() => {
    const asked = worker.current
    if (!entries || !asked) return
    const mine = ++turn.current
    const take = ({ data }: MessageEvent<ArrangeAnswer>) => {
      if (data.turn === mine) setShown(Array.from(data.order, (at) => entries[at] as PaneEntry))
    }
    asked.addEventListener('message', take)
    asked.postMessage({ kind: 'arrange', turn: mine, view, filter } satisfies ArrangeAsk)
    return () => asked.removeEventListener('message', take)
  }, [entries, view, filter])
  return isNeeded ? shown : undefined
}

function columnsOf(entries: readonly PaneEntry[]): EntryColumns {
  const columns = {
    names: entries.map(({ name }) => name),
    bytes: new Float64Array(entries.length),
    modifiedMs: new Float64Array(entries.length),
    marks: new Uint8Array(entries.length),
  }
  for (const [at, { kind, bytes, modifiedMs, hidden }] of entries.entries()) {
    columns.bytes[at] = bytes
    columns.modifiedMs[at] = modifiedMs
    columns.marks[at] = (kind === 'folder' ? 1 : 0) | (hidden ? 2 : 0)
  }
  return columns
}
