import { CloudUpload } from 'lucide-react'
import { type FormEvent, useEffect, useId, useState } from 'react'
import type { BucketStatus, ShownBucket } from '../../../files/bucket/bucket-contract.ts'
import { clientNow, useClient } from '../../desk/app-desk.ts'
import { agoText } from '../../screens/plain-time.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { Field } from '../../ui/field.tsx'
import { useNow } from '../app-hooks.ts'
import { bytesText } from '../plain-words.ts'
import { Strip } from '../strip.tsx'
import { Group, Row } from './group.tsx'

/** How often it is asked how far the copy is, while somebody looks. */
const ASK_MS = 2_000

/** A bucket that holds an encrypted copy of all files, always on (rule AP142). */
export function BucketGroup() {
  const client = useClient()
  const now = useNow(60_000)
  const [buckets, setBuckets] = useState<readonly ShownBucket[]>()
  const [dialog, setDialog] = useState<'add' | 'remove'>()
  useEffect(() => {
    if (!client || dialog) return
    const ask = () => client.listBuckets({}).then(setBuckets, () => setBuckets(undefined))
    void ask()
    const timer = setInterval(ask, ASK_MS)
    return () => clearInterval(timer)
  }, [client, dialog])
  if (!buckets) return null
  const [bucket] = buckets
  const trouble = bucket?.status && troubleOf(bucket.status)
  return (
    <Group
      title="Copy in a bucket"
      hint="An S3 bucket is one more holder of your files, and always on. It gets ciphertext under names that say nothing, and no key."
    >
      {bucket ? (
        <Row
          label={`${bucket.bucket}${bucket.prefix && `/${bucket.prefix}`}`}
          hint={
            <>
              {bucket.endpoint}
              <br />
              {bucket.status ? progressOf(bucket.status, now) : 'These files are closed.'}
            </>
          }
        >
          <Button variant="quiet" onClick={() => setDialog('remove')}>
            Remove…
          </Button>
        </Row>
      ) : (
        <Row
          label="No bucket"
          hint="With one, your files are safe though this is your only device, and a recovery kit brings them all back."
        >
          <Button icon={<CloudUpload aria-hidden="true" />} onClick={() => setDialog('add')}>
            Add a bucket…
          </Button>
        </Row>
      )}
      {trouble && <Strip kind="unsafe">{trouble}</Strip>}
      {dialog === 'add' && <AddDialog onClose={() => setDialog(undefined)} />}
      {dialog === 'remove' && bucket && <RemoveDialog bucket={bucket} onClose={() => setDialog(undefined)} />}
    </Group>
  )
}

function progressOf({ state, bytes, todoBytes, todoChunks, awayChunks, lookedMs }: BucketStatus, now: number): string {
  if (todoChunks > 0) return `${bytesText(bytes)} there, ${bytesText(todoBytes)} to go.`
  const seen = lookedMs === undefined ? '' : ` Looked through ${agoText(lookedMs, now)}.`
  if (state === 'safe') return `Holds everything: ${bytesText(bytes)}.${seen}`
  if (state === 'failing') return `${bytesText(bytes)} there when it was last seen.${seen}`
  if (awayChunks > 0) return `${bytesText(bytes)} there; some contents are on devices that are away.${seen}`
  return `${bytesText(bytes)} there.${seen}`
}

function troubleOf(status: BucketStatus): string | undefined {
  const { error, wrong, strangeBatches, isHolder } = status
  const counts = isHolder ? '' : ' It was not looked through for a day and counts as no holder until it is.'
  if (error) return `${error.message}.${counts} ${onlyThere(status)}`
  if (wrong > 0) return `It gave other bytes than were put there, for ${wrong} objects. They are put again.`
  if (strangeBatches > 0) return 'There are changes in it of devices that this one does not know. A newer recovery kit may know them.'
  return undefined
}

/** What is at stake. */
function onlyThere({ onlyThereBytes }: BucketStatus): string {
  if (onlyThereBytes === 0) return 'All that lies in it is on this device, too.'
  return `${bytesText(onlyThereBytes)} of what lies in it are not on this device: unless another device of yours has them, only the bucket does.`
}

const EMPTY = { endpoint: '', bucket: '', region: 'us-east-1', accessKeyId: '', secretAccessKey: '' }

function AddDialog({ onClose }: { onClose: () => void }) {
  const form = useId()
  const [typed, setTyped] = useState(EMPTY)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const isWhole = Object.values(typed).every((text) => text.trim() !== '')
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (busy || !isWhole) return
    setBusy(true)
    setError(undefined)
    try {
      await clientNow().addBucket({
        endpoint: typed.endpoint.trim(),
        bucket: typed.bucket.trim(),
        region: typed.region.trim(),
        prefix: '',
        accessKeyId: typed.accessKeyId.trim(),
        secretAccessKey: typed.secretAccessKey.trim(),
      })
      onClose()
    } catch (cause) {
      setError(errorWords(cause))
      setBusy(false)
    }
  }
  const field = (name: keyof typeof EMPTY, label: string, more: { placeholder?: string; type?: 'password'; autoFocus?: boolean } = {}) => (
    <Field
      label={label}
      {...more}
      autoComplete="off"
      value={typed[name]}
      onChange={(event) => setTyped({ ...typed, [name]: event.target.value })}
    />
  )
  return (
    <Dialog
      open
      onClose={() => !busy && onClose()}
      title="Add a bucket"
      description="It is tried first. What opens it is kept sealed on this device and in recovery kits made from then on; the bucket learns no name, no content and no key."
      actions={
        <>
          <Button variant="quiet" disabled={busy} onClick={onClose}>
            Cancel
          </Button>
          <Button variant="primary" type="submit" form={form} busy={busy} disabled={!isWhole}>
            Try and add it
          </Button>
        </>
      }
    >
      <form id={form} className="settings-form" onSubmit={(event) => void submit(event)}>
        {field('endpoint', 'Address of the service', { placeholder: 'https://s3.example.org', autoFocus: true })}
        {field('bucket', 'Name of the bucket')}
        {field('region', 'Region')}
        {field('accessKeyId', 'Access key')}
        {field('secretAccessKey', 'Its secret', { type: 'password' })}
        {error && <Strip kind="unsafe">{error}</Strip>}
      </form>
    </Dialog>
  )
}

function RemoveDialog({ bucket, onClose }: { bucket: ShownBucket; onClose: () => void }) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const remove = async () => {
    setBusy(true)
    try {
      await clientNow().removeBucket({})
      onClose()
    } catch (cause) {
      setError(errorWords(cause))
      setBusy(false)
    }
  }
  return (
    <Dialog
      open
      onClose={() => !busy && onClose()}
      title={`Do without ${bucket.bucket}?`}
      description={`It counts as a holder of your files no more: what only it had beside this device is not yet safe again. What lies in it stays there, and adding it again goes on with that. ${bucket.status ? onlyThere(bucket.status) : ''}`}
      actions={
        <>
          <Button variant="quiet" disabled={busy} onClick={onClose}>
            Keep it
          </Button>
          <Button variant="danger" busy={busy} onClick={() => void remove()}>
            Remove
          </Button>
        </>
      }
    >
      {error && <Strip kind="unsafe">{error}</Strip>}
    </Dialog>
  )
}
