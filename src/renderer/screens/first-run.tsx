import { type FormEvent, useState } from 'react'
import { errorWords } from '../ui/error-words.ts'
import type { DoorState } from '../../device/desk/desk-contract.ts'
import type { DeviceClient } from '../desk/device-connection.ts'
import { setDoor } from '../desk/door-store.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Notices } from './notices.tsx'
import { useNewPassphrase } from './new-passphrase.tsx'
import { rememberFirstAim } from './first-aim.ts'
import { RestoreScreen } from './restore-screen.tsx'
import './screen.css'

const STEPS = ['Who you are', 'Protect it', 'Your devices'] as const

/** A fresh device: three steps at most, each can be gone back on, and at the end a desk. Nothing is made before the last press. */
export function FirstRun({ door, client }: { door: DoorState; client: DeviceClient | undefined }) {
  const [step, setStep] = useState(0)
  const [personName, setPersonName] = useState('')
  const [deviceName, setDeviceName] = useState(door.deviceName)
  const [unattended, setUnattended] = useState(false)
  const [aim, setAim] = useState<'first' | 'join'>('first')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()

  const [restoring, setRestoring] = useState(false)
  const chosen = useNewPassphrase([personName, deviceName], { autoFocus: true })
  const ready = [personName.trim() !== '' && deviceName.trim() !== '', chosen.ready, client !== undefined][step]

  const go = (to: number) => {
    setError(undefined)
    setStep(to)
  }
  const next = async (event: FormEvent) => {
    event.preventDefault()
    if (!ready || busy) return
    if (step < 2) return go(step + 1)
    setBusy(true)
    setError(undefined)
    try {
      rememberFirstAim(aim)
      setDoor(
        await (client as DeviceClient).createVault({
          personName: personName.trim(),
          deviceName: deviceName.trim(),
          passphrase: chosen.passphrase,
          unattended,
        }),
      )
    } catch (cause) {
      setError(errorWords(cause))
      setBusy(false)
    }
  }

  if (restoring) {
    return (
      <div className="screen">
        <main>
          <RestoreScreen door={door} client={client} onBack={() => setRestoring(false)} />
          <Notices notices={door.notices} />
        </main>
      </div>
    )
  }
  return (
    <div className="screen">
      <main>
        <section className="card" aria-labelledby="first-run-title">
          <ol className="steps" aria-label={`Step ${step + 1} of 3: ${STEPS[step]}`}>
            {STEPS.map((name, index) => (
              <li key={name} data-reached={index <= step || undefined} aria-current={index === step ? 'step' : undefined}>
                <span className="visually-hidden">{name}</span>
              </li>
            ))}
          </ol>
          <form onSubmit={next}>
            {step === 0 && (
              <>
                <h1 id="first-run-title">Who is this desk for?</h1>
                <p className="lead">
                  Your windows, terminals and texts will follow you to every device you link. Nothing is kept on anyone else’s server.
                </p>
                <Field
                  autoFocus
                  label="Your name"
                  value={personName}
                  maxLength={80}
                  autoComplete="name"
                  onChange={(event) => setPersonName(event.target.value)}
                />
                <Field
                  label="Name of this device"
                  value={deviceName}
                  maxLength={80}
                  hint="What your other devices will call it, such as “kitchen” or “laptop”."
                  onChange={(event) => setDeviceName(event.target.value)}
                />
              </>
            )}
            {step === 1 && (
              <>
                <h1 id="first-run-title">Protect it</h1>
                <p className="lead">The passphrase opens your desk on this device. It never leaves it, and nobody can reset it for you.</p>
                {chosen.fields}
                <label className="choice">
                  <input type="checkbox" checked={unattended} onChange={(event) => setUnattended(event.target.checked)} />
                  <span>
                    <strong>Come back by itself after a restart</strong>
                    <small>
                      For a machine nobody sits at. Its device keys then lie on its disk, readable by whoever holds the disk. Your own keys
                      never do.
                    </small>
                  </span>
                </label>
              </>
            )}
            {step === 2 && (
              <>
                <h1 id="first-run-title">Is this your first device?</h1>
                <p className="lead">You can link more at any time, in Devices.</p>
                <div role="radiogroup" aria-labelledby="first-run-title" style={{ display: 'grid', gap: 8 }}>
                  <label className="choice">
                    <input autoFocus type="radio" name="aim" checked={aim === 'first'} onChange={() => setAim('first')} />
                    <span>
                      <strong>Yes, start a new desk</strong>
                      <small>It begins with one window that shows you around.</small>
                    </span>
                  </label>
                  <label className="choice">
                    <input type="radio" name="aim" checked={aim === 'join'} onChange={() => setAim('join')} />
                    <span>
                      <strong>No, join my others</strong>
                      <small>Next you scan, type or paste the code that another device of yours shows under Devices.</small>
                    </span>
                  </label>
                </div>
              </>
            )}
            {error && (
              <p role="alert" className="ui-field-note" data-error="">
                {error}
              </p>
            )}
            <div className="card-actions">
              {step > 0 ? (
                <Button variant="quiet" disabled={busy} onClick={() => go(step - 1)}>
                  Back
                </Button>
              ) : (
                <Button variant="quiet" onClick={() => setRestoring(true)}>
                  I have a recovery kit
                </Button>
              )}
              <Button type="submit" variant="primary" size="large" disabled={!ready} busy={busy}>
                {step < 2 ? 'Continue' : 'Open my desk'}
              </Button>
            </div>
          </form>
        </section>
        <Notices notices={door.notices} />
      </main>
    </div>
  )
}
