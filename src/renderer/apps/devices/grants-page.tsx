import { Check, KeyRound, Minus, Plus } from 'lucide-react'
import { useState } from 'react'
import type { ContactRow } from '../../../identity/contacts-contract.ts'
import type { AccessRow, GrantRow } from '../../../identity/grants-contract.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { useDevices } from '../../desk/devices-store.ts'
import { Button } from '../../ui/button.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { Skeleton } from '../../ui/skeleton.tsx'
import { showToast } from '../../ui/toast.tsx'
import { useNow } from '../app-hooks.ts'
import { ContactGiveDialog } from './contact-give-dialog.tsx'
import { GiveDialog } from './give-dialog.tsx'
import { cellText, COLUMNS, untilText } from './grant-words.ts'
import { useGrants } from './use-grants.ts'
import './grants.css'

/** Who may do what here, and every grant in a sentence. */
export function GrantsPage({ contacts }: { contacts: readonly ContactRow[] }) {
  const { list, error } = useGrants()
  const [giving, setGiving] = useState<'device' | 'contact'>()
  const others = useDevices((devices) => devices.rows).length > 1
  if (error) return <p className="grants-empty">{error}</p>
  if (!list) return <Skeleton lines={4} label="Reading who may do what" />
  return (
    <div className="grants">
      <section aria-labelledby="grants-here">
        <h3 id="grants-here">On this device</h3>
        <p className="grants-hint">
          Admins may do everything on each of your devices. Members follow your desk, read, see what runs, run jobs in a sandbox and reach
          shared ports; the rest is given.
        </p>
        {list.access.length > 0 ? <AccessMap rows={list.access} /> : <p className="grants-empty">You have no other device yet.</p>}
      </section>
      <section aria-labelledby="grants-given">
        <header>
          <h3 id="grants-given">Given</h3>
          <span className="grants-buttons">
            {list.mayGrant && others && (
              <Button variant="secondary" icon={<Plus aria-hidden="true" />} onClick={() => setGiving('device')}>
                Give access
              </Button>
            )}
            {list.mayGrant && contacts.length > 0 && (
              <Button variant="secondary" icon={<Plus aria-hidden="true" />} onClick={() => setGiving('contact')}>
                Give to a contact
              </Button>
            )}
          </span>
        </header>
        {list.grants.length === 0 ? (
          <p className="grants-empty">Nothing is given beyond that.{!list.mayGrant && ' An admin among your devices can give more.'}</p>
        ) : (
          <ul className="grants-list">
            {list.grants.map((grant) => (
              <Sentence key={grant.id} grant={grant} />
            ))}
          </ul>
        )}
      </section>
      {giving === 'device' && <GiveDialog onClose={() => setGiving(undefined)} />}
      {giving === 'contact' && <ContactGiveDialog contacts={contacts} onClose={() => setGiving(undefined)} />}
    </div>
  )
}

function AccessMap({ rows }: { rows: readonly AccessRow[] }) {
  return (
    <div className="grants-map-frame">
      <table className="grants-map">
        <caption className="visually-hidden">What your other devices may do on this one</caption>
        <thead>
          <tr>
            <th scope="col">Device</th>
            {COLUMNS.map(({ ability, head }) => (
              <th key={ability} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.deviceId}>
              <th scope="row">
                {row.name} <span>{row.role}</span>
              </th>
              {COLUMNS.map((column) => (
                <td key={column.ability} data-may={row.may[column.ability] ?? 'no'} title={cellText(row, column)}>
                  <CellMark may={row.may[column.ability] ?? 'no'} />
                  <span className="visually-hidden">{cellText(row, column)}</span>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function CellMark({ may }: { may: 'role' | 'grant' | 'no' }) {
  const Mark = { role: Check, grant: KeyRound, no: Minus }[may]
  return <Mark aria-hidden="true" />
}

function Sentence({ grant }: { grant: GrantRow }) {
  const now = useNow()
  const [busy, setBusy] = useState(false)
  const revoke = async () => {
    setBusy(true)
    try {
      await clientNow().revokeGrant({ id: grant.id })
      showToast({ severity: 'done', title: 'Revoked', body: 'It ends on every device that hears of this, also what is going on now.' })
    } catch (error) {
      showToast({ severity: 'error', title: 'That could not be revoked', body: errorWords(error) })
      setBusy(false)
    }
  }
  return (
    <li data-over={grant.isOver || undefined}>
      <span>
        <span>
          {grant.sentence} {untilText(grant, now)}.
        </span>
        <span className="grants-by">
          Given by {grant.by}
          {grant.from !== undefined && ', passed on from another'}
        </span>
      </span>
      {grant.canRevoke && (
        <Button variant="quiet" busy={busy} onClick={() => void revoke()} aria-label={`Revoke: ${grant.sentence}`}>
          Revoke
        </Button>
      )}
    </li>
  )
}
