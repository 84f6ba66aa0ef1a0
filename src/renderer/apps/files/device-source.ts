import type { DeviceClient } from '../../desk/device-connection.ts'
import { bytesOfBase64 } from './base64-bytes.ts'
import type { FileSource } from './file-source.ts'

/** The home folder of one device, this one or a linked one. */
export function deviceSource(client: DeviceClient, device: string): FileSource {
  const rename = (path: string, to: string) => client.renameEntry({ device, path, to })
  return {
    list: (path, options) => client.listFolder({ device, path }, options),
    makeFolder: (path) => client.makeFolder({ device, path }),
    rename,
    async trash(path) {
      const { trashedTo } = await client.trashEntry({ device, path })
      return () => rename(trashedTo, path)
    },
    readBytes: async (path, options) => bytesOfBase64((await client.readBytes({ device, path }, options)).base64),
    refusal: () => undefined,
  }
}
