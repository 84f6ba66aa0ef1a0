import { utf8 } from '../base/bytes.ts'
import { isNodeName, MAX_NAME_BYTES, type NodeId } from './op.ts'

/** Letters of a node's id that tell it from another of its name. */
const SUFFIX_LETTERS = 8

/** `report.txt` and its mark: `report (mark).txt`; cut where it would be too long for a name. */
export function markedName(name: string, mark: string): string {
  const dot = name.lastIndexOf('.')
  const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, '']
  const tail = ` (${mark})${utf8(extension).length > 64 ? '' : extension}`
  let kept = stem
  while (utf8(kept + tail).length > MAX_NAME_BYTES) kept = [...kept].slice(0, -1).join('')
  return kept + tail
}

/** What a later node of a taken name is shown as. The same on every device. */
export const secondName = (name: string, id: NodeId): string => markedName(name, id.slice(0, SUFFIX_LETTERS))

/** The same where an earlier one shares those letters: whoever makes a node chooses its id. */
export const wholeSecondName = (name: string, id: NodeId): string => markedName(name, id)

const MARKED = /^(.+) \(([0-9a-f]{8}|[0-9a-f]{32})\)(\.[^.]*)?$/s

/**
 * The name that `shown` may be the second of; undefined: of none. One that was cut because it was too long, or lost an ending of more than
 * 64 bytes, is not found again.
 */
export function firstNameOf(shown: string): string | undefined {
  const [, stem, , extension] = MARKED.exec(shown) ?? []
  return stem === undefined ? undefined : stem + (extension ?? '')
}

/** `name (conflict DATE DEVICE)`: what was written at the same time as what won. */
export function conflictName(name: string, stamp: number, deviceName: string): string {
  const date = new Date(Math.min(Math.max(stamp / 1000, 0), 8.64e15)).toISOString().slice(0, 16).replace('T', ' ').replace(':', '.')
  const safe = deviceName
    .replaceAll(/[/\0()]/g, ' ')
    .trim()
    .slice(0, 40)
  const marked = markedName(name, `conflict ${date} ${safe}`)
  return isNodeName(marked) ? marked : markedName(name, 'conflict')
}
