import type { Dataset } from './dataset.ts'
import { FileError } from './file-error.ts'
import { nodeAt } from './fingerprint.ts'
import type { WorkPath } from './lay-out.ts'
import { EMPTY_MANIFEST, type Manifest, sameManifest } from './manifest.ts'
import type { NodeId } from './op.ts'
import type { WorkEntry, WorkFolder } from './work-folder.ts'

/**
 * Makes what the dataset has at `path` what lies in the work folder (rule FW3). What is the same already stays as it is, so that doing it
 * twice writes once; what is of another kind, or is not in a folder any more, goes to the trash.
 *
 * @throws FileError `file/not-found`  it is not in the work folder
 */
export async function takeIn(dataset: Dataset, { path, at }: WorkPath, folder: WorkFolder, signal?: AbortSignal): Promise<void> {
  const entry = await folder.stat(at)
  if (!entry) throw new FileError('file/not-found', `${at} was not put out`)
  const names = path.split('/').filter((name) => name !== '')
  const name = names.pop()
  if (name === undefined) throw new FileError('file/bad-path', 'the top of a dataset cannot be put out')
  const parent = makeFolders(dataset, names)
  const inside = entry.kind === 'folder' ? (await folder.list()).filter((one) => one.path.startsWith(`${at}/`)) : []
  await takeEntry(dataset, parent, name, entry, folder, signal)
  if (entry.kind !== 'folder') return
  const folders = new Map<string, NodeId>([[at, nodeAt(dataset, path)?.id as NodeId]])
  const kept = new Map<NodeId, Set<string>>([...folders.values()].map((id) => [id, new Set()]))
  // Folders come before what is in them.
  for (const one of inside) {
    const slash = one.path.lastIndexOf('/')
    const within = folders.get(one.path.slice(0, slash))
    if (within === undefined) continue // it was changed while we looked
    const childName = one.path.slice(slash + 1)
    const id = await takeEntry(dataset, within, childName, one, folder, signal)
    if (id === undefined) continue
    kept.get(within)?.add(childName)
    if (one.kind !== 'folder') continue
    folders.set(one.path, id)
    kept.set(id, new Set())
  }
  for (const [id, names] of kept) for (const child of dataset.children(id)) if (!names.has(child.name)) dataset.removeAll(child.id)
}

/** @returns what it is in the dataset; undefined: it is gone from the folder meanwhile */
async function takeEntry(
  dataset: Dataset,
  parent: NodeId,
  name: string,
  entry: WorkEntry,
  folder: WorkFolder,
  signal?: AbortSignal,
): Promise<NodeId | undefined> {
  signal?.throwIfAborted()
  const of = dataset.lookup(parent, name)
  const there = of?.kind === entry.kind ? of : undefined
  if (of && !there) dataset.removeAll(of.id)
  if (entry.kind === 'folder') return there?.id ?? dataset.makeFolder(parent, name, { mode: entry.mode }).id
  if (entry.kind === 'link') {
    if (there && there.target !== entry.target) dataset.removeAll(there.id)
    return there?.target === entry.target ? there.id : dataset.makeLink(parent, name, entry.target).id
  }
  const source = await folder.read(entry.path)
  if (!source) return undefined
  let manifest: Manifest = EMPTY_MANIFEST
  const hold = dataset.holds.hold(() => [manifest])
  try {
    for await (const bytes of source) {
      signal?.throwIfAborted()
      const offset = manifest.bytes
      const read = (from: number, length: number) => bytes.subarray(from - offset, from - offset + length)
      const change = { bytes: offset + bytes.length, extents: [{ offset, length: bytes.length }], read }
      manifest = await dataset.writer.change(manifest, change)
    }
    const mtimeNs = BigInt(entry.modifiedMs) * 1_000_000n
    if (!there) return dataset.createFile(parent, name, { mode: entry.mode, mtimeNs, manifest }).id
    if (!sameManifest(there.manifest, manifest)) dataset.setContent(there.id, there.version, manifest, { mtimeNs })
    if (((there.mode ^ entry.mode) & 0o100) !== 0) dataset.setAttributes(there.id, { mode: entry.mode })
    return there.id
  } finally {
    hold.dispose()
  }
}

/** The folder at these names, made where it is missing. @throws FileError `file/not-a-folder` */
function makeFolders(dataset: Dataset, names: readonly string[]): NodeId {
  let at = dataset.root
  for (const name of names) {
    const there = dataset.lookup(at, name)
    if (there && there.kind !== 'folder') throw new FileError('file/not-a-folder', `${name} is in the way: it is no folder`)
    at = (there ?? dataset.makeFolder(at, name)).id
  }
  return at
}
