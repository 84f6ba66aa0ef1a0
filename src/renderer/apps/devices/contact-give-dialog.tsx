import { useState } from 'react'
import type { ContactRow } from '../../../identity/contacts-contract.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { useDevices } from '../../desk/devices-store.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { CONTACT_GIFTS, type ContactGift, contactGiftSentence, contactGrant } from './contact-give.ts'
import { TERMS, type Term } from './grant-words.ts'
import { useAct } from './use-act.ts'

const EVERY = 'every'

/** Gives another person something, in a sentence that says what it means before it is given (rule AP64). */
export function ContactGiveDialog({ contacts, onClose }: { readonly contacts: readonly ContactRow[]; readonly onClose: () => void }) {
  const rows = useDevices((devices) => devices.rows)
  const [person, setPerson] = useState(contacts[0]?.person ?? '')
  const [gift, setGift] = useState<ContactGift>('port')
  const [port, setPort] = useState('')
  const [place, setPlace] = useState(EVERY)
  const [term, setTerm] = useState<Term>('day')
  const { error, setError, busy, run } = useAct(onClose)
  const name = contacts.find((row) => row.person === person)?.name ?? ''
  const on = rows.find(({ deviceId }) => deviceId === place)
  const give = () =>
    run(async () => {
      const needsHome = gift === 'read' || gift === 'change'
      const home = needsHome ? (await clientNow().listDatasets({})).find((one) => one.name === 'Home')?.dataset : undefined
      const ms = TERMS.find(({ value }) => value === term)?.ms
      const grant = contactGrant({ person, name, gift, port, on, home, untilMs: ms === undefined ? undefined : Date.now() + ms })
      if (typeof grant === 'string') throw new Error(grant)
      await clientNow().addGrant({ grant })
    })
  return (
    <Dialog
      open
      onClose={onClose}
      size="wide"
      title="Give to a contact"
      actions={
        <>
          <Button variant="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button variant="primary" busy={busy} onClick={() => void give()}>
            Give
          </Button>
        </>
      }
    >
      <div className="grants-give">
        <div>
          <h4>Who</h4>
          <Segmented
            label="Who"
            value={person}
            options={contacts.map((row) => ({ value: row.person, label: row.name }))}
            onChange={setPerson}
          />
        </div>
        <div>
          <h4>May</h4>
          <Segmented
            label="May"
            value={gift}
            options={CONTACT_GIFTS}
            onChange={(chosen) => {
              setGift(chosen)
              setError(undefined)
            }}
          />
        </div>
        {gift === 'port' && (
          <Field label="Port" inputMode="numeric" placeholder="8080" value={port} onChange={(event) => setPort(event.target.value)} />
        )}
        <div>
          <h4>On</h4>
          <Segmented
            label="On"
            value={place}
            options={[{ value: EVERY, label: 'Each of mine' }, ...rows.map((row) => ({ value: row.deviceId, label: row.name }))]}
            onChange={setPlace}
          />
        </div>
        <div>
          <h4>For</h4>
          <Segmented label="For" value={term} options={TERMS} onChange={setTerm} />
        </div>
        <p className="grants-sentence">{contactGiftSentence({ name, gift, port, on })}</p>
        {error && (
          <p role="alert" className="grants-error">
            {error}
          </p>
        )}
      </div>
    </Dialog>
  )
}
