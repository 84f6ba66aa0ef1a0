import { errorWords } from '../../ui/error-words.ts'
import { showToast } from '../../ui/toast.tsx'
import { deviceNameNow } from '../app-hooks.ts'
import { bytesText, countText } from '../plain-words.ts'
import type { PaneEntry } from './file-source.ts'
import { rememberStep, undoOffer } from './file-undo.ts'
import { baseName, joinPath } from './home-path.ts'
import { sourceNow } from './source-of.ts'

/** Changes to a folder; each says what happened and, where it can be, offers to take it back. */
export interface FileActions {
  makeFolder(name: string): Promise<boolean>
  rename(from: string, to: string): Promise<boolean>
  /** Resolves with whether all of it is there now. */
  trash(entries: readonly PaneEntry[]): Promise<boolean>
  copyPaths(paths: readonly string[]): void
  explain(entry: PaneEntry): void
}

export function createFileActions(device: string, folder: string | undefined, reload: () => void): FileActions {
  const attempt = async (title: string, work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await work()
      return true
    } catch (error) {
      showToast({ severity: 'error', title, body: `${errorWords(error)} Nothing else was changed.` })
      return false
    } finally {
      reload()
    }
  }
  const at = (name: string) => joinPath(folder ?? '/', name)
  const renamePath = (path: string, to: string) => sourceNow(device).rename(path, to)
  return {
    makeFolder: async (name) => {
      const done = await attempt('The folder could not be made', () => sourceNow(device).makeFolder(at(name)))
      if (done) rememberStep({ title: `Made “${name}”`, back: () => sourceNow(device).trash(at(name)) })
      return done
    },
    rename: async (from, to) => {
      const done = await attempt('It could not be renamed', () => renamePath(at(from), at(to)))
      if (done) {
        const step = { title: `Renamed to “${to}”`, back: () => renamePath(at(to), at(from)) }
        rememberStep(step)
        showToast({ title: step.title, action: undoOffer(step, reload) })
      }
      return done
    },
    trash: async (entries) => {
      const trashed: { path: string; putBack: () => Promise<unknown> }[] = []
      const isDone = await attempt('Not everything could be moved to the trash', async () => {
        for (const entry of entries) {
          const path = at(entry.name)
          trashed.push({ path, putBack: await sourceNow(device).trash(path) })
        }
      })
      if (trashed.length === 0) return false
      const what = trashed.length === 1 ? `“${baseName(trashed[0]?.path ?? '')}”` : countText(trashed.length, 'entry', 'entries')
      const step = {
        title: `Moved ${what} to the trash of ${deviceNameNow(device)}`,
        back: async () => {
          for (const { putBack } of trashed) await putBack()
        },
      }
      rememberStep(step)
      showToast({ title: step.title, action: { ...undoOffer(step, reload), label: 'Put back' } })
      return isDone
    },
    copyPaths: (paths) =>
      void navigator.clipboard.writeText(paths.join('\n')).then(
        () =>
          showToast(
            paths.length === 1
              ? { title: 'Path copied', body: paths.join('') }
              : { title: `${countText(paths.length, 'path')} copied`, body: 'One on each line.' },
          ),
        (error: unknown) => showToast({ severity: 'warn', title: 'Could not copy', body: errorWords(error) }),
      ),
    explain: (entry) =>
      showToast({
        title: entry.kind === 'other' ? 'This is not a file that can be opened' : 'No app here shows this kind of file yet',
        body:
          entry.kind === 'other'
            ? 'It is a socket, pipe or device of that machine.'
            : `“${entry.name}” (${bytesText(entry.bytes)}) stays as it is. A program in a terminal on ${deviceNameNow(device)} can open it.`,
      }),
  }
}
