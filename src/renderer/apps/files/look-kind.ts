import { VIEW_TYPES } from '../../../device/files/file-view-contract.ts'
import type { FileEntry } from '../../../files/home-files-contract.ts'
import { extension } from './folder-view.ts'

/** How an entry is looked at. `none`: only what it is called, and how large. */
export type LookKind = 'picture' | 'video' | 'audio' | 'pdf' | 'markdown' | 'text' | 'none'

const MARKDOWN = new Set(['md', 'markdown', 'mdown'])
const NOT_TEXT = new Set(
  'zip gz xz bz2 zst tar 7z rar jar deb rpm appimage iso img exe dll so o a class pyc wasm doc docx xls xlsx ppt pptx odt ods odp mkv avi ttf otf woff woff2 sqlite db heic tif tiff psd'.split(
    ' ',
  ),
)

/** By its name alone: nothing is read for it. Links may lead to anything, and are looked at as what they are called. */
export function lookKind({ name, kind }: Pick<FileEntry, 'name' | 'kind'>): LookKind {
  if (kind === 'folder' || kind === 'other') return 'none'
  const ending = extension(name)
  const type = VIEW_TYPES.get(ending)
  if (type?.startsWith('image/')) return 'picture'
  if (type?.startsWith('video/')) return 'video'
  if (type?.startsWith('audio/')) return 'audio'
  if (type === 'application/pdf') return 'pdf'
  if (MARKDOWN.has(ending)) return 'markdown'
  return NOT_TEXT.has(ending) ? 'none' : 'text'
}

export type FileUse = 'folder' | 'look' | 'text' | 'other'

/** What opening an entry does. SVG is a text that is edited; looked at it is a picture, in which nothing can run. */
export function fileUse(entry: Pick<FileEntry, 'name' | 'kind'>): FileUse {
  if (entry.kind === 'folder') return 'folder'
  const look = lookKind(entry)
  if (look === 'none') return 'other'
  return look === 'text' || look === 'markdown' || extension(entry.name) === 'svg' ? 'text' : 'look'
}
