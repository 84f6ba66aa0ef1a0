import { type DragEvent, useState } from 'react'
import { errorWords } from '../../ui/error-words.ts'
import { showToast } from '../../ui/toast.tsx'
import { FILES_DRAG_TYPE, readFilesPayload } from '../drag-payload.ts'
import { dropEntries } from './clip.ts'
import type { PaneEntry } from './file-source.ts'
import { joinPath, parentPath } from './home-path.ts'
import { droppedFiles, uploadFiles } from './move-files.ts'

export interface DropPlace {
  readonly device: string
  readonly path: string | undefined
  /** Why nothing can be put here; undefined: it can. */
  readonly refusal: string | undefined
  /** As they are drawn: over the row of a folder a drop goes into that folder. */
  readonly entries: readonly PaneEntry[]
  readonly reload: () => void
}

/** What is dropped on a pane: entries of panes, or files and folders of the host. */
export function useDrop({ device, path, refusal, entries, reload }: DropPlace) {
  const [isOver, setOver] = useState(false)
  const onDragOver = (event: DragEvent) => {
    const { types } = event.dataTransfer
    if (refusal || (!types.includes('Files') && !types.includes(FILES_DRAG_TYPE))) return
    event.preventDefault()
    setOver(true)
  }
  const onDragLeave = (event: DragEvent) => !event.currentTarget.contains(event.relatedTarget as Node | null) && setOver(false)
  const onDrop = (event: DragEvent) => {
    setOver(false)
    if (path === undefined || refusal) return
    event.preventDefault()
    const row = event.target instanceof Element ? event.target.closest('[role="option"]') : null
    const over = row ? entries[Number(row.getAttribute('aria-posinset')) - 1] : undefined
    const target = over?.kind === 'folder' ? joinPath(path, over.name) : path
    const payload = readFilesPayload(event.dataTransfer)
    const failed = (error: unknown) => showToast({ severity: 'error', title: 'It could not be put here', body: errorWords(error) })
    if (payload) {
      const isHere = payload.device === device && payload.paths.every((one) => parentPath(one) === target)
      if (!isHere) void dropEntries(payload, device, target, event.ctrlKey).then(reload, failed)
      return
    }
    void droppedFiles(event.dataTransfer)
      .then(({ files, folders }) => uploadFiles(device, target, files, folders))
      .then(reload, failed)
  }
  return { isOver, handlers: { onDragOver, onDragLeave, onDrop } }
}
