import { create } from 'zustand'
import { showToast } from '../../ui/toast.tsx'
import { clientNow } from '../../desk/app-desk.ts'
import { countText } from '../plain-words.ts'
import type { FilesPayload } from '../drag-payload.ts'
import { baseName, parentPath } from './home-path.ts'
import { type Clip, paste } from './move-files.ts'
import { sourceOf } from './source-of.ts'

/** What was cut or copied on this display; gone with the page. */
export const useClip = create<{ readonly clip: Clip | undefined }>(() => ({ clip: undefined }))

/** Remembers entries to be pasted, and says so. */
export function takeClip(clip: Clip): void {
  if (clip.entries.length === 0) return
  useClip.setState({ clip })
  const what = clip.entries.length === 1 ? `“${clip.entries[0]?.name}”` : countText(clip.entries.length, 'entry', 'entries')
  showToast({ title: `${what} ${clip.isCut ? 'cut' : 'copied'}`, body: 'Paste with Ctrl+V in any folder of any place.' })
}

/** Pastes what was taken; what was cut can be pasted once. */
export async function pasteClip(device: string, folder: string): Promise<void> {
  const { clip } = useClip.getState()
  if (!clip) return
  if (clip.isCut) useClip.setState({ clip: undefined })
  await paste(clip, device, folder)
}

/** What was dragged here from a pane: inside one place it is moved, unless a copy is asked for; between places it is copied. */
export async function dropEntries(payload: FilesPayload, device: string, folder: string, asCopy: boolean): Promise<void> {
  const from = parentPath(payload.paths[0] ?? '/')
  const names = new Set(payload.paths.filter((path) => parentPath(path) === from).map(baseName))
  const { entries } = await sourceOf(clientNow(), payload.device).list(from, { signal: new AbortController().signal })
  const isCut = payload.device === device && !asCopy
  await paste({ device: payload.device, folder: from, entries: entries.filter(({ name }) => names.has(name)), isCut }, device, folder)
}
