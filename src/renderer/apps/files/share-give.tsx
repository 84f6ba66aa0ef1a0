import { type ReactNode, useState } from 'react'
import type { GrantInput } from '../../../identity/grants-contract.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { Field } from '../../ui/field.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { TERMS, type Term } from '../devices/grant-words.ts'

const MAY = [
  { value: 'read', label: 'Read it' },
  { value: 'write', label: 'Read and change it' },
] as const
type May = (typeof MAY)[number]['value']

const abilitiesOf = (may: May) => (may === 'read' ? ['files:read'] : ['files:read', 'files:write'])

/** Gives until a time; what goes wrong is said where it was asked. */
function useGive(dataset: string) {
  const [term, setTerm] = useState<Term>('week')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const give = async (grantee: () => Promise<Pick<GrantInput, 'contact' | 'program' | 'abilities'>>): Promise<boolean> => {
    setBusy(true)
    setError(undefined)
    const ms = TERMS.find(({ value }) => value === term)?.ms
    const until = ms === undefined ? {} : { untilMs: Date.now() + ms }
    try {
      await clientNow().addGrant({ grant: { ...(await grantee()), target: { kind: 'dataset', dataset }, mayDelegate: false, ...until } })
      return true
    } catch (failure) {
      setError(errorWords(failure))
      return false
    } finally {
      setBusy(false)
    }
  }
  const wrong: ReactNode = error && (
    <p role="alert" className="files-share-error">
      {error}
    </p>
  )
  const time: ReactNode = <Segmented label="For" value={term} options={TERMS} onChange={setTerm} />
  return { time, busy, wrong, give }
}

/** A contact reads or changes it, through one's own devices. */
export function GiveToPerson(props: { dataset: string; contacts: readonly { readonly person: string; readonly name: string }[] }) {
  const { dataset, contacts } = props
  const [person, setPerson] = useState(contacts[0]?.person ?? '')
  const [may, setMay] = useState<May>('read')
  const { time, busy, wrong, give } = useGive(dataset)
  const chosen = contacts.find((one) => one.person === person) ?? contacts[0]
  if (!chosen) return null
  return (
    <>
      <div className="files-share-row">
        <label className="files-share-who">
          Who
          <select value={chosen.person} onChange={(event) => setPerson(event.target.value)}>
            {contacts.map((one) => (
              <option key={one.person} value={one.person}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
        <Segmented label={`What ${chosen.name} may`} value={may} options={MAY} onChange={setMay} />
        {time}
        <Button
          variant="primary"
          busy={busy}
          onClick={() => void give(async () => ({ contact: chosen.person, abilities: abilitiesOf(may) }))}
        >
          Let {chosen.name} {may === 'read' ? 'read' : 'change'} it
        </Button>
      </div>
      <p className="files-share-note">
        They reach it through your devices that are on, and no key is handed out. What somebody changes stays in its history.
      </p>
      {wrong}
    </>
  )
}

/** A program that another device runs here as a job sees it; this very program, by its bytes. */
export function GiveToProgram({ dataset, name }: { dataset: string; name: string }) {
  const [program, setProgram] = useState('')
  const [may, setMay] = useState<May>('read')
  const { time, busy, wrong, give } = useGive(dataset)
  const wanted = program.trim()
  const givePlain = async () => {
    const isDone = await give(async () => ({ program: (await clientNow().programId({ program: wanted })).id, abilities: abilitiesOf(may) }))
    if (isDone) setProgram('')
  }
  return (
    <>
      <div className="files-share-row">
        <Field
          label="Program"
          labelHidden
          placeholder="ffmpeg, or /opt/tool/bin/tool"
          value={program}
          onChange={(event) => setProgram(event.target.value)}
          onKeyDown={(event) => event.key === 'Enter' && wanted !== '' && !busy && void givePlain()}
        />
        <Segmented label="What the program may" value={may} options={MAY} onChange={setMay} />
        {time}
        <Button busy={busy} disabled={wanted === ''} onClick={() => void givePlain()}>
          Let it
        </Button>
      </div>
      <p className="files-share-note">
        As a job of another of your devices, shut in its sandbox, where {name} is mounted as a folder. It holds for this very program, as it
        is on this device now, and for whatever it runs: think twice with an interpreter or a build tool.
      </p>
      {wrong}
    </>
  )
}
