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
      await tellProgress(client, opened, pen)
    },
    NOTHING_KEPT,
  )
}

/** What was dragged out of the browser: as soon as it is asked for where it was dropped, it is shown as on its way. */
export async function followDragged(client: DeviceClient, opened: OpenArchive): Promise<void> {
  const { phase } = await client.archiveState({ path: opened.path, after: 0 })
  if (phase !== 'stopped')
    await runTransfer(`Bringing out ${opened.name}`, 'brought out', (pen) => tellProgress(client, opened, pen), NOTHING_KEPT)
}

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
