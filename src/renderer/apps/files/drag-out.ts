import { clientNow } from '../../desk/app-desk.ts'
import { followDragged, isArchived, openArchive, type OpenArchive, type Outgoing } from './bring-out.ts'
import { closeView, openView } from './file-view.ts'
import { joinPath } from './home-path.ts'

/** What may still be on its way to where it was dropped. */
const MAX_READY = 8

interface Ready {
  readonly path: string
  readonly type: string
  readonly name: string
  readonly archive?: OpenArchive
}

const keyOf = ({ device, folder, entries }: Outgoing) => [device, folder, ...entries.map(({ name }) => name)].join('\n')
const ready = new Map<string, Ready>()

/** Pressed: it may be dragged out of the browser, and then its address must be known at once. What fails only cannot be dragged out. */
export async function readyToDragOut(out: Outgoing): Promise<void> {
  const key = keyOf(out)
  if (ready.has(key) && isArchived(out)) return // nothing of it is read before it is dropped
  try {
    const client = clientNow()
    const opened = await open(out)
    if (!opened) return
    const before = ready.get(key)
    if (before) closeView(client, before)
    ready.delete(key)
    ready.set(key, opened)
    for (const [old, oldest] of ready) {
      if (ready.size <= MAX_READY) break
      ready.delete(old)
      closeView(client, oldest)
    }
  } catch {
    ready.delete(key) // its device is away, or it is gone
  }
}

async function open(out: Outgoing): Promise<Ready | undefined> {
  const { device, folder, entries } = out
  const [entry] = entries
  if (!entry) return undefined
  if (isArchived(out)) {
    const archive = await openArchive(clientNow(), out)
    return { path: archive.path, type: 'application/zip', name: archive.name, archive }
  }
  if (entry.kind !== 'file') return undefined
  const view = await openView(clientNow(), { device, path: joinPath(folder, entry.name), entry }, { isDownload: true })
  return { ...view, name: entry.name }
}

/** Gives a drag that leaves the browser one file to download where it is dropped, which is Chromium's own way: more than one as a zip. */
export function carryOut(transfer: DataTransfer, out: Outgoing): void {
  const key = keyOf(out)
  const opened = ready.get(key)
  if (!opened) return
  transfer.setData('DownloadURL', `${opened.type}:${opened.name.replaceAll(':', '_')}:${location.origin}${opened.path}`)
  if (!opened.archive) return
  ready.delete(key) // it is read once
  void followDragged(clientNow(), opened.archive).catch(() => undefined) // the page is cut off, and with it what it had open
}
