import { useState } from 'react'
import type { ContactRow } from '../../../identity/contacts-contract.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { useDevices } from '../../desk/devices-store.ts'
import { Field } from '../../ui/field.tsx'
import { CONTACT_GIFTS, type ContactGift, contactGiftSentence, contactGrant } from './contact-give.ts'
import { GrantChoice, GrantDialog } from './grant-dialog.tsx'
import { TERMS, type Term } from './grant-words.ts'
import { useAct } from '../use-act.ts'

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
  const places = [{ value: EVERY, label: 'Each of mine' }, ...rows.map((row) => ({ value: row.deviceId, label: row.name }))]
  const chooseGift = (chosen: ContactGift) => {
    setGift(chosen)
    setError(undefined)
  }
  return (
    <GrantDialog title="Give to a contact" act={{ label: 'Give', variant: 'primary', run: give }} {...{ busy, error, onClose }}>
      <GrantChoice
        title="Who"
        value={person}
        options={contacts.map((row) => ({ value: row.person, label: row.name }))}
        onChange={setPerson}
      />
      <GrantChoice title="May" value={gift} options={CONTACT_GIFTS} onChange={chooseGift} />
      {gift === 'port' && (
        <Field label="Port" inputMode="numeric" placeholder="8080" value={port} onChange={(event) => setPort(event.target.value)} />
      )}
      <GrantChoice title="On" value={place} options={places} onChange={setPlace} />
      <GrantChoice title="For" value={term} options={TERMS} onChange={setTerm} />
      <p className="grants-sentence">{contactGiftSentence({ name, gift, port, on })}</p>
    </GrantDialog>
  )
}
