import type { Clock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'
import type { LedgerRecorder } from '../../identity/ledger/ledger-event.ts'
import type { Link, LinkStats } from '../../sync/lane.ts'

/** Tells the ledger of a link now, and when disposed how long it lasted and what it carried. Time is monotonic. */
export function recordLink(ledger: LedgerRecorder, link: Link, clock: Clock): Disposable {
  const { peer } = link
  const sinceMs = clock.monotonicMs()
  ledger.record({ kind: 'linked', peer, path: link.stats().path })
  let isOver = false
  return {
    dispose() {
      if (isOver) return
      isOver = true
      const stats = link.stats()
      const { sentBytes, receivedBytes } = carried(stats)
      const forMs = Math.max(0, Math.round(clock.monotonicMs() - sinceMs))
      ledger.record({ kind: 'unlinked', peer, path: stats.path, forMs, sentBytes, receivedBytes })
    },
  }
}

function carried({ lanes }: LinkStats): { sentBytes: number; receivedBytes: number } {
  const all = Object.values(lanes)
  return {
    sentBytes: all.reduce((sum, { sentBytes }) => sum + sentBytes, 0),
    receivedBytes: all.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0),
  }
}
