import { type FormEvent, useId, useState } from 'react'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { Field } from '../../ui/field.tsx'

/** Asks for the passphrase before something that needs it each time; a wrong one is said, and can be typed again. */
export function PassphraseDialog(props: {
  title: string
  description: string
  /** What the button says. */
  action: string
  /** Rejects with what is to be said; whoever shows the dialog takes it away when this is done. */
  onPassphrase: (passphrase: string) => Promise<void>
  onClose: () => void
}) {
  const form = useId()
  const [passphrase, setPassphrase] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const close = () => {
    if (!busy) props.onClose() // what has begun ends first: half of it must not be left behind
  }
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (busy || passphrase === '') return
    setBusy(true)
    setError(undefined)
    try {
      await props.onPassphrase(passphrase)
    } catch (cause) {
      setError(errorWords(cause))
      setBusy(false)
    }
  }
  return (
    <Dialog
      open
      onClose={close}
      title={props.title}
      description={props.description}
      actions={
        <>
          <Button variant="quiet" disabled={busy} onClick={close}>
            Cancel
          </Button>
          <Button variant="primary" type="submit" form={form} busy={busy} disabled={passphrase === ''}>
            {props.action}
          </Button>
        </>
      }
    >
      <form id={form} onSubmit={submit}>
        <Field
          autoFocus
          label="Your passphrase"
          type="password"
          autoComplete="current-password"
          value={passphrase}
          error={error}
          onChange={(event) => setPassphrase(event.target.value)}
        />
      </form>
    </Dialog>
  )
}
