import { ChevronDown, ChevronRight, Ellipsis, Plus } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { errorWords } from '../../ui/error-words.ts'
import type { AppStateOf } from '../../../session/app-state.ts'
import { type DeviceRow, wordsOfFilesWay } from '../../../sync/links-contract.ts'
import { clientNow, useClient } from '../../desk/app-desk.ts'
import { useDevices } from '../../desk/devices-store.ts'
import { DEVICES_VIEW, setShell, useShell } from '../../desk/shell-store.ts'
import { Dot } from '../../ui/dot.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { MenuButton } from '../../ui/menu.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { showToast } from '../../ui/toast.tsx'
import { openApp, useIsLate, useNow } from '../app-hooks.ts'
import type { AppProps } from '../app-props.ts'
import { DeviceIcon } from '../device-chooser.tsx'
import { agoText, bytesText, roundTripText } from '../plain-words.ts'
import { Strip } from '../strip.tsx'
import { ContactsPage } from './contacts-page.tsx'
import { GrantsPage } from './grants-page.tsx'
import { GuestShells } from './guest-shells.tsx'
import { LedgerPage } from './ledger-page.tsx'
import { PairingPanel } from './pairing-panel.tsx'
import { RemoveDialog } from './remove-dialog.tsx'
import { useContacts } from './use-contacts.ts'
import { usePairing } from './use-pairing.ts'
import './devices.css'

const PAGES = [
  { value: 'devices', label: 'Devices' },
  { value: 'contacts', label: 'Contacts' },
  { value: 'grants', label: 'Who may do what' },
  { value: 'ledger', label: 'Ledger' },
] as const
type Page = (typeof PAGES)[number]['value']

/** Every device of mine: how it is reached, how to tell it from an impostor, and linking another. */
export default function DevicesApp(_props: AppProps<AppStateOf<'devices'>>) {
  const rows = useDevices((devices) => devices.rows)
  const client = useClient()
  const pairing = usePairing('device')
  const contacts = useContacts()
  const [asked, setAsked] = useState(false)
  const [dialog, setDialog] = useState<{ readonly kind: 'rename' | 'remove'; readonly row: DeviceRow }>()
  const view = useShell((shell) => shell.devicesView)
  const setPage = (page: Page) => setShell({ devicesView: { ...view, page, device: undefined } })
  useEffect(() => () => setShell({ devicesView: DEVICES_VIEW }), [])
  const alone = rows.length === 1
  // Alone there is nobody to give anything to; what this device recorded is there all the same.
  const knowsNobody = alone && (contacts.list?.contacts.length ?? 0) === 0
  const pages = knowsNobody ? PAGES.filter(({ value }) => value !== 'grants') : PAGES
  const shown = pages.some(({ value }) => value === view.page) ? view.page : 'devices'
  const pairingShown = asked || pairing.state.step !== 'idle'
  const late = useIsLate(rows.length === 0)
  const list = (
    <>
      <GuestShells />
      {rows.length === 0 && late && <Skeleton lines={4} label="Reading your devices" />}
      <ul aria-label="My devices" className="devices-list">
        {rows.map((row) => (
          <Device
            key={view.device === row.deviceId ? `${row.deviceId} ${view.asked}` : row.deviceId}
            row={row}
            asked={view.device === row.deviceId}
            onRename={() => setDialog({ kind: 'rename', row })}
            onRemove={() => setDialog({ kind: 'remove', row })}
          />
        ))}
      </ul>
      {pairingShown ? (
        <PairingPanel pairing={pairing} onClose={() => setAsked(false)} />
      ) : (
        rows.length > 0 && (
          <div className="devices-add">
            {alone && (
              <p>
                Your desk is on this device only. Link another, and what is open here is open there too: the same windows, the same text,
                the same running programs.
              </p>
            )}
            <Button variant={alone ? 'primary' : 'secondary'} icon={<Plus aria-hidden="true" />} onClick={() => setAsked(true)}>
              Link another device
            </Button>
          </div>
        )
      )}
    </>
  )
  return (
    <div className="app devices">
      {!client && <Strip kind="away">This display has lost its device. What is shown is as it was last seen.</Strip>}
      <div className="app-body devices-body">
        {rows.length > 0 && (
          <div className="devices-pages">
            <Segmented label="What is shown" value={shown} options={pages} onChange={setPage} />
          </div>
        )}
        {shown === 'grants' && <GrantsPage contacts={contacts.list?.contacts ?? []} />}
        {shown === 'ledger' && <LedgerPage />}
        {shown === 'contacts' && <ContactsPage contacts={contacts} />}
        {shown === 'devices' && list}
      </div>
      {dialog?.kind === 'rename' && <RenameDialog row={dialog.row} onClose={() => setDialog(undefined)} />}
      {dialog?.kind === 'remove' && <RemoveDialog row={dialog.row} onClose={() => setDialog(undefined)} />}
    </div>
  )
}

interface DeviceProps {
  readonly row: DeviceRow
  /** Somebody asked for this device: it comes with its details, and takes the keyboard. Counts when it is mounted. */
  readonly asked: boolean
  readonly onRename: () => void
  readonly onRemove: () => void
}

