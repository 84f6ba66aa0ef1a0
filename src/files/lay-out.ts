import type { Dataset } from './dataset.ts'
import type { DatasetNode } from './dataset-node.ts'
import { FileError } from './file-error.ts'
import { nodeAt } from './fingerprint.ts'
import type { WorkFolder } from './work-folder.ts'

/** Read and written at once: a file of any size takes no more memory. */
const PIECE_BYTES = 1024 * 1024

/** Of one path: from the top of the dataset, and below the work folder. */
export interface WorkPath {
  readonly path: string
  readonly at: string
}

/**
 * Copies a file, link or folder out of a dataset (rule FW2); `laid` counts along. Times go with it: a device that got the same file before
 * does not get it again.
 *
 * @throws FileError `file/not-found`, `file/disk-full`; ContentError `chunk/unavailable`
 */
export async function layOut(
  dataset: Dataset,
  { path, at }: WorkPath,
  folder: WorkFolder,
  laid: { files: number; bytes: number },
  signal?: AbortSignal,
): Promise<void> {
  const node = nodeAt(dataset, path)
  if (!node) throw new FileError('file/not-found', `${path} is not in this dataset any more`)
  await copyNode(dataset, node, at === '.' ? '' : at, folder, laid, signal)
}

async function copyNode(
  dataset: Dataset,
  node: DatasetNode,
  at: string,
  folder: WorkFolder,
  laid: { files: number; bytes: number },
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted()
  if (node.kind === 'link') return folder.makeLink(at, node.target ?? '')
  if (node.kind === 'folder') {
    if (at !== '') await folder.makeFolder(at, node.mode & 0o777)
    for (const child of dataset.children(node.id)) {
      await copyNode(dataset, child, at === '' ? child.name : `${at}/${child.name}`, folder, laid, signal)
    }
    return
  }
  const modifiedMs = Math.round(Number(node.mtimeNs / 1000n) / 1000)
  const { manifest, mode } = node
  const file = await folder.create({ kind: 'file', path: at, bytes: manifest.bytes, modifiedMs, mode: mode & 0o777 })
  try {
    for (let offset = 0; offset < manifest.bytes; ) {
      const bytes = await dataset.reader.read(manifest, offset, PIECE_BYTES, signal)
      await file.write(bytes)
      offset += bytes.length
    }
    await file.commit()
  } catch (error) {
    await file.abort()
    throw error
  }
  laid.files++
  laid.bytes += manifest.bytes
}
