import type { DeviceClient } from '../../desk/device-connection.ts'
import { MAX_LISTED_PAGE, MAX_READ_BYTES } from '../../../files/home-files-contract.ts'
import { base64Of, bytesOfBase64 } from '../../../base/base64.ts'
import { closeView, openView } from './file-view.ts'
import { viewError } from './look-text.ts'
import { type FileSource, type ListOptions, type PaneEntry, type PieceWork, SourceError, type SourceListing } from './file-source.ts'
import { baseName } from './home-path.ts'

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
    async upload(path, blob, { signal, onBytes }) {
      if (blob.size > MAX_READ_BYTES)
        throw new SourceError('file/too-large', `${baseName(path)} is larger than 16 MB, the most a device's own folder takes here`)
      const base64 = base64Of(new Uint8Array(await blob.arrayBuffer()))
      const written = await client.writeBytes({ device, path, base64 }, { signal })
      onBytes(blob.size)
      return written
    },
    copy: () => undefined,
    readBytes: async (path, options) => bytesOfBase64((await client.readBytes({ device, path }, options)).base64),
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
