import { Download, ShieldCheck } from 'lucide-react'
import { useState } from 'react'
import { clientNow } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { Segmented } from '../../ui/segmented.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { showToast } from '../../ui/toast.tsx'
import { useNow } from '../app-hooks.ts'
import { momentText } from '../plain-words.ts'
import { exportLedger } from './export-ledger.ts'
import { LedgerAnchorPanel } from './ledger-anchor.tsx'
import { FILTERS, type LedgerFilter, passes, verdictText } from './ledger-words.ts'
import { useLedger } from './use-ledger.ts'
import './ledger.css'

/** What this device recorded of others, newest first; the check of all of it, and a file of it for somebody else. */
export function LedgerPage() {
  const { entries, error, hasMore, showMore } = useLedger()
  const [filter, setFilter] = useState<LedgerFilter>('all')
  const [verdict, setVerdict] = useState<{ readonly text: string; readonly good: boolean }>()
  const [busy, setBusy] = useState<'verify' | 'export'>()
  const now = useNow()
  const act = async (what: 'verify' | 'export', work: () => Promise<void>) => {
    setBusy(what)
    try {
      await work()
    } catch (failure) {
      showToast({ severity: 'error', title: 'That could not be done', body: errorWords(failure) })
    } finally {
      setBusy(undefined)
    }
  }
  const verify = async () => {
    const here = await clientNow().verifyLedger({})
    const asksNetwork = here.anchors > 0 && here.finding === undefined && (await clientNow().readSettings({})).anchor.network !== 'off'
    // What this device says stands, whether or not the network can be asked.
    const there = asksNetwork
      ? await clientNow()
          .verifyLedger({ online: true })
          .catch(() => undefined)
      : undefined
    const answer = there ?? here
    setVerdict({ text: verdictText(answer, there ? 'asked' : asksNetwork ? 'silent' : 'none'), good: answer.finding === undefined })
  }
  if (error) return <p className="ledger-empty">{error}</p>
  if (!entries) return <Skeleton lines={4} label="Reading the ledger" />
  const shown = entries.filter(({ kind }) => passes(filter, kind))
  return (
    <div className="ledger">
      <div className="ledger-head">
        <Segmented label="Which entries" value={filter} options={FILTERS} onChange={setFilter} />
        <span className="ledger-acts">
          <Button
            variant="secondary"
            icon={<ShieldCheck aria-hidden="true" />}
            busy={busy === 'verify'}
            onClick={() => void act('verify', verify)}
          >
            Verify
          </Button>
          <Button
            variant="secondary"
            icon={<Download aria-hidden="true" />}
            busy={busy === 'export'}
            onClick={() => void act('export', () => exportLedger(clientNow()))}
          >
            Export
          </Button>
        </span>
      </div>
      <LedgerAnchorPanel />
      <p className="ledger-verdict" role="status" data-good={verdict?.good}>
        {verdict?.text ?? 'Recorded and signed by this device. Nothing here can be changed without Verify telling.'}
      </p>
      {shown.length === 0 ? (
        <p className="ledger-empty">No such entries{hasMore && ' among those shown'}.</p>
      ) : (
        <ol className="ledger-list" aria-label="Entries, newest first">
          {shown.map(({ seq, atMs, sentence }) => (
            <li key={seq}>
              <time className="numbers" dateTime={new Date(atMs).toISOString()}>
                {momentText(atMs, now)}
              </time>
              <span>{sentence}</span>
            </li>
          ))}
        </ol>
      )}
      {hasMore && (
        <Button variant="quiet" onClick={showMore}>
          Show older
        </Button>
      )}
    </div>
  )
}
