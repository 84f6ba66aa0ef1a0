import { Plus } from 'lucide-react'
import { useState } from 'react'
import type { GrantRow } from '../../../identity/grants-contract.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { useDevices } from '../../desk/devices-store.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { Skeleton } from '../../ui/skeleton.tsx'
import { openApp, useNow } from '../app-hooks.ts'
import { untilText } from '../devices/grant-words.ts'
import { useContacts } from '../devices/use-contacts.ts'
import { useGrants } from '../devices/use-grants.ts'
import { GiveToPerson, GiveToProgram } from './share-give.tsx'

export interface ShareDialogProps {
  readonly dataset: string
  /** What the person calls it. */
  readonly name: string
  readonly onClose: () => void
}

/** Who has a dataset, and who else shall: a grant is about all of it, and says so. */
export function ShareDialog({ dataset, name, onClose }: ShareDialogProps) {
  const { list: grants, error: grantsError } = useGrants()
  const { list: contacts, error: contactsError } = useContacts()
  const error = grantsError ?? contactsError
  const given = grants?.grants.filter(({ target, isOver }) => target.kind === 'dataset' && target.dataset === dataset && !isOver) ?? []
  const toDevices = () => {
    onClose()
    openApp({ kind: 'devices' })
  }
  return (
    <Dialog
      open
      onClose={onClose}
      size="wide"
      title={`Share ${name}`}
      description={`What is shared is all of ${name}, as it is now and as it changes, not one folder of it; nothing of its past and nothing from its trash. What somebody has read, they have.`}
      actions={
        <Button variant="quiet" onClick={onClose}>
          Done
        </Button>
      }
    >
      {error !== undefined ? (
        <p role="alert">{error}</p>
      ) : !grants || !contacts ? (
        <Skeleton lines={5} label={`Reading who has ${name}`} />
      ) : (
        <div className="files-share">
          <section aria-labelledby="files-share-has">
            <h3 id="files-share-has">Who has it</h3>
            <ul>
              <OwnDevices name={name} onDevices={toDevices} />
              {given.map((grant) => (
                <Given key={grant.id} grant={grant} who={contacts.contacts.find(({ person }) => person === grant.contact)?.name} />
              ))}
            </ul>
          </section>
          <section aria-labelledby="files-share-give">
            <h3 id="files-share-give">Let another person in</h3>
            {!grants.mayGrant ? (
              <p className="files-share-note">This device may not share: do it on one of your devices that is an admin.</p>
            ) : contacts.contacts.length === 0 ? (
              <p className="files-share-row">
                <span className="files-share-note">You have no contacts yet. A contact is another person, met by a code or a link.</span>
                <Button icon={<Plus aria-hidden="true" />} onClick={toDevices}>
                  Add a contact
                </Button>
              </p>
            ) : (
              <GiveToPerson dataset={dataset} contacts={contacts.contacts} />
            )}
          </section>
          {grants.mayGrant && (
            <section aria-labelledby="files-share-program">
              <h3 id="files-share-program">Let a program use it</h3>
              <GiveToProgram dataset={dataset} name={name} />
            </section>
          )}
        </div>
      )}
    </Dialog>
  )
}

/** The person's own: each has all of it, and so have programs there. */
function OwnDevices({ name, onDevices }: { name: string; onDevices: () => void }) {
  const rows = useDevices((devices) => devices.rows)
  const names = rows.map((row) => (row.self ? `${row.name} (this device)` : row.name)).join(', ')
  return (
    <li className="files-share-row">
      <span>
        Your devices read and change it, and so do the programs you run there: {names}.
        <span className="files-share-note"> Another device gets {name} by being added to yours.</span>
      </span>
      <Button variant="quiet" onClick={onDevices}>
        Devices
      </Button>
    </li>
  )
}

/** One grant in force, and its end. */
function Given({ grant, who }: { grant: GrantRow; who: string | undefined }) {
  const now = useNow()
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const end = async () => {
    setBusy(true)
    setError(undefined)
    try {
      await clientNow().revokeGrant({ id: grant.id })
    } catch (failure) {
      setError(errorWords(failure))
      setBusy(false)
    }
  }
  const may = grant.abilities.includes('files:write') ? 'read and change it' : 'read it'
  const sentence = who === undefined ? grant.sentence : `${who} may ${may}`
  return (
    <li className="files-share-row">
      <span>
        {sentence} {untilText(grant, now)}.<span className="files-share-note"> Given by {grant.by}.</span>
        {error && <span role="alert"> {error}</span>}
      </span>
      {grant.canRevoke && (
        <Button variant="quiet" busy={busy} aria-label={`End: ${sentence}`} onClick={() => void end()}>
          End it
        </Button>
      )}
    </li>
  )
}
