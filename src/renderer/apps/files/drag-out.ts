import { clientNow } from '../../desk/app-desk.ts'
import { closeView, type LookAt, openView, type OpenView } from './file-view.ts'

/** Files that may still be on their way to where they were dropped. */
const MAX_READY = 8

const keyOf = ({ device, path }: Pick<LookAt, 'device' | 'path'>) => `${device} ${path}`
const ready = new Map<string, OpenView>()

/** Pressed: it may be dragged out of the browser, and then its address must be known at once. What fails only cannot be dragged out. */
export async function readyToDragOut(at: LookAt): Promise<void> {
  if (at.entry.kind !== 'file') return
  try {
    const client = clientNow()
    const view = await openView(client, at, { isDownload: true })
    const before = ready.get(keyOf(at))
    if (before) closeView(client, before)
    ready.delete(keyOf(at))
    ready.set(keyOf(at), view)
    for (const [key, oldest] of ready) {
      if (ready.size <= MAX_READY) break
      ready.delete(key)
      closeView(client, oldest)
    }
  } catch {
    ready.delete(keyOf(at)) // its device is away, or it is gone
  }
}

/** Gives a drag that leaves the browser a file to download where it is dropped: Chromium's own way, one file at a time. */
export function carryOut(transfer: DataTransfer, at: LookAt): void {
  const view = ready.get(keyOf(at))
  if (view) transfer.setData('DownloadURL', `${view.type}:${at.entry.name.replaceAll(':', '_')}:${location.origin}${view.path}`)
}
