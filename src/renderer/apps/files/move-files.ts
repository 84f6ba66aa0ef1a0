import { errorCode } from '../../../base/errors.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { saveFile } from '../../ui/save-file.ts'
import { type FileSource, type PaneEntry, SourceError } from './file-source.ts'
import { baseName, copyName, isWithin, joinPath } from './home-path.ts'
import { sourceOf } from './source-of.ts'
import { runTransfer, type TransferPen } from './transfers.ts'

/** Something dropped or chosen from outside, with its place below what was dropped: `photos/2024/a.jpg`. */
export interface HostFile {
  readonly path: string
  readonly file: File
}

/** Entries of a folder by their names; empty when there are none. */
async function namesIn(source: FileSource, folder: string, signal: AbortSignal): Promise<Set<string>> {
  return new Set((await source.list(folder, { signal })).entries.map(({ name }) => name))
}

/** Puts host files into a folder of a place. A name that is taken is counted on, so that nothing is replaced. */
export function uploadFiles(device: string, folder: string, files: readonly HostFile[], folders: readonly string[] = []): Promise<boolean> {
  return runTransfer(`Putting files into ${baseName(folder)}`, `put into ${baseName(folder)}`, async (pen) => {
    const source = sourceOf(clientNow(), device)
    pen.expect(
      files.length,
      files.reduce((sum, { file }) => sum + file.size, 0),
    )
    const taken = await namesIn(source, folder, pen.signal)
    const tops = new Map<string, string>()
    const nameOf = (top: string) => {
      const known = tops.get(top)
      const name = known ?? copyName(top, taken)
      if (known === undefined) pen.back(() => ifThere(source.trash(joinPath(folder, name))))
      tops.set(top, name)
      taken.add(name)
      return name
    }
    const place = (path: string) => {
      const [top = '', ...rest] = path.split('/')
      return [folder, nameOf(top), ...rest].join('/').replace('//', '/')
    }
    const made = new Set<string>()
    const makeFolders = async (path: string) => {
      for (const at of ancestorsOf(path)) {
        if (made.has(at)) continue
        made.add(at)
        await source.makeFolder(place(at))
      }
    }
    for (const path of folders) await makeFolders(`${path}/`)
    for (const { path, file } of files) {
      pen.signal.throwIfAborted()
      await makeFolders(path)
      await source.upload(place(path), file, { ...pen, modifiedMs: file.lastModified })
      pen.fileDone()
    }
  })
}

/** `a/b/c.txt`: `a`, `a/b`. */
function ancestorsOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}

/** What the person cut or copied: entries of one folder of one place. */
export interface Clip {
  readonly device: string
  readonly folder: string
  readonly entries: readonly PaneEntry[]
  readonly isCut: boolean
}

/** Pastes into a folder. A move inside one place is a rename; between places bytes are copied first, and removed there after. */
export function paste(clip: Clip, device: string, folder: string): Promise<boolean> {
  const words = clip.isCut ? 'moved' : 'copied'
  const title = `${clip.isCut ? 'Moving' : 'Copying'} to ${baseName(folder)}`
  return runTransfer(title, `${words} to ${baseName(folder)}`, async (pen) => {
    const client = clientNow()
    const [from, to] = [sourceOf(client, clip.device), sourceOf(client, device)]
    const refusal = to.refusal(folder)
    if (refusal) throw new SourceError('file/bad-path', refusal)
    const isSamePlace = clip.device === device
    for (const { name, kind } of clip.entries) {
      const at = joinPath(clip.folder, name)
      if (kind === 'folder' && isSamePlace && isWithin(folder, at))
        throw new SourceError('file/bad-path', `${name} cannot be put into itself`)
    }
    if (isSamePlace && clip.isCut && clip.folder === folder) return
    const taken = await namesIn(to, folder, pen.signal)
    for (const entry of clip.entries) {
      pen.signal.throwIfAborted()
      const path = joinPath(clip.folder, entry.name)
      const name = copyName(entry.name, taken)
      taken.add(name)
      const target = joinPath(folder, name)
      const light = !isSamePlace ? undefined : clip.isCut ? from.rename(path, target) : from.copy(path, target)
      if (light) {
        pen.expect(1, 0)
        await light
        pen.back(clip.isCut ? () => from.rename(target, path) : () => to.trash(target))
        pen.fileDone()
        continue
      }
      pen.back(() => ifThere(to.trash(target)))
      await copyOver(from, path, entry, to, target, pen)
      if (clip.isCut) pen.back(await from.trash(path))
    }
  })
}

/** Half a copy may not have come to be. */
const ifThere = (trashing: Promise<unknown>) =>
  trashing.catch((error: unknown) => {
    if (errorCode(error) !== 'file/not-found') throw error
  })

/** Bytes of a file, or of all files below a folder, from one place to another. */
async function copyOver(from: FileSource, path: string, entry: PaneEntry, to: FileSource, target: string, pen: TransferPen): Promise<void> {
  pen.signal.throwIfAborted()
  if (entry.kind === 'folder') {
    await to.makeFolder(target)
    const { entries, truncated } = await from.list(path, { signal: pen.signal })
    if (truncated) throw new SourceError('file/too-large', `${entry.name} has more entries than can be listed; copy it in parts`)
    for (const one of entries) await copyOver(from, joinPath(path, one.name), one, to, joinPath(target, one.name), pen)
    return
  }
  if (entry.kind === 'other') throw new SourceError('file/not-a-file', `${entry.name} is a socket, pipe or device and cannot be copied`)
  pen.expect(1, entry.bytes)
  const blob = await from.download(path, { signal: pen.signal, onBytes: () => undefined })
  await to.upload(target, blob, { signal: pen.signal, onBytes: (bytes) => pen.onBytes(bytes), modifiedMs: entry.modifiedMs })
  pen.fileDone()
}

/** Gives files to the browser, which keeps them where it keeps downloads. */
export function downloadFiles(device: string, paths: readonly { readonly path: string; readonly bytes: number }[]): Promise<boolean> {
  return runTransfer('Downloading', 'downloaded', async (pen) => {
    const source = sourceOf(clientNow(), device)
    pen.expect(
      paths.length,
      paths.reduce((sum, { bytes }) => sum + bytes, 0),
    )
    for (const { path } of paths) {
      const blob = await source.download(path, pen)
      saveFile(baseName(path), blob)
      pen.fileDone()
    }
  })
}

/** Host files and folders that are being dropped. Must be called before the drop event ends. */
export async function droppedFiles(transfer: DataTransfer): Promise<{ files: HostFile[]; folders: string[] }> {
  const files: HostFile[] = []
  const folders: string[] = []
  const roots = [...transfer.items].flatMap((item) => (item.kind === 'file' ? [item.webkitGetAsEntry() ?? item.getAsFile()] : []))
  const visit = async (entry: FileSystemEntry): Promise<void> => {
    const path = entry.fullPath.replace(/^\/+/, '')
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))
      files.push({ path, file })
    } else {
      folders.push(path)
      const reader = (entry as FileSystemDirectoryEntry).createReader()
      for (;;) {
        const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject))
        if (some.length === 0) break
        for (const one of some) await visit(one)
      }
    }
  }
  for (const root of roots) {
    if (root instanceof File) files.push({ path: root.name, file: root })
    else if (root) await visit(root)
  }
  return { files, folders }
}
