import { errorCode } from '../base/errors.ts'
import { ContentError } from './content-error.ts'
import { holdersOf } from './dataset-holders.ts'
import type { OpenDataset } from './open-dataset.ts'
import type { NodeId, OpId } from './op.ts'

/** What was wrong with reading a file, as a person is told it: which one, who has it, and what to do. Other errors than `chunk/unavailable` pass as they are. */
export function fileAway(open: OpenDataset, node: NodeId, version: OpId | undefined, error: unknown): unknown {
  const found = errorCode(error) === 'chunk/unavailable' ? open.dataset.node(node) : undefined
  if (!found) return error
  const what = `“${found.name}” is not on this device`
  // Of earlier versions nobody says who has them.
  const isShown = version === undefined || version === found.version
  const others = isShown ? holdersOf(open, node).filter(({ device }) => device !== open.self) : []
  const linked = new Set<string>(open.exchange.linked.map(({ device }) => device))
  const text = `${what}${whoHas(
    others.map(({ name }) => name),
    others.some(({ device }) => linked.has(device)),
    isShown && open.isHistoryComing,
  )}`
  return new ContentError('chunk/unavailable', text, { cause: error })
}

function whoHas(names: readonly string[], isLinked: boolean, isComing: boolean): string {
  if (names.length === 0) {
    return isComing
      ? ': which devices have it is still being fetched; try again in a while'
      : ', and no device that is linked now has it; it can be read when one that has it is on and linked'
  }
  const who = names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
  const has = `: ${who} ${names.length === 1 ? 'has' : 'have'} it`
  if (isLinked) return `${has}, and nothing came in time; try again in a moment`
  return `${has}, and ${names.length === 1 ? 'is not' : 'none of them is'} linked now; it can be read when ${names.length === 1 ? 'it' : 'one'} is on and linked`
}
