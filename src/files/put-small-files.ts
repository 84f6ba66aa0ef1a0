import type { Dataset } from './dataset.ts'
import type { Manifest } from './manifest.ts'
import type { NodeId } from './op.ts'

/** A new file, whole. */
export interface SmallFile {
  readonly parent: NodeId
  readonly name: string
  readonly bytes: Uint8Array
  readonly mode?: number | undefined
  readonly mtimeNs?: bigint | undefined
}

/**
 * New files of one dataset, kept as one that is committed alone: their bytes are on the disk itself before anything names them, and the disk is waited for
 * once. What has its name already is left.
 *
 * @returns for each, whether it is there now by this call
 * @throws ContentError `chunk/store-full`; FileError `file/not-found`, `file/not-a-folder`, `file/bad-path` (those before it are there)
 */
export async function putSmallFiles(dataset: Dataset, files: readonly SmallFile[]): Promise<boolean[]> {
  const manifests: Manifest[] = []
  const hold = dataset.holds.hold(() => manifests)
  try {
    for (const { bytes } of files) {
      const read = (offset: number, length: number) => bytes.subarray(offset, offset + length)
      const change = { bytes: bytes.length, extents: [{ offset: 0, length: bytes.length }], read }
      manifests.push(dataset.writer.changeNow(change) ?? (await dataset.writer.write(bytes)))
    }
    await dataset.sync()
    return files.map(({ parent, name, mode, mtimeNs }, n) => {
      if (dataset.lookup(parent, name)) return false
      const manifest = manifests[n] as Manifest
      dataset.createFile(parent, name, { manifest, ...(mode !== undefined && { mode }), ...(mtimeNs !== undefined && { mtimeNs }) })
      return true
    })
  } finally {
    hold.dispose()
  }
}
