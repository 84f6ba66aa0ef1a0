import { GraduationCap } from 'lucide-react'
import { useEffect, useState } from 'react'
import type { BehaviourRow } from '../../../jobs/behaviours-contract.ts'
import { useClient } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { useNow } from '../app-hooks.ts'
import { agoText } from '../plain-words.ts'
import { forgetBehaviour } from './job-actions.ts'

/** What was seen of commands on all devices; each can be forgotten. */
export function LearnedDialog({ onClose }: { onClose: () => void }) {
  const client = useClient()
  const now = useNow()
  const [rows, setRows] = useState<readonly BehaviourRow[]>()
  const [error, setError] = useState<unknown>()
  useEffect(() => {
    if (!client) return
    const reading = new AbortController()
    client.listBehaviours({}, { signal: reading.signal }).then(setRows, (failure: unknown) => !reading.signal.aborted && setError(failure))
    return () => reading.abort()
  }, [client])
  const forget = (row: BehaviourRow) =>
    void forgetBehaviour(row.key).then((gone) => gone && setRows((all) => all?.filter(({ key }) => key !== row.key)))
  return (
    <Dialog
      open
      size="wide"
      onClose={onClose}
      title="Learned from runs"
      description="What your devices saw of commands, with numbers, paths and secrets left out. It makes the next guess better; what a command may change is never learned."
    >
      {error !== undefined ? (
        <ErrorState title="What was learned could not be read" error={error} safe="Nothing of it is lost." />
      ) : !rows ? (
        <Skeleton lines={5} label="Reading what was learned" />
      ) : rows.length === 0 ? (
        <EmptyState icon={<GraduationCap aria-hidden="true" />} title="Nothing learned yet">
          When a job has run, on any of your devices, what it did is remembered here.
        </EmptyState>
      ) : (
        <ul className="jobs-learned" aria-label="Learned commands, newest first">
          {rows.map((row) => (
            <li key={row.key}>
              <span>
                <code>{row.shape}</code>
                <span className="job-quiet">
                  {row.words} · {agoText(row.atMs, now)}
                </span>
              </span>
              <Button aria-label={`Forget ${row.shape}`} onClick={() => forget(row)}>
                Forget
              </Button>
            </li>
          ))}
        </ul>
      )}
    </Dialog>
  )
}
