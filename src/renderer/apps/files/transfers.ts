import { create } from 'zustand'
import { errorCode } from '../../../base/errors.ts'
import { errorWords } from '../../ui/error-words.ts'
import { showToast } from '../../ui/toast.tsx'
import { countText } from '../plain-words.ts'
import { type FileStep, rememberStep, undoOffer } from './file-undo.ts'

/** Files that are being moved between places, or in or out of the desk. Goes on when its window is closed. */
export interface Transfer {
  readonly id: number
  /** `Uploading to Letters`. */
  readonly title: string
  readonly doneBytes: number
  readonly totalBytes: number
  readonly doneFiles: number
  readonly totalFiles: number
  cancel(): void
}

/** What a transfer's work may say of itself. */
export interface TransferPen {
  readonly signal: AbortSignal
  /** More is to be done than was known. */
  expect(files: number, bytes: number): void
  onBytes(bytes: number): void
  fileDone(files?: number): void
  /** It ended, but not all went as it should. */
  warn(words: string): void
  /** How what was just done is taken back; the latest first. */
  back(step: () => Promise<unknown>): void
}

export const useTransfers = create<{ readonly list: readonly Transfer[] }>(() => ({ list: [] }))
let lastId = 0

/**
 * Runs `work`, shows how far it is, and tells how it ended. `done`: what was done, for `3 files ${done}`. `left`: what there is of it
 * when it did not end well; else as many files as were done.
 */
export async function runTransfer(title: string, done: string, work: (pen: TransferPen) => Promise<void>, left?: string): Promise<boolean> {
  let warning: string | undefined
  const backs: (() => Promise<unknown>)[] = []
  const leaving = new AbortController()
  const id = ++lastId
  const start: Transfer = {
    id,
    title,
    doneBytes: 0,
    totalBytes: 0,
    doneFiles: 0,
    totalFiles: 0,
    cancel: () => leaving.abort(),
  }
  const now = () => useTransfers.getState().list.find((one) => one.id === id) ?? start
  const set = (change: Partial<Transfer>) =>
    useTransfers.setState(({ list }) => ({ list: list.map((one) => (one.id === id ? { ...one, ...change } : one)) }))
  useTransfers.setState(({ list }) => ({ list: [...list, start] }))
  try {
    await work({
      signal: leaving.signal,
      expect: (files, bytes) => set({ totalFiles: now().totalFiles + files, totalBytes: now().totalBytes + bytes }),
      onBytes: (bytes) => set({ doneBytes: now().doneBytes + bytes }),
      fileDone: (files = 1) => set({ doneFiles: now().doneFiles + files }),
      warn: (words) => (warning = words),
      back: (step) => backs.push(step),
    })
    const { doneFiles } = now()
    if (warning !== undefined) {
      showToast({ severity: 'warn', title: `${countText(doneFiles, 'file', 'files')} ${done}, but not all`, body: warning })
    } else if (doneFiles > 0 || left !== undefined) {
      const step = stepOf(`${countText(doneFiles, 'file', 'files')} ${done}`, backs)
      showToast({ severity: 'done', title: step.title, ...(backs.length > 0 && { action: undoOffer(step, () => undefined) }) })
    }
    return true
  } catch (error) {
    const { doneFiles, totalFiles } = now()
    const kept = left ?? keptWords(doneFiles, totalFiles)
    stepOf(title, backs)
    if (leaving.signal.aborted || errorCode(error) === 'base/cancelled') showToast({ title: `${title}: stopped`, body: kept })
    else showToast({ severity: 'error', title: `${title}: not finished`, body: `${errorWords(error)} ${kept}` })
    return false
  } finally {
    useTransfers.setState(({ list }) => ({ list: list.filter((one) => one.id !== id) }))
  }
}

/** What was done, whole or in part, remembered as one thing to take back. */
function stepOf(title: string, backs: readonly (() => Promise<unknown>)[]): FileStep {
  const back = async () => {
    for (const one of backs.toReversed()) await one()
  }
  const step = { title, back }
  if (backs.length > 0) rememberStep(step)
  return step
}

/** What is there of a transfer that did not end well. It may have ended before it had anything to do. */
export function keptWords(doneFiles: number, totalFiles: number): string {
  if (totalFiles === 0) return 'No file was put there.'
  return `${doneFiles} of ${countText(totalFiles, 'file', 'files')} ${doneFiles === 1 ? 'is' : 'are'} there; what was cut off is not.`
}
