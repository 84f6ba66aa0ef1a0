import { Server } from 'lucide-react'
import { type FormEvent, useEffect, useId, useState } from 'react'
import { errorCode } from '../../../base/errors.ts'
import { type EngineRow, standWords } from '../../../jobs/engines/engines-contract.ts'
import { clientNow, useClient } from '../../desk/app-desk.ts'
import { useEngines, watchEngines } from '../../desk/engines-store.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { Field } from '../../ui/field.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { Strip } from '../strip.tsx'
import { Group, Row } from './group.tsx'

/** How often engines are asked how they are, while somebody looks. */
const ASK_MS = 5_000

/** Schedulers beyond one's own machines (rule AP145). */
export function EnginesGroup() {
  const client = useClient()
  const { rows, isRead, problem } = useEngines()
  const [dialog, setDialog] = useState<'add' | EngineRow>()
  useEffect(() => {
    if (client && !dialog) return watchEngines(client, true, ASK_MS)
    return undefined
  }, [client, dialog])
  return (
    <Group
      title="Engines"
      hint="Schedulers beyond your machines that take jobs: a Slurm cluster, or a Bacalhau network. They have tiles in the elsewhere dock."
    >
      {problem !== undefined && <Strip kind="unsafe">How engines are could not be asked: {problem}. It is asked again.</Strip>}
      {rows.map((row) => (
        <Row
          key={row.engine}
          label={row.name}
          hint={
            <>
              {standWords(row.kind === 'bacalhau' ? row : { url: row.url })}
              <br />
              {row.why}
              {row.jobs ? `. ${jobsWords(row.jobs)} there` : ''}
            </>
          }
        >
          <Button variant="quiet" aria-label={`Remove ${row.name}`} onClick={() => setDialog(row)}>
            Remove…
          </Button>
        </Row>
      ))}
      <Row
        label={isRead ? (rows.length === 0 ? 'No engine' : 'Another') : 'Looking which there are…'}
        hint="What opens one is kept sealed on this device."
      >
        <Button icon={<Server aria-hidden="true" />} onClick={() => setDialog('add')}>
          Add an engine…
        </Button>
      </Row>
      {dialog === 'add' && <AddDialog onClose={() => setDialog(undefined)} />}
      {typeof dialog === 'object' && <RemoveDialog row={dialog} onClose={() => setDialog(undefined)} />}
    </Group>
  )
}

const jobsWords = (jobs: number): string => (jobs === 1 ? 'A job of yours runs' : `${jobs} jobs of yours run`)

type Kind = EngineRow['kind']
const EMPTY = { name: '', url: '', token: '', image: '', namespace: '', user: '', shared: '' }

const ABOUT: Readonly<Record<Kind, string>> = {
  bacalhau:
    'Jobs run in an image. What is in their folder goes along, in plain: who runs the nodes can read it. What came of it comes back into the folder.',
  slurm: 'Jobs run as your account there, without a sandbox, in the very folder: it has to lie on a disk that both machines see.',
}

function AddDialog({ onClose }: { onClose: () => void }) {
  const form = useId()
  const [kind, setKind] = useState<Kind>('bacalhau')
  const [typed, setTyped] = useState(EMPTY)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const said = Object.fromEntries(Object.entries(typed).map(([key, text]) => [key, text.trim()])) as typeof EMPTY
  const isWhole =
    said.name !== '' && said.url !== '' && (kind === 'bacalhau' || (said.user !== '' && said.shared !== '' && said.token !== ''))
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (busy || !isWhole) return
    setBusy(true)
    setError(undefined)
    const { name, url, image, namespace, user, shared } = said
    const token = said.token.replace(/^SLURM_JWT=/, '')
    try {
      await clientNow().addEngine(
        kind === 'slurm'
          ? { kind, name, url, user, shared, token }
          : { kind, name, url, token, ...(image !== '' && { image }), ...(namespace !== '' && { namespace }) },
      )
      onClose()
    } catch (cause) {
      setError(errorWords(cause))
      setBusy(false)
    }
  }
  const field = (
    name: keyof typeof EMPTY,
    label: string,
    more: { placeholder?: string; type?: 'password'; hint?: string; autoFocus?: boolean } = {},
  ) => <Field label={label} {...more} value={typed[name]} onChange={(event) => setTyped({ ...typed, [name]: event.target.value })} />
  return (
    <Dialog
      open
      onClose={() => !busy && onClose()}
      title="Add an engine"
      description={`It is asked first. ${ABOUT[kind]}`}
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
        <Segmented
          label="Kind"
          value={kind}
          options={[
            { value: 'bacalhau', label: 'Bacalhau' },
            { value: 'slurm', label: 'Slurm' },
          ]}
          onChange={setKind}
        />
        {field('name', 'What you call it', { autoFocus: true })}
        {field('url', kind === 'slurm' ? 'Address of slurmrestd' : 'Address of its API', {
          placeholder: kind === 'slurm' ? 'http://head:6820' : 'http://orchestrator:1234',
        })}
        {kind === 'slurm' && field('user', 'Your account there')}
        {kind === 'slurm' && field('shared', 'Folder that both see', { placeholder: '/home/you/shared' })}
        {kind === 'bacalhau' &&
          field('image', 'Image for jobs that name none', {
            placeholder: 'busybox:1.37',
            hint: 'With @sha256:… it is always the very same. None is needed for modules of WebAssembly.',
          })}
        {kind === 'bacalhau' &&
          field('namespace', 'Namespace, if not its default one', { hint: 'Jobs of one namespace are not known in another.' })}
        {field('token', kind === 'slurm' ? 'Token, as “scontrol token” prints it' : 'API key, if it asks for one', { type: 'password' })}
        {error && <Strip kind="unsafe">{error}</Strip>}
      </form>
    </Dialog>
  )
}

function RemoveDialog({ row, onClose }: { row: EngineRow; onClose: () => void }) {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  /** It was said what runs there. */
  const [isWarned, setWarned] = useState((row.jobs ?? 0) > 0)
  const remove = async () => {
    setBusy(true)
    try {
      await clientNow().removeEngine({ name: row.name, force: isWarned })
      onClose()
    } catch (cause) {
      setWarned(isWarned || errorCode(cause) === 'engine/in-use')
      setError(errorWords(cause))
      setBusy(false)
    }
  }
  const running = row.jobs
    ? ` ${jobsWords(row.jobs)} there, and ${row.jobs === 1 ? 'goes' : 'go'} on: neither followed nor ended until it is added again.`
    : ''
  return (
    <Dialog
      open
      onClose={() => !busy && onClose()}
      title={`Do without ${row.name}?`}
      description={`Its key is forgotten here.${running}`}
      actions={
        <>
          <Button variant="quiet" disabled={busy} onClick={onClose}>
            Keep it
          </Button>
          <Button variant="danger" busy={busy} onClick={() => void remove()}>
            {isWarned ? 'Remove all the same' : 'Remove'}
          </Button>
        </>
      }
    >
      {error && <Strip kind="unsafe">{error}</Strip>}
    </Dialog>
  )
}
