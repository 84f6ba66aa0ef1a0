import type { DeviceClient } from '../../desk/device-connection.ts'
import { MAX_LISTED_PAGE, MAX_PIECE_BYTES } from '../../../files/home-files-contract.ts'
import { errorCode } from '../../../base/errors.ts'
import { base64Of, bytesOfBase64 } from '../../../base/base64.ts'
import { closeView, openView } from './file-view.ts'
import { viewError } from './look-text.ts'
import type { FileSource, ListOptions, PaneEntry, PieceWork, SourceListing } from './file-source.ts'

/** The home folder of one device, this one or a linked one. */
export function deviceSource(client: DeviceClient, device: string): FileSource {
  const rename = (path: string, to: string) => client.renameEntry({ device, path, to })
  return {
    list: (path, options) => listHome(client, device, path, options),
    search: (path, text, options) => client.searchFolder({ device, path, text }, options),
    makeFolder: (path) => client.makeFolder({ device, path }),
    rename,
    async trash(path) {
      const { trashedTo } = await client.trashEntry({ device, path })
      return () => rename(trashedTo, path)
    },
    download: (path, work) => downloadHome(client, device, path, work),
    upload: (path, blob, work) => uploadHome(client, device, path, blob, work),
    copy: () => undefined,
    readBytes: async (path, options) => bytesOfBase64((await client.readBytes({ device, path }, options)).base64),
    archiveOf: async (folder, entries) => ({ device, folder, names: entries.map(({ name }) => name) }),
    refusal: () => undefined,
  }
}

async function listHome(client: DeviceClient, device: string, path: string, { signal, onPart }: ListOptions): Promise<SourceListing> {
  const entries: PaneEntry[] = []
  for (let from = 0; ; from += MAX_LISTED_PAGE) {
    const page = await client.listFolderPage({ device, path, from }, { signal })
    for (const entry of page.entries) entries.push(entry)
    if (from + MAX_LISTED_PAGE >= page.total) return { entries, truncated: page.truncated }
    onPart?.(entries.length, page.total)
  }
}

/** What was cut off is asked for again after so long, as long as the device keeps what it has (two minutes). */
const RETRY_MS = 2_000
const RETRIES = 30
/** The device is away, or went away before it answered: each call may be made twice. */
const CUT_OFF = ['file/device-away', 'rpc/closed']

type WriteCalls = Pick<DeviceClient, 'beginWrite' | 'appendWrite' | 'commitWrite' | 'abandonWrite'>

/**
 * Of any size, a piece at a time. While the device is away it waits for it and goes on where it was; given up, nothing is left of it.
 * @param restMs  for a test
 */
export async function uploadHome(
  client: WriteCalls,
  device: string,
  path: string,
  blob: Blob,
  { signal, onBytes }: PieceWork,
  restMs = RETRY_MS,
): Promise<{ version: string }> {
  const { write } = await client.beginWrite({ device, path }, { signal })
  const at = { device, path, write }
  const again = async <T>(work: () => Promise<T>): Promise<T> => {
    for (let tries = 0; ; tries++) {
      try {
        return await work()
      } catch (error) {
        if (!CUT_OFF.includes(errorCode(error)) || tries === RETRIES) throw error
        await new Promise((resolve) => setTimeout(resolve, restMs))
        signal.throwIfAborted()
      }
    }
  }
  try {
    for (let offset = 0; offset < blob.size; offset += MAX_PIECE_BYTES) {
      const piece = new Uint8Array(await blob.slice(offset, offset + MAX_PIECE_BYTES).arrayBuffer())
      signal.throwIfAborted()
      await again(() => client.appendWrite({ ...at, offset, base64: base64Of(piece) }, { signal }))
      onBytes(piece.length)
    }
    signal.throwIfAborted()
    return await again(() => client.commitWrite({ ...at, bytes: blob.size }))
  } catch (error) {
    await client.abandonWrite(at).catch(() => undefined) // the device gives it up by itself; what went wrong first is what is told
    throw error
  }
}

/** Of any size, as it comes. */
async function downloadHome(client: DeviceClient, device: string, path: string, { signal, onBytes }: PieceWork): Promise<Blob> {
  const view = await openView(client, { device, path }, { signal })
  try {
    const response = await fetch(view.path, { signal })
    if (!response.ok || !response.body) throw viewError(response.status, await response.text())
    let blob = new Blob([])
    for (const reader = response.body.getReader(); ; ) {
      const { value, done } = await reader.read()
      if (done) return blob
      blob = new Blob([blob, value]) // the browser keeps large ones on its disk
      onBytes(value.length)
    }
  } finally {
    closeView(client, view)
  }
}
