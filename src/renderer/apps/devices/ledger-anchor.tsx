import { Anchor } from 'lucide-react'
import { useState } from 'react'
import { agoText } from '../plain-words.ts'
import { Button } from '../../ui/button.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { showToast } from '../../ui/toast.tsx'
import { ANCHOR_LAMPORTS, anchoredText, networkText, shortKey, solText } from '../anchor-words.ts'
import { useNow } from '../app-hooks.ts'
import { useAnchor } from '../use-anchor.ts'

/** Where the root of the ledger stands besides here, what that has cost, and the next one. One line while it is off. */
export function LedgerAnchorPanel() {
  const { anchor, anchorNow } = useAnchor()
  const [busy, setBusy] = useState(false)
  const now = useNow(30_000)
  if (!anchor) return null
  const { settings, last, uncovered } = anchor
  if (settings.network === 'off') {
    return <p className="ledger-anchor-off">Not anchored outside this device. Settings, This device, turns that on.</p>
  }
  const act = async () => {
    setBusy(true)
    try {
      await anchorNow()
      showToast({ title: 'Anchored', body: `All entries up to now stand on ${networkText(settings)}.` })
    } catch (failure) {
      showToast({ severity: 'error', title: 'The ledger was not anchored', body: errorWords(failure) })
    } finally {
      setBusy(false)
    }
  }
  return (
    <section className="ledger-anchor" aria-label="Anchor">
      <div>
        <p>
          {anchoredText(anchor)} <span className="ledger-quiet">On {networkText(settings)}.</span>
        </p>
        {last && (
          <p className="ledger-quiet numbers">
            {agoText(last.atMs, now)} · {solText(last.feeLamports)} · slot {last.slot} ·{' '}
            <span className="ledger-signature" title={last.signature}>
              {shortKey(last.signature)}
            </span>
          </p>
        )}
        {anchor.isPending && <p className="ledger-quiet">One was sent; the network has not said yet that it keeps it.</p>}
        {anchor.lastError && !busy && <p className="ledger-failed">Last try: {anchor.lastError.message}</p>}
        <p className="ledger-quiet numbers">
          {anchor.balanceLamports === undefined ? '' : `Wallet holds ${solText(anchor.balanceLamports)}. `}
          {solText(anchor.spentTodayLamports)} of at most {solText(settings.dailyLamports)} spent today; the next costs{' '}
          {solText(ANCHOR_LAMPORTS)}.
        </p>
      </div>
      <Button
        variant="secondary"
        icon={<Anchor aria-hidden="true" />}
        busy={busy}
        aria-disabled={uncovered === 0 && !anchor.isPending}
        onClick={() => (uncovered > 0 || anchor.isPending ? void act() : undefined)}
      >
        Anchor now
      </Button>
    </section>
  )
}
