import type { DeviceClient } from '../../desk/device-connection.ts'
import { bytesOfBase64 } from '../../../base/base64.ts'

/** Longer texts are not compared: reading and drawing them would take longer than one waits. */
const MAX_COMPARED_BYTES = 512 * 1024

/** The text of one version, for comparing; undefined: too long, or not a text. */
export async function textOfVersion(
  client: Pick<DeviceClient, 'readDatasetBytes'>,
  at: { readonly dataset: string; readonly node: string; readonly version?: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  const read = await client.readDatasetBytes({ ...at, offset: 0, length: MAX_COMPARED_BYTES }, { signal })
  const bytes = bytesOfBase64(read.base64)
  if (read.bytes > MAX_COMPARED_BYTES || bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined // not UTF-8: no text
  }
}
