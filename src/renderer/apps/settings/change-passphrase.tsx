import { type FormEvent, useId, useState } from 'react'
import { clientNow } from '../../desk/app-desk.ts'
import { useNewPassphrase } from '../../screens/new-passphrase.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { showToast } from '../../ui/toast.tsx'
import { useAct } from '../use-act.ts'

const NO_NAMES: readonly string[] = []

/** Another passphrase for this device: the one there is, and twice the new one. */
export function ChangePassphrase({ onClose }: { onClose: () => void }) {
  const form = useId()
  const [before, setBefore] = useState('')
  const chosen = useNewPassphrase(NO_NAMES, { label: 'New passphrase' })
  const { error, busy, run } = useAct(onClose)
  const isReady = before !== '' && chosen.ready
  const close = () => {
    if (!busy) onClose() // what has begun ends first
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (busy || !isReady) return
    void run(async () => {
      await clientNow().changePassphrase({ passphrase: before, next: chosen.passphrase })
      showToast({ severity: 'done', title: 'This device has its new passphrase' })
    })
  }
  return (
    <Dialog
      open
      onClose={close}
      title="Change the passphrase"
      description="It opens this device from now on; your other devices keep theirs. A passkey, a wallet and a recovery kit go on working."
      actions={
        <>
          <Button variant="quiet" disabled={busy} onClick={close}>
            Cancel
          </Button>
          <Button variant="primary" type="submit" form={form} busy={busy} disabled={!isReady}>
            Change it
          </Button>
        </>
      }
    >
      <form id={form} className="new-passphrase" onSubmit={submit}>
        <Field
          autoFocus
          label="Your passphrase now"
          type="password"
          autoComplete="current-password"
          value={before}
          error={error}
          onChange={(event) => setBefore(event.target.value)}
        />
        {chosen.fields}
      </form>
    </Dialog>
  )
}
