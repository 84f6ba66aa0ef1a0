import { File, FileArchive, FileCode, FileImage, FileMusic, FileText, FileVideoCamera, Folder, Link, SquareDashed } from 'lucide-react'
import { createElement } from 'react'
import type { FileEntry } from '../../../files/home-files-contract.ts'
import { extension } from './folder-view.ts'

const KINDS: readonly (readonly [Icon: typeof File, endings: string])[] = [
  [FileText, 'md txt rst org tex log csv pdf'],
  [FileCode, 'ts tsx js jsx mjs cjs json py rb go rs c h cpp hpp java kt swift sh zsh bash css html xml yaml yml toml sql lua php vue'],
  [FileImage, 'png jpg jpeg gif webp avif bmp ico svg heic tif tiff psd'],
  [FileArchive, 'zip gz xz bz2 zst tar 7z rar jar deb rpm'],
  [FileMusic, 'mp3 ogg flac wav m4a opus'],
  [FileVideoCamera, 'mp4 mkv webm mov avi'],
]
const ICON_BY_ENDING = new Map(KINDS.flatMap(([Icon, endings]) => endings.split(' ').map((ending) => [ending, Icon] as const)))

/** The sign of an entry by its kind and name. Purely visual: the kind is also told in words. */
export function EntryIcon({ entry }: { entry: Pick<FileEntry, 'name' | 'kind'> }) {
  if (entry.kind === 'folder') return <Folder className="files-folder" aria-hidden="true" />
  if (entry.kind === 'link') return <Link aria-hidden="true" />
  if (entry.kind === 'other') return <SquareDashed aria-hidden="true" />
  return createElement(ICON_BY_ENDING.get(extension(entry.name)) ?? File, { 'aria-hidden': true })
}
