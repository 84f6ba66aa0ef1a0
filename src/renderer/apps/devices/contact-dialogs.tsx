import { useState } from 'react'
import type { ContactRow } from '../../../identity/contacts-contract.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { showToast } from '../../ui/toast.tsx'
import { TERMS, type Term } from './grant-words.ts'
import { ShellDialog } from './shell-dialog.tsx'
import { useAct } from '../use-act.ts'

export type ContactDialogKind = 'share' | 'read' | 'shell' | 'rename' | 'remove'

interface Act {
  readonly row: ContactRow
  readonly onClose: () => void
}

export function ContactDialog({ kind, ...act }: Act & { kind: ContactDialogKind }) {
  if (kind === 'share') return <ShareDialog {...act} />
  if (kind === 'read') return <ReadDialog {...act} />
  if (kind === 'shell') return <ShellDialog {...act} />
  return kind === 'rename' ? <RenameDialog {...act} /> : <RemoveDialog {...act} />
}

/** A port of a job of mine, for a time. */
function ShareDialog({ row, onClose }: Act) {
  const [port, setPort] = useState('')
  const [term, setTerm] = useState<Term>('day')
  const { error, setError, busy, run } = useAct(onClose)
  const share = () => {
    const number = Number(port)
    if (!Number.isInteger(number) || number < 1 || number > 65_535) return setError('A port is a number from 1 to 65535.')
    const ms = TERMS.find(({ value }) => value === term)?.ms
    const grant = {
      contact: row.person,
      target: { kind: 'port' as const, port: number },
      abilities: ['ports:share'],
      mayDelegate: false,
      ...(ms === undefined ? {} : { untilMs: Date.now() + ms }),
    }
    void run(() => clientNow().addGrant({ grant }))
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Share a port with ${row.name}`}
      description="They reach what a job of yours serves on this port, wherever it runs, and nothing else. It ends with its time, or when you revoke it under Who may do what."
      actions={
        <>
          <Button variant="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button variant="primary" busy={busy} onClick={share}>
            Share
          </Button>
        </>
      }
    >
      <div className="grants-give">
        <Field
          label="Port"
          autoFocus
          inputMode="numeric"
          placeholder="8080"
          value={port}
          error={error}
          onChange={(event) => setPort(event.target.value)}
          onKeyDown={(event) => event.key === 'Enter' && share()}
        />
        <Segmented label="For" value={term} options={TERMS} onChange={setTerm} />
      </div>
    </Dialog>
  )
}

/** All of Home, to be read, for a time. */
function ReadDialog({ row, onClose }: Act) {
  const [term, setTerm] = useState<Term>('day')
  const { error, busy, run } = useAct(onClose)
  const give = () =>
    run(async () => {
      const home = (await clientNow().listDatasets({})).find(({ name }) => name === 'Home')
      if (!home) throw new Error('Your files are not open on this device yet. Try again in a moment.')
      const ms = TERMS.find(({ value }) => value === term)?.ms
      const target = { kind: 'dataset' as const, dataset: home.dataset }
      const until = ms === undefined ? {} : { untilMs: Date.now() + ms }
      await clientNow().addGrant({ grant: { contact: row.person, target, abilities: ['files:read'], mayDelegate: false, ...until } })
    })
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Let ${row.name} read Home?`}
      description="Everything in Home, as it is now and as it changes, through your devices that are here; nothing of its past, nothing from the trash. What they have read, they have."
      actions={
        <>
          <Button variant="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button variant="primary" busy={busy} onClick={() => void give()}>
            Let them read
          </Button>
        </>
      }
    >
      <div className="grants-give">
        <Segmented label="For" value={term} options={TERMS} onChange={setTerm} />
        {error && (
          <p role="alert" className="grants-error">
            {error}
          </p>
        )}
      </div>
    </Dialog>
  )
}

function RenameDialog({ row, onClose }: Act) {
  const [name, setName] = useState(row.name)
  const { error, setError, busy, run } = useAct(onClose)
  const rename = () => {
    const wanted = name.trim()
    if (wanted === '') return setError('A name is needed.')
    void run(() => clientNow().renameContact({ person: row.person, name: wanted }))
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Rename ${row.name}`}
      description="What you call them. They do not see it."
      actions={
        <>
          <Button variant="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button variant="primary" busy={busy} onClick={rename}>
            Rename
          </Button>
        </>
      }
    >
      <Field
        label="Name"
        autoFocus
        maxLength={80}
        value={name}
        error={error}
        onChange={(event) => setName(event.target.value)}
        onKeyDown={(event) => event.key === 'Enter' && rename()}
      />
    </Dialog>
  )
}

function RemoveDialog({ row, onClose }: Act) {
  const { error, busy, run } = useAct(onClose)
  const remove = () =>
    run(async () => {
      await clientNow().removeContact({ person: row.person })
      showToast({
        severity: 'done',
        title: `${row.name} is no contact any more`,
        body: 'Their devices are cut off wherever that is heard.',
      })
    })
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Remove ${row.name}?`}
      description="Their devices are cut off, and what you granted them is taken back. What they have seen, they have: your devices’ names, too. To come back they need a new code."
      actions={
        <>
          <Button variant="quiet" autoFocus onClick={onClose}>
            Keep them
          </Button>
          <Button variant="danger" busy={busy} onClick={() => void remove()}>
            Remove
          </Button>
        </>
      }
    >
      {error && (
        <p role="alert" className="grants-error">
          {error}
        </p>
      )}
    </Dialog>
  )
}
