import { ArrowRight, Fingerprint, MonitorUp, PictureInPicture2 } from 'lucide-react'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { errorWords } from '../ui/error-words.ts'
import type { DoorState } from '../../device/desk/desk-contract.ts'
import type { DeviceClient } from '../desk/device-connection.ts'
import { setDoor } from '../desk/door-store.ts'
import { openKept } from '../native/kept-opening.ts'
import { askPasskey, knowsPasskeys } from '../native/passkey.ts'
import { useBrowserWallets } from '../native/browser-wallets.ts'
import { Button } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { Segmented } from '../ui/segmented.tsx'
import { Spinner } from '../ui/spinner.tsx'
import { WalletIcon } from '../ui/wallet-icon.tsx'
import { Notices } from './notices.tsx'
import { clockText, dayText } from './plain-time.ts'
import { sealedWords } from './sealed-words.ts'
import { seatWords } from './seat-words.ts'
import { rememberedUnlock } from './unlock-wish.ts'
import { useMinute } from './use-now.ts'
import { useVaultMark } from './use-vault-mark.ts'
import './screen.css'

/** The locked display: time, name, one field, and in plain words where the desk is now. Also shown after a hand-over. */
export function LockScreen({ door, client, kept }: { door: DoorState; client: DeviceClient | undefined; kept?: boolean }) {
  const now = useMinute()
  const field = useRef<HTMLInputElement>(null)
  const [passphrase, setPassphrase] = useState('')
  const [how, setHow] = useState<'move' | 'beside'>(rememberedUnlock)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string>()
  const [capsLock, setCapsLock] = useState(false)
  // Another display may be on this very device: a seat that is known is somewhere to take it from.
  // A sealed device cannot know: its seat lies in the sealed store.
  const elsewhere = door.handedOverTo !== undefined || door.seat !== undefined || door.phase === 'sealed'
  const words = seatWords(door, now.getTime())
  const [why, ...stopped] = sealedWords(door)

  useEffect(() => field.current?.focus(), [])
  useEffect(() => {
    if (door.phase !== 'sealed' || !client) return
    // Quiet when nothing is kept: the passphrase is always there.
    openKept(client).then(
      (opened) => opened && setDoor(opened),
      (cause: unknown) => setError(errorWords(cause)),
    )
  }, [door.phase, client])

  const vault = useVaultMark(door.phase === 'sealed')

  const open = async (ask: (client: DeviceClient) => Promise<DoorState>) => {
    if (busy || !client) return
    setBusy(true)
    setError(undefined)
    performance.mark('elsewhere:unlock')
    vault.setWaiting(true)
    try {
      const opened = await ask(client)
      vault.mark()
      setDoor(opened)
    } catch (cause) {
      vault.setWaiting(false)
      setError(errorWords(cause))
      setBusy(false)
      field.current?.select()
    }
  }
  const unlock = (event: FormEvent) => {
    event.preventDefault()
    if (passphrase !== '') void open((one) => one.unlock({ passphrase, how }))
  }
  const { passkey } = door
  const wallets = useBrowserWallets()

  return (
    <div className="screen">
      <main className="lock" aria-label="Locked">
        <div className="lock-time">
          <time>{clockText(now)}</time>
          <span>{dayText(now)}</span>
        </div>
        <form className="lock-form" onSubmit={unlock}>
          <div className="avatar" aria-hidden="true">
            {initial(door.personName)}
          </div>
          <h1 className="lock-name">{door.personName ?? 'Elsewhere'}</h1>
          <Field
            ref={field}
            label="Passphrase"
            labelHidden
            placeholder="Passphrase"
            type="password"
            autoComplete="current-password"
            value={passphrase}
            error={error}
            hint={client ? (capsLock ? 'Caps Lock is on.' : undefined) : 'The device is not answering. Trying again…'}
            onChange={(event) => setPassphrase(event.target.value)}
            onKeyUp={(event) => setCapsLock(event.getModifierState('CapsLock'))}
            trailing={
              <IconButton
                type="submit"
                label="Unlock"
                shortcut="Enter"
                size="small"
                disabled={busy || passphrase === '' || !client}
                icon={busy ? <Spinner /> : <ArrowRight aria-hidden="true" />}
              />
            }
          />
          {passkey && knowsPasskeys() && (
            <Button
              icon={<Fingerprint aria-hidden="true" />}
              disabled={!client}
              onClick={() => void open(async (one) => one.unlockByPasskey({ answer: await askPasskey(passkey), how }))}
            >
              Use passkey
            </Button>
          )}
          {door.walletSignIn &&
            wallets.map((wallet) => (
              <Button
                key={wallet.name}
                icon={<WalletIcon icon={wallet.icon} />}
                disabled={!client}
                onClick={() =>
                  void open(async (one) => one.signInByWallet({ answer: await wallet.signIn(await one.askWalletSignIn({})), how }))
                }
              >
                Sign in with {wallet.name}
              </Button>
            ))}
          {elsewhere && (
            <Segmented
              label="What to do with the desk"
              value={how}
              onChange={setHow}
              options={[
                { value: 'move', label: 'Move here', icon: <MonitorUp aria-hidden="true" /> },
                { value: 'beside', label: 'Beside', icon: <PictureInPicture2 aria-hidden="true" /> },
              ]}
            />
          )}
        </form>
        <div className="lock-where">
          {words && <p data-main="">{words}</p>}
          {why && <p data-main="">{why}</p>}
          {stopped.map((sentence) => (
            <small key={sentence}>{sentence}</small>
          ))}
          {kept && (
            <small>The device process restarted. What you changed last is kept in this window until you unlock; leave it open.</small>
          )}
          {elsewhere && (
            <small>
              {how === 'move'
                ? 'Any other display that is still open locks itself.'
                : 'A second screen of the same desk: both stay open, changes on one show on the other.'}
            </small>
          )}
          <Notices notices={door.notices} />
        </div>
      </main>
    </div>
  )
}

const initial = (name: string | undefined): string => [...(name?.trim() ?? '')][0]?.toUpperCase() ?? '·'