function Device({ row, asked, onRename, onRemove }: DeviceProps) {
  const [open, setOpen] = useState(asked)
  const fold = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    if (!asked) return
    // After the window has taken the keyboard.
    const frame = requestAnimationFrame(() => fold.current?.focus())
    return () => cancelAnimationFrame(frame)
  }, [asked])
  const now = useNow()
  const device = row.deviceId
  const here = row.state === 'self' || row.state === 'linked'
  return (
    <li className="devices-row">
      <div className="devices-head">
        <span className="devices-icon">
          <DeviceIcon platform={row.platform} />
        </span>
        <span className="devices-name">
          <strong>{row.name}</strong>
          <span className="devices-state">
            <Dot meaning={here ? 'safe' : row.state === 'connecting' ? 'moving' : 'neutral'} hollow={!here} />
            {stateSentence(row, now)}
          </span>
        </span>
        {row.roundTripMs !== undefined && row.state === 'linked' && (
          <span className="devices-trip numbers" title="Time there and back">
            {roundTripText(row.roundTripMs)}
          </span>
        )}
        <button
          ref={fold}
          type="button"
          className="devices-fold"
          aria-expanded={open}
          aria-label={`Details of ${row.name}`}
          onClick={() => setOpen(!open)}
        >
          {open ? <ChevronDown aria-hidden="true" /> : <ChevronRight aria-hidden="true" />}
          <span className="devices-fold-word">Details</span>
        </button>
        <MenuButton
          className="devices-menu"
          label={`Actions for ${row.name}`}
          align="end"
          entries={() => [
            {
              label: 'Terminal there',
              disabledBecause: here ? undefined : 'It is away',
              onSelect: () => openApp({ kind: 'terminal', device, terminalId: null, cwd: null }),
            },
            { label: 'Its files', onSelect: () => openApp({ kind: 'files', device, path: null }) },
            { label: 'Its tasks', onSelect: () => openApp({ kind: 'tasks', device }) },
            'separator',
            { label: 'Rename', onSelect: onRename },
            !row.self && { label: row.role === 'admin' ? 'Make it a member' : 'Make it an admin', onSelect: () => void changeRole(row) },
            !row.self && { label: 'Remove', danger: true, onSelect: onRemove },
          ]}
        >
          <Ellipsis aria-hidden="true" />
        </MenuButton>
      </div>
      {open && <Facts row={row} />}
    </li>
  )
}

/** Who may is the device's business; it says why not, in words. */
async function changeRole(row: DeviceRow): Promise<void> {
  const role = row.role === 'admin' ? 'member' : 'admin'
  try {
    await clientNow().changeDeviceRole({ deviceId: row.deviceId, role })
    showToast({ severity: 'done', title: `${row.name} is ${role === 'admin' ? 'an admin' : 'a member'} now` })
  } catch (error) {
    showToast({ severity: 'warn', title: `${row.name} stays ${row.role === 'admin' ? 'an admin' : 'a member'}`, body: errorWords(error) })
  }
}

const PATHS = {
  host: 'directly',
  srflx: 'directly, through a router',
  prflx: 'directly, through a router',
  relay: 'over a relay, which sees only ciphertext',
  unknown: 'in a way not known yet',
}

function stateSentence(row: DeviceRow, now: number): string {
  switch (row.state) {
    case 'self':
      return 'This device'
    case 'linked':
      return `Linked ${PATHS[row.path ?? 'unknown']}`
    case 'connecting':
      return 'Connecting…'
    case 'away':
      return row.lastSeenMs === undefined ? 'Away, not seen from here yet' : `Away, last linked ${agoText(row.lastSeenMs, now)}`
  }
}

function Facts({ row }: { row: DeviceRow }) {
  const lanes = Object.entries(row.lanes ?? {})
  const filesWay = wordsOfFilesWay(row)
  return (
    <div className="devices-facts">
      <dl>
        <dt>Safety words</dt>
        <dd className="devices-words">{row.safetyWords.join(' ') || 'not known yet'}</dd>
        <dt>Id</dt>
        <dd className="devices-mono">{row.deviceId}</dd>
        <dt>Role</dt>
        <dd>{row.role === 'admin' ? 'Admin: may add and remove devices, grant, and hand out keys' : 'Member: uses what it was given'}</dd>
        <dt>System</dt>
        <dd>{row.platform || 'not known yet'}</dd>
        {row.localAddress !== undefined && (
          <>
            <dt>Path</dt>
            <dd className="devices-mono">
              {row.localAddress} → {row.remoteAddress ?? '?'}
            </dd>
          </>
        )}
        {filesWay !== undefined && (
          <>
            <dt>Files</dt>
            <dd>{filesWay.replace(/^d/, 'D')}</dd>
          </>
        )}
      </dl>
      {lanes.length > 0 && (
        <table className="devices-lanes numbers">
          <caption className="visually-hidden">Traffic with {row.name} by lane</caption>
          <thead>
            <tr>
              <th scope="col">Lane</th>
              <th scope="col">Sent</th>
              <th scope="col">Received</th>
              <th scope="col">Messages</th>
            </tr>
          </thead>
          <tbody>
            {lanes.map(([lane, count]) => (
              <tr key={lane}>
                <th scope="row">{lane}</th>
                <td>{bytesText(count.sentBytes)}</td>
                <td>{bytesText(count.receivedBytes)}</td>
                <td>{(count.sentMessages + count.receivedMessages).toLocaleString('en-US')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  )
}

function RenameDialog({ row, onClose }: { row: DeviceRow; onClose: () => void }) {
  const [name, setName] = useState(row.name)
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const rename = async () => {
    const wanted = name.trim()
    if (wanted === '') return setError('A name is needed.')
    setBusy(true)
    try {
      await clientNow().renameDevice({ deviceId: row.deviceId, name: wanted })
      onClose()
    } catch (failure) {
      setError(errorWords(failure))
      setBusy(false)
    }
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Rename ${row.name}`}
      actions={
        <>
          <Button variant="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button variant="primary" busy={busy} onClick={() => void rename()}>
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
        onKeyDown={(event) => event.key === 'Enter' && void rename()}
      />
    </Dialog>
  )
}
