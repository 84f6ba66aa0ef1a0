import { errorMessage } from '../base/errors.ts'
import { behindOf, segmentsBehind } from './checkpoint/segments-behind.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetStore } from './dataset-store.ts'
import { NO_SEGMENT } from './op-segment.ts'
import { type NodeId, ROOT_NODE } from './op.ts'
import { isAgainstPolicy } from './replica-policy.ts'

/** Segments opened before others have the loop. */
const AT_ONCE = 20

/**
 * The logs: each segment signed by its device, one after the other, up to what their heads say; and what a segment says was made is in
 * the tree, for nothing that was made is ever taken out of it, removed or not. @returns how many segments
 */
export async function checkLogs(
  dataset: Dataset,
  store: DatasetStore,
  tell: (problem: string) => void,
  pause: () => Promise<void>,
): Promise<number> {
  /** No hash: that one cannot be read, which was told. */
  const last = new Map<string, { seq: number; hash: string | undefined }>()
  const order = store.segmentOrder()
  for (const [n, [log, seq]] of order.entries()) {
    if (n % AT_ONCE === AT_ONCE - 1) await pause()
    const before = last.get(log) ?? behindOf(store, log) ?? { seq: 0, hash: NO_SEGMENT }
    last.set(log, { seq, hash: undefined })
    try {
      const bytes = store.segment(log, seq)
      if (!bytes) throw new Error('its bytes are missing')
      const head = dataset.codec.check(bytes)
      last.set(log, { seq, hash: head.hash })
      if (head.log !== log || head.seq !== seq || before.seq + 1 !== seq || head.prev !== (before.hash ?? head.prev))
        throw new Error('it breaks the chain of its log')
      const { ops } = dataset.codec.open(head, bytes, Number.MAX_SAFE_INTEGER / 2000)
      const made = new Set(
        ops.flatMap(({ body }): NodeId[] =>
          body.kind === 'create' && body.node !== ROOT_NODE && !isAgainstPolicy(body) ? [body.node] : [],
        ),
      )
      for (const node of made) if (!store.node(node)) throw new Error(`what it made (${node}) is not in the tree`)
    } catch (error) {
      tell(`segment ${seq} of log ${log}: ${errorMessage(error)}`)
    }
  }
  const behind = segmentsBehind(store)
  for (const { log, seq, hash } of store.heads()) {
    const end = last.get(log)
    if (end ? end.seq === seq && (end.hash ?? hash) === hash : behind.get(log)?.hash === hash) continue
    tell(`log ${log} should end with segment ${seq}, and ${end ? `ends with ${end.seq}` : 'none of it is here'}`)
  }
  for (const log of last.keys()) if (!store.heads().some((head) => head.log === log)) tell(`log ${log} is here, and nothing says so`)
  return order.length
}
