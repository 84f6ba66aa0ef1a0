import { type FormEvent, useEffect, useState } from 'react'
import { type CacheLimit, cacheLimitText, parseCacheLimit } from '../../../files/cache-limit-contract.ts'
import type { DatasetStatus } from '../../../files/dataset-contract.ts'
import { useClient } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { Switch } from '../../ui/switch.tsx'
import { bytesText } from '../plain-words.ts'
import { Strip } from '../strip.tsx'
import { Group } from './group.tsx'

/** How often it is asked what is kept, while somebody looks. */
const ASK_MS = 2_000

/** How much of the contents of files this device keeps, and may keep (rule AP149). */
export function CacheGroup({ limit, onChange }: { limit: CacheLimit; onChange: (limit: CacheLimit) => void }) {
  const client = useClient()
  const [statuses, setStatuses] = useState<readonly DatasetStatus[]>([])
  useEffect(() => {
    if (!client) return
    const leaving = new AbortController()
    const { signal } = leaving
    const ask = async () => {
      const list = await client.listDatasets({}, { signal })
      setStatuses(await Promise.all(list.map(({ dataset }) => client.datasetStatus({ dataset }, { signal }))))
    }
    const askAgain = () => void ask().catch(() => {}) // closed or away: the last known stay in sight
    askAgain()
    const timer = setInterval(askAgain, ASK_MS)
    return () => {
      clearInterval(timer)
      leaving.abort()
    }
  }, [client])
  const kept = statuses.reduce((sum, { cachedBytes }) => sum + cachedBytes, 0)
  const most = statuses[0]?.limitBytes
  const isAll = limit.kind === 'all'
  return (
    <Group
      title="Files kept here"
      hint={
        most === undefined
          ? 'How much of your files’ contents stays on this device.'
          : `${bytesText(kept)} of your files’ contents are on this device, of at most ${bytesText(most)}. The rest comes when it is read.`
      }
    >
      <Switch
        label="Keep everything there is room for"
        hint="All that is read, pinned or copied here stays, up to a reserve of free disk."
        checked={isAll}
        onChange={(all) => onChange({ kind: all ? 'all' : 'first' })}
      />
      {!isAll && <LimitForm key={cacheLimitText(limit)} limit={limit} onKeep={onChange} />}
      {statuses.some(({ isCutShort }) => isCutShort) && (
        <Strip kind="unsafe">
          Limit reached: not all that is to be kept here has room. Allow more, free some of the disk, or keep fewer folders whole.
        </Strip>
      )}
    </Group>
  )
}

function LimitForm({ limit, onKeep }: { limit: CacheLimit; onKeep: (limit: CacheLimit) => void }) {
  const before = cacheLimitText(limit)
  const [typed, setTyped] = useState(before)
  const parsed = parseCacheLimit(typed)
  const isSame = typed.trim() === before
  return (
    <form
      className="settings-inline"
      onSubmit={(event: FormEvent) => {
        event.preventDefault()
        if (parsed && !isSame) onKeep(parsed)
      }}
    >
      <Field
        label="At most"
        hint="500G, 10% of the disk, or default: 10 GiB, and no more than a tenth of the disk."
        maxLength={12}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        error={parsed ? undefined : 'A size such as 500G or 10%, and 64M at least.'}
      />
      <Button type="submit" aria-disabled={!parsed || isSame}>
        Keep
      </Button>
    </form>
  )
}
