import { CancelledError } from '../../../base/errors.ts'
import { clientNow } from '../../desk/app-desk.ts'
import type { DeviceClient } from '../../desk/device-connection.ts'
import { followAddress } from '../../ui/save-file.ts'
import { countText } from '../plain-words.ts'
import type { PaneEntry } from './file-source.ts'
import { closeView } from './file-view.ts'
import { baseName, joinPath } from './home-path.ts'
import { downloadFiles } from './move-files.ts'
import { sourceOf } from './source-of.ts'
import { runTransfer } from './transfers.ts'

/** Entries of one folder of a place that leave the desk together. */
export interface Outgoing {
  readonly device: string
  readonly folder: string
  readonly entries: readonly PaneEntry[]
}

export interface OpenArchive {
  readonly path: string
  /** `Letters.zip` */
  readonly name: string
}

/** One file goes as it is; a folder, or several entries, as one zip. */
export const isArchived = ({ entries }: Outgoing): boolean => entries.length !== 1 || entries[0]?.kind === 'folder'

/** An address under which they can be had together, once. Nothing is read of them yet. */
export async function openArchive(client: DeviceClient, { device, folder, entries }: Outgoing): Promise<OpenArchive> {
  const [only, ...others] = entries
  const name = only && others.length === 0 ? only.name : baseName(folder)
  const of = await sourceOf(client, device).archiveOf(folder, entries)
  return client.openArchive({ name: name === '/' ? 'Elsewhere' : name, of })
}

/** Gives entries to the browser, which keeps them where it keeps downloads. */
export async function bringOut(out: Outgoing): Promise<boolean> {
  const [first] = out.entries
  if (!first) return false
  if (!isArchived(out)) return downloadFiles(out.device, [{ path: joinPath(out.folder, first.name), bytes: first.bytes }])
  let opened: OpenArchive | undefined
  return runTransfer(
    `Downloading ${out.entries.length === 1 ? first.name : countText(out.entries.length, 'entry', 'entries')}`,
    'downloaded',
    async (pen) => {
      const client = clientNow()
      opened = await openArchive(client, out)
      followAddress(opened.path)
      const isLate = new Promise((resolve) => setTimeout(resolve, ASKED_WITHIN_MS))
      if (!(await begun(client, opened, isLate, pen.signal))) throw new Error('the browser did not ask for it; try again, and allow it')
      await tellProgress(client, opened, pen)
    },
    NOTHING_KEPT,
  )
}

/** What was dragged: as soon as it is asked for where it was dropped, it is shown as on its way. Closed when `isLate` comes first. */
export async function followDragged(client: DeviceClient, opened: OpenArchive, isLate: Promise<unknown>): Promise<void> {
  const phase = await begun(client, opened, isLate)
  if (phase && phase !== 'stopped')
    await runTransfer(`Bringing out ${opened.name}`, 'brought out', (pen) => tellProgress(client, opened, pen), NOTHING_KEPT)
}

/** What it is once it was asked for; undefined: it was not before `isLate`, and now it can be had no more. */
async function begun(client: DeviceClient, { path }: OpenArchive, isLate: Promise<unknown>, signal?: AbortSignal) {
  const asked = client.archiveState({ path, after: 0 }, { ...(signal && { signal }) })
  asked.catch(() => undefined) // closed, it answers that it is
  let first: Awaited<typeof asked> | undefined
  try {
    first = await Promise.race([asked, isLate.then(() => undefined)])
    return first?.phase
  } finally {
    if (!first) closeView(client, { path })
  }
}

/** A browser that was told to download something does so at once, or asks the person first whether it may. */
const ASKED_WITHIN_MS = 30_000
const NOTHING_KEPT = 'Nothing of it is kept; all is where it was.'
/** How often it is told how far an archive is. */
const TELL_MS = 200

type Pen = Parameters<Parameters<typeof runTransfer>[2]>[0]

/** Until the browser has all of it, or no more of it will come. */
async function tellProgress(client: DeviceClient, opened: OpenArchive, pen: Pen): Promise<void> {
  const { path, name } = opened
  try {
    let told = { step: 0, files: 0, bytes: 0, doneFiles: 0, doneBytes: 0 }
    for (;;) {
      const state = await client.archiveState({ path, after: told.step }, { signal: pen.signal })
      pen.expect(state.files - told.files, state.bytes - told.bytes)
      pen.onBytes(state.doneBytes - told.doneBytes)
      pen.fileDone(state.doneFiles - told.doneFiles)
      told = state
      if (state.phase === 'stopped') throw new CancelledError(`${name} was stopped`)
      if (state.phase === 'done') {
        if (state.leftOut > 0) pen.warn(`${leftOutWords(state)} “Not in this archive.txt” in it says why.`)
        return
      }
      await new Promise((resolve) => setTimeout(resolve, TELL_MS))
    }
  } finally {
    closeView(client, { path })
  }
}

function leftOutWords({ leftOut, firstLeftOut = '' }: { leftOut: number; firstLeftOut?: string | undefined }): string {
  const others = leftOut > 1 ? ` and ${countText(leftOut - 1, 'other', 'others')}` : ''
  return `“${firstLeftOut}”${others} could not be read, and ${leftOut > 1 ? 'are' : 'is'} not in it.`
}
