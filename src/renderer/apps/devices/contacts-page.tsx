import { Ellipsis, ExternalLink, Plus, SquareTerminal, UserRound } from 'lucide-react'
import { useState } from 'react'
import type { ContactList, ContactRow } from '../../../identity/contacts-contract.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { Dot } from '../../ui/dot.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { MenuButton } from '../../ui/menu.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { showToast } from '../../ui/toast.tsx'
import { openApp, useNow } from '../app-hooks.ts'
import { type ContactDialogKind, ContactDialog } from './contact-dialogs.tsx'
import { untilText } from './grant-words.ts'
import { GuestShells, UnseenShells } from './guest-shells.tsx'
import { PairingPanel } from './pairing-panel.tsx'
import type { Contacts } from './use-contacts.ts'
import { usePairing } from './use-pairing.ts'

type Offer = Extract<Device['offers'][number], { kind: 'port' }>

/** Other persons: who they are, which of their devices are there, and what they share. */
export function ContactsPage({ contacts: { list, error } }: { contacts: Contacts }) {
  const pairing = usePairing('contact')
  const [asked, setAsked] = useState(false)
  const [dialog, setDialog] = useState<{ readonly kind: ContactDialogKind; readonly row: ContactRow }>()
  if (error) return <p className="grants-empty">{error}</p>
  if (!list) return <Skeleton lines={3} label="Reading your contacts" />
  return (
    <>
      <GuestShells />
      <UnseenShells />
      <ul aria-label="My contacts" className="devices-list">
        {list.contacts.map((row) => (
          <Contact key={row.person} row={row} mayChange={list.mayChange} onAct={(kind) => setDialog({ kind, row })} />
        ))}
      </ul>
      {asked || pairing.state.step !== 'idle' ? (
        <PairingPanel kind="contact" pairing={pairing} onClose={() => setAsked(false)} />
      ) : (
        <Add list={list} onAdd={() => setAsked(true)} />
      )}
      {dialog && <ContactDialog kind={dialog.kind} row={dialog.row} onClose={() => setDialog(undefined)} />}
    </>
  )
}

function Add({ list, onAdd }: { list: ContactList; onAdd: () => void }) {
  return (
    <div className="devices-add">
      {list.contacts.length === 0 && (
        <p>A contact is another person whose devices you let reach something of yours, for a time. Their devices never become yours.</p>
      )}
      {list.mayChange ? (
        <Button variant={list.contacts.length === 0 ? 'primary' : 'secondary'} icon={<Plus aria-hidden="true" />} onClick={onAdd}>
          Add a contact
        </Button>
      ) : (
        <p className="pairing-hint">An admin among your devices adds contacts.</p>
      )}
    </div>
  )
}

function Contact({ row, mayChange, onAct }: { row: ContactRow; mayChange: boolean; onAct: (kind: ContactDialogKind) => void }) {
  const linked = row.devices.filter(({ state }) => state === 'linked')
  const state = linked.length === 0 ? 'None of their devices is here' : `Here: ${linked.map(({ name }) => name).join(', ')}`
  return (
    <li className="devices-row">
      <div className="devices-head">
        <span className="devices-icon">
          <UserRound aria-hidden="true" />
        </span>
        <span className="devices-name">
          <strong>{row.name}</strong>
          <span className="devices-state">
            <Dot meaning={linked.length > 0 ? 'safe' : 'neutral'} hollow={linked.length === 0} />
            {state}
          </span>
        </span>
        {mayChange && (
          <MenuButton
            className="devices-menu"
            label={`Actions for ${row.name}`}
            align="end"
            entries={() => [
              { label: 'Share a port', onSelect: () => onAct('share') },
              { label: 'Let them read Home', onSelect: () => onAct('read') },
              { label: 'Let them use a shell', onSelect: () => onAct('shell') },
              'separator',
              { label: 'Rename', onSelect: () => onAct('rename') },
              { label: 'Remove', danger: true, onSelect: () => onAct('remove') },
            ]}
          >
            <Ellipsis aria-hidden="true" />
          </MenuButton>
        )}
      </div>
      <div className="devices-facts">
        <dl>
          <dt>Safety words</dt>
          <dd className="devices-words">{row.safetyWords.join(' ')}</dd>
          <dt>Devices</dt>
          <dd>{row.devices.map(({ name }) => name).join(', ') || 'not known yet'}</dd>
        </dl>
        {row.devices.flatMap((device) =>
          device.offers.map((offer) => (
            <Offered key={`${device.deviceId} ${JSON.stringify(offer)}`} row={row} device={device} offer={offer} />
          )),
        )}
        {row.devices.map(
          ({ deviceId, name, offersLeftOut }) =>
            offersLeftOut > 0 && (
              <p key={deviceId}>
                {name} lets you reach {offersLeftOut} more, for which there is no room here.
              </p>
            ),
        )}
      </div>
    </li>
  )
}

type Device = ContactRow['devices'][number]

/** One thing that a device of theirs lets this one reach. */
function Offered({ row, device, offer }: { row: ContactRow; device: Device; offer: Device['offers'][number] }) {
  const now = useNow()
  const until = offer.untilMs === undefined ? '' : ` ${untilText({ untilMs: offer.untilMs, isOver: false }, now)}`
  switch (offer.kind) {
    case 'port':
      return <Shared person={row.person} device={device} offer={offer} />
    case 'shell':
      return (
        <p className="contact-shared">
          <span>
            Lets you use a shell on {device.name}
            {until}, as that account.
          </span>
          <Button
            icon={<SquareTerminal aria-hidden="true" />}
            onClick={() => openApp({ kind: 'terminal', device: device.deviceId, terminalId: null, cwd: null })}
          >
            Open a terminal
          </Button>
        </p>
      )
    case 'jobs':
      return (
        <p>
          {device.name} runs {offer.program ? 'one program' : 'jobs'} for you, in its sandbox:{' '}
          <code>elsewhere run --on-contact {row.name} COMMAND</code>
        </p>
      )
    case 'dataset':
      return (
        <p>
          Lets you {offer.mayRead ? (offer.mayWrite ? 'read and change' : 'read') : 'change'} files of {device.name}:{' '}
          <code>elsewhere contact ls {row.name}</code>
        </p>
      )
  }
}

/** A port of a job of theirs. */
function Shared({ person, device, offer }: { person: string; device: Device; offer: Offer }) {
  const now = useNow()
  const [busy, setBusy] = useState(false)
  const open = async () => {
    setBusy(true)
    try {
      const { here } = await clientNow().openContactPort({ person, deviceId: device.deviceId, port: offer.port })
      openApp({ kind: 'web', url: `http://127.0.0.1:${here}/` })
    } catch (error) {
      showToast({ severity: 'error', title: `Port ${offer.port} could not be opened`, body: errorWords(error) })
    } finally {
      setBusy(false)
    }
  }
  const until = offer.untilMs === undefined ? '' : ` ${untilText({ untilMs: offer.untilMs, isOver: false }, now)}`
  return (
    <p className="contact-shared">
      <span>
        Shares port {offer.port} of {device.name} with you{until}
        {!offer.isOpen && '; nothing listens there now'}.
      </span>
      <Button icon={<ExternalLink aria-hidden="true" />} busy={busy} onClick={() => void open()}>
        Open port {offer.port}
      </Button>
    </p>
  )
}
