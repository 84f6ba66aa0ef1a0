import { clientNow } from '../../desk/app-desk.ts'
import type { DeviceClient } from '../../desk/device-connection.ts'
import { useDoor } from '../../desk/door-store.ts'
import { followDragged, isArchived, openArchive, type OpenArchive, type Outgoing } from './bring-out.ts'
import type { PaneEntry } from './file-source.ts'
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

const ready = new Map<string, Ready>()
useDoor.subscribe(({ client, door }, before) => {
  if (client !== before.client || door?.phase !== 'unlocked') ready.clear() // every address is dead with its connection, or the lock
})

/** Another where an entry of the same name is another, or a file another version. */
const keyOf = ({ device, folder, entries }: Outgoing) => [device, folder, ...entries.map(keyOfEntry)].join('\n')
const keyOfEntry = ({ name, kind, shared, bytes, modifiedMs }: PaneEntry) =>
  [name, kind, shared?.node, ...(kind === 'folder' ? [] : [shared?.version ?? `${bytes} ${modifiedMs}`])].join('/')

/** Pressed: it may be dragged out of the browser, and then its address must be known at once. What fails only cannot be dragged out. */
export async function readyToDragOut(out: Outgoing): Promise<void> {
  const key = keyOf(out)
  try {
    const client = clientNow()
    const last = ready.get(key)
    if (last?.archive && (await isWaiting(client, last))) return // nothing of it is read before it is dropped
    const opened = await open(out)
    if (!opened) return
    if (clientNow() !== client) return // gone with its connection
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

/** It can still be had: it may have been closed for others that were opened since. */
const isWaiting = (client: DeviceClient, { path }: Ready): Promise<boolean> =>
  client.archiveState({ path, after: BEGUN }).then(
    ({ phase }) => phase === 'waiting',
    () => false,
  )
/** Any step but that of an archive nobody has read: then the answer comes at once. */
const BEGUN = 1

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

/**
 * Gives a drag that leaves the browser one file to download where it is dropped, which is Chromium's own way: more than one as a zip.
 *
 * @param source  hears when the drag ends
 */
export function carryOut(transfer: DataTransfer, source: EventTarget, out: Outgoing): void {
  endLast()
  const key = keyOf(out)
  const opened = ready.get(key)
  if (!opened) return
  transfer.setData('DownloadURL', `${opened.type}:${opened.name.replaceAll(':', '_')}:${location.origin}${opened.path}`)
  if (!opened.archive) return
  ready.delete(key) // it is read once
  const isLate = new Promise((resolve) => {
    endLast = () => void setTimeout(resolve, ASKED_WITHIN_MS)
    source.addEventListener('dragend', endLast, { once: true })
  })
  void followDragged(clientNow(), opened.archive, isLate).catch(() => undefined) // the page is cut off, and with it what it had open
}

/** A drop outside is asked for at once; one in the desk, never. */
const ASKED_WITHIN_MS = 10_000
/** The drag before is over, also where nobody heard of it: its row had gone. */
let endLast = () => {}
