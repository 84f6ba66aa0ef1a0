import { SquareTerminal } from 'lucide-react'
import { useState } from 'react'
import type { TerminalInfo } from '../../../jobs/terminal-contract.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { useDevices } from '../../desk/devices-store.ts'
import { Button } from '../../ui/button.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { showToast } from '../../ui/toast.tsx'
import { useDeviceName, useNow } from '../app-hooks.ts'
import { agoText } from '../plain-words.ts'
import { unseenWords } from './guest-words.ts'

type GuestShell = TerminalInfo & { readonly guest: NonNullable<TerminalInfo['guest']> }
const isGuests = (terminal: TerminalInfo): terminal is GuestShell => terminal.guest !== undefined

/** Who else is in a shell on a device of mine, now, and an end to it (rule AP63). Nothing while nobody is. */
export function GuestShells() {
  const terminals = useDevices((devices) => devices.terminals)
  const shells = Object.values(terminals).flat().filter(isGuests)
  if (shells.length === 0) return null
  return (
    <ul aria-label="Shells of others on your devices" className="guest-shells">
      {shells.map((shell) => (
        <Shell key={shell.terminalId} shell={shell} />
      ))}
    </ul>
  )
}

/** Where somebody may be in a shell without this display knowing; nothing while all was asked, or there is nobody to let in. */
export function UnseenShells() {
  const words = useDevices(({ rows, unsaid, contactNames }) => (Object.keys(contactNames).length > 0 ? unseenWords(rows, unsaid) : ''))
  return words === '' ? null : <p className="pairing-hint">{words}</p>
}

function Shell({ shell: { device, terminalId, guest, foreground, startedAtMs } }: { shell: GuestShell }) {
  const now = useNow()
  const [busy, setBusy] = useState(false)
  const place = useDeviceName(device)
  const from = useDeviceName(guest.device)
  const person = useDevices(({ contactNames }) => contactNames[guest.person] ?? 'A contact')
  const end = async () => {
    setBusy(true)
    try {
      await clientNow().endTerminal({ device, terminalId })
      showToast({
        severity: 'done',
        title: `The shell of ${person} has ended`,
        body: 'The grant stays: revoke it under “Who may do what”.',
      })
    } catch (error) {
      showToast({ severity: 'error', title: 'That shell could not be ended', body: errorWords(error) })
      setBusy(false)
    }
  }
  return (
    <li>
      <SquareTerminal aria-hidden="true" />
      <span>
        <strong>
          {person} is in a shell on {place}
        </strong>
        <span className="devices-state">
          From {from}, begun {agoText(startedAtMs, now)}
          {foreground !== '' && `, runs ${foreground}`}
        </span>
      </span>
      <Button variant="danger" busy={busy} onClick={() => void end()} aria-label={`End the shell of ${person} on ${place}`}>
        End it
      </Button>
    </li>
  )
}
