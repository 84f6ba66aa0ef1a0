import { useState } from 'react'
import type { GrantInput } from '../../../identity/grants-contract.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { useDevices } from '../../desk/devices-store.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { Segmented } from '../../ui/segmented.tsx'
import { Switch } from '../../ui/switch.tsx'
import { TERMS, type Term } from './grant-words.ts'

/** What can be given on the account of a machine. Who may change files or run a shell there can do the other, too: the hint says so. */
const CHOICES = [
  { ability: 'files:write', label: 'Change files', hint: 'Who can change files in a home folder can make it run programs.' },
  { ability: 'shell', label: 'Use a shell', hint: 'Run any program there, as you. That includes anything such a program runs.' },
  { ability: 'tasks:end', label: 'End programs', hint: undefined },
] as const

const EVERY = 'every'

/** Gives one device of the person more on another one, or on each. */
export function GiveDialog({ onClose }: { onClose: () => void }) {
  const rows = useDevices((devices) => devices.rows)
  const self = rows.find((row) => row.self)
  const members = rows.filter((row) => !row.self && row.role === 'member')
  const [device, setDevice] = useState(members[0]?.deviceId)
  const [place, setPlace] = useState(self?.deviceId ?? EVERY)
  const [abilities, setAbilities] = useState<readonly string[]>([])
  const [term, setTerm] = useState<Term>('day')
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)

  const give = async () => {
    if (device === undefined) return
    setBusy(true)
    const ms = TERMS.find(({ value }) => value === term)?.ms
    const grant: GrantInput = {
      device,
      ...(place === EVERY ? {} : { on: place }),
      target: { kind: 'shell' },
      abilities: [...abilities],
      mayDelegate: false,
      ...(ms === undefined ? {} : { untilMs: Date.now() + ms }),
    }
    try {
      await clientNow().addGrant({ grant })
      onClose()
    } catch (failure) {
      setError(errorWords(failure))
      setBusy(false)
    }
  }
  const nothing = members.length === 0
  return (
    <Dialog
      open
      onClose={onClose}
      size="wide"
      title="Give access"
      description={
        nothing ? 'All your other devices are admins: they may do everything already. Make one a member to give it less.' : undefined
      }
      actions={
        <>
          <Button variant="quiet" onClick={onClose}>
            {nothing ? 'Close' : 'Cancel'}
          </Button>
          {!nothing && (
            <Button variant="primary" busy={busy} disabled={abilities.length === 0} onClick={() => void give()}>
              Give
            </Button>
          )}
        </>
      }
    >
      {!nothing && (
        <div className="grants-give">
          <div>
            <h4>Which device</h4>
            <Segmented
              label="Which device"
              value={device ?? ''}
              options={members.map((row) => ({ value: row.deviceId, label: row.name }))}
              onChange={setDevice}
            />
          </div>
          <div>
            <h4>May</h4>
            {CHOICES.map(({ ability, label, hint }) => (
              <Switch
                key={ability}
                label={label}
                {...(hint ? { hint } : {})}
                checked={abilities.includes(ability)}
                onChange={(on) => setAbilities(on ? [...abilities, ability] : abilities.filter((other) => other !== ability))}
              />
            ))}
          </div>
          <div>
            <h4>On</h4>
            <Segmented
              label="On"
              value={place}
              options={[
                ...rows
                  .filter((row) => row.deviceId !== device)
                  .map((row) => ({ value: row.deviceId, label: row.self ? 'This device' : row.name })),
                { value: EVERY, label: 'Each of them' },
              ]}
              onChange={setPlace}
            />
          </div>
          <div>
            <h4>For</h4>
            <Segmented label="For" value={term} options={TERMS} onChange={setTerm} />
          </div>
          {error && (
            <p role="alert" className="grants-error">
              {error}
            </p>
          )}
        </div>
      )}
    </Dialog>
  )
}
