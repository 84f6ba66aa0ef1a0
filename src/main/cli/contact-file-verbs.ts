import { readFile, writeFile } from 'node:fs/promises'
import { errorCode } from '../../base/errors.ts'
import type { DeviceClient } from './local-client.ts'

/** Read or written in one call. */
const PIECE_BYTES = 256 * 1024

type At = { readonly person: string; readonly deviceId: string; readonly dataset: string; readonly path: string }

export async function listFolder(device: DeviceClient, at: At): Promise<number> {
  for (let from = 0; ; ) {
    const { entries, total } = await device.listContactFolder({ ...at, from })
    for (const { kind, name, bytes } of entries)
      console.log(kind === 'folder' ? `${''.padStart(12)}  ${name}/` : `${String(bytes).padStart(12)}  ${name}`)
    from += entries.length
    if (entries.length === 0 || from >= total) return 0
  }
}

export async function getFile(device: DeviceClient, at: At, file: string | undefined): Promise<number> {
  const pieces: Buffer[] = []
  let version: string | undefined
  for (let offset = 0; ; ) {
    const piece = await device.readContactFile({ ...at, offset, length: PIECE_BYTES, ...(version === undefined ? {} : { version }) })
    version = piece.version
    const bytes = Buffer.from(piece.base64, 'base64')
    if (bytes.length === 0) break
    offset += bytes.length
    if (file === undefined) process.stdout.write(bytes)
    else pieces.push(bytes)
  }
  if (file !== undefined) await writeFile(file, Buffer.concat(pieces), { flag: 'wx' })
  return 0
}

/** Over what is there, where that can be seen. */
export async function putFile(device: DeviceClient, at: At, file: string, mayRead: boolean): Promise<void> {
  const bytes = await readFile(file)
  const version = mayRead ? await versionOf(device, at) : undefined
  const { person, deviceId } = at
  const { write } = await device.beginContactWrite({ ...at, ...(version === undefined ? {} : { version }) })
  for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
    const base64 = bytes.subarray(from, from + PIECE_BYTES).toString('base64')
    await device.appendContactWrite({ person, deviceId, write, base64 })
  }
  await device.commitContactWrite({ person, deviceId, write })
}

async function versionOf(device: DeviceClient, at: At): Promise<string | undefined> {
  try {
    return (await device.readContactFile({ ...at, offset: 0, length: 1 })).version
  } catch (error) {
    if (errorCode(error) === 'file/not-found') return undefined
    throw error
  }
}
