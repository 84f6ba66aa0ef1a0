import { errorCode } from '../../../base/errors.ts'
import { errorWords } from '../../ui/error-words.ts'

/** Where a text stands between the editor and the disk of its device. */
export type SaveState =
  | { readonly phase: 'idle' }
  | { readonly phase: 'saving' }
  /** The device is away: the text is kept in the workspace and saved when the person says so, or when the device is back. */
  | { readonly phase: 'waiting' }
  /** The file changed on its device since it was read. Nothing was written. */
  | { readonly phase: 'conflict' }
  | { readonly phase: 'failed'; readonly code: string; readonly message: string }

/** Pure. What the answer to a save means. */
export function saveRefused(error: unknown): SaveState {
  const code = errorCode(error)
  if (code === 'file/device-away' || code === 'rpc/closed') return { phase: 'waiting' }
  if (code === 'file/changed' || code === 'file/exists') return { phase: 'conflict' }
  return { phase: 'failed', code, message: errorWords(error) }
}

/** Why a file cannot be shown as text, in words; undefined for errors that are not refusals. */
export function openRefusal(code: string): { readonly title: string; readonly body: string } | undefined {
  switch (code) {
    case 'file/too-large':
      return { title: 'Too large to edit here', body: 'The editor opens texts up to 8 MB. The file is untouched.' }
    case 'file/not-text':
      return {
        title: 'Not a text',
        body: 'This file holds bytes that are not text. Opening it as text could damage it, so it stays closed.',
      }
    case 'file/not-found':
      return { title: 'The file is not there', body: 'It was moved, renamed or deleted on its device.' }
    case 'file/no-permission':
      return { title: 'Not allowed to read it', body: 'The file belongs to someone else on that device.' }
    case 'file/outside-home':
      return { title: 'Outside the home folder', body: 'Only files below the home folder can be opened from here.' }
    default:
      return undefined
  }
}

/** `notes.md` > `notes (from laptop).md`: the name under which the second of two versions is kept. */
export function keepBothPath(path: string, deviceName: string): string {
  const slash = path.lastIndexOf('/')
  const name = path.slice(slash + 1)
  const dot = name.lastIndexOf('.')
  const stem = dot > 0 ? name.slice(0, dot) : name
  const safeName = deviceName.replaceAll(/[/\0]/g, '-')
  return `${path.slice(0, slash + 1)}${stem} (from ${safeName})${dot > 0 ? name.slice(dot) : ''}`
}

/** One line of a comparison. */
export interface DiffLine {
  readonly kind: 'same' | 'mine' | 'theirs'
  readonly text: string
}

/** Above this many lines in the changed middle only whole blocks are compared: the table below would be larger than 4 MB. */
const MAX_TABLE_LINES = 1_000

/** Lines of two versions side by side in one list, unchanged ones once. Longest common subsequence of the changed middle. */
export function diffLines(mine: string, theirs: string): readonly DiffLine[] {
  const left = mine.split('\n')
  const right = theirs.split('\n')
  let start = 0
  while (start < left.length && start < right.length && left[start] === right[start]) start++
  let end = 0
  while (end < left.length - start && end < right.length - start && left[left.length - 1 - end] === right[right.length - 1 - end]) end++
  const lines = (list: readonly string[], kind: DiffLine['kind']): DiffLine[] => list.map((text) => ({ kind, text }))
  return [
    ...lines(left.slice(0, start), 'same'),
    ...diffMiddle(left.slice(start, left.length - end), right.slice(start, right.length - end), lines),
    ...lines(left.slice(left.length - end), 'same'),
  ]
}

function diffMiddle(
  left: readonly string[],
  right: readonly string[],
  lines: (list: readonly string[], kind: DiffLine['kind']) => DiffLine[],
): DiffLine[] {
  if (left.length > MAX_TABLE_LINES || right.length > MAX_TABLE_LINES) return [...lines(right, 'theirs'), ...lines(left, 'mine')]
  const width = right.length + 1
  const common = new Uint16Array((left.length + 1) * width)
  for (let i = left.length - 1; i >= 0; i--) {
    for (let j = right.length - 1; j >= 0; j--) {
      common[i * width + j] =
        left[i] === right[j]
          ? at(common, (i + 1) * width + j + 1) + 1
          : Math.max(at(common, (i + 1) * width + j), at(common, i * width + j + 1))
    }
  }
  const result: DiffLine[] = []
  let i = 0
  let j = 0
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      result.push({ kind: 'same', text: left[i] as string })
      i++
      j++
    } else if (j < right.length && (i === left.length || at(common, i * width + j + 1) >= at(common, (i + 1) * width + j))) {
      result.push({ kind: 'theirs', text: right[j++] as string })
    } else result.push({ kind: 'mine', text: left[i++] as string })
  }
  return result
}

const at = (table: Uint16Array, index: number): number => table[index] as number
