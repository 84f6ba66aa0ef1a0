import { KeyRound, Lock, LockKeyhole } from 'lucide-react'
import { useEffect, useState } from 'react'
import { errorWords } from '../../ui/error-words.ts'
import { Strip } from '../strip.tsx'
import { clientNow } from '../../desk/app-desk.ts'
import { forgetOpening, keepOpening, keepsOpening, type KeyStore, keyStoreHere } from '../../native/kept-opening.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { Switch } from '../../ui/switch.tsx'
import { showToast } from '../../ui/toast.tsx'
import { ChangePassphrase } from './change-passphrase.tsx'
import { Group, Row } from './group.tsx'
import { PasskeyRow } from './passkey-row.tsx'
import { RecoveryGroup } from './recovery-group.tsx'
import { useDeviceSettings } from './use-device-settings.ts'
import { WalletsGroup } from './wallets-group.tsx'

const AUTO_LOCK = [
  { value: '0', label: 'Never' },
  { value: '5', label: '5 min' },
  { value: '15', label: '15 min' },
  { value: '60', label: '1 h' },
] as const

/** When this display and this device lock, and what that means. */
export function SecurityPage() {
  const { settings, error, change } = useDeviceSettings()
  const [asking, setAsking] = useState<'lock-device' | 'unattended' | 'passphrase'>()
  if (error !== undefined && !settings)
    return <ErrorState title="The settings of this device could not be read" error={error} safe="Nothing was changed." />
  if (!settings) return <Skeleton lines={5} label="Reading the settings of this device" />
  const attempt = (work: Promise<unknown>, title: string) =>
    void work.catch((failure: unknown) => showToast({ severity: 'error', title, body: errorWords(failure) }))
  const minutes = AUTO_LOCK.find(({ value }) => Number(value) === settings.autoLockMinutes)?.value ?? '15'
  return (
    <>
      <Group title="This display">
        <Row label="Lock after no input for" hint="The desk stays as it is; this display asks for the passphrase.">
          <Segmented
            label="Lock after"
            value={minutes}
            options={AUTO_LOCK}
            onChange={(value) => attempt(change({ autoLockMinutes: Number(value) }), 'That was not kept')}
          />
        </Row>
        <Row label="Lock this display now" hint="Your programs and links go on.">
          <Button
            icon={<Lock aria-hidden="true" />}
            onClick={() => attempt(clientNow().lockDisplay({}), 'The display could not be locked')}
          >
            Lock
          </Button>
        </Row>
      </Group>
      <Group title="This device">
        <Row
          label="Lock the whole device"
          hint="Its keys leave memory and its links close: nothing follows here until you unlock it. Programs in terminals go on."
        >
          <Button icon={<LockKeyhole aria-hidden="true" />} onClick={() => setAsking('lock-device')}>
            Lock device…
          </Button>
        </Row>
        <Switch
          label="Lock it when it sleeps"
          hint="Within seconds of waking its keys leave memory, and it asks for the passphrase."
          checked={settings.lockAfterSleep}
          onChange={(on) => attempt(change({ lockAfterSleep: on }), 'That was not kept')}
        />
        <Switch
          label="Unlocks by itself when it starts"
          hint="For a machine that must be reachable without anybody there, such as a server."
          checked={settings.unattended}
          onChange={(on) => (on ? setAsking('unattended') : attempt(change({ unattended: false }), 'That was not kept'))}
        />
        <Row label="Passphrase" hint="It opens this device, and no other one. Nobody can reset it for you.">
          <Button icon={<KeyRound aria-hidden="true" />} onClick={() => setAsking('passphrase')}>
            Change…
          </Button>
        </Row>
        <PasskeyRow />
        <KeyStoreSwitch unattended={settings.unattended} />
        {settings.unattended && (
          <Strip kind="unsafe">
            Whoever can read this machine’s disk can act as this device. Choose it only where you trust everybody who can.
          </Strip>
        )}
      </Group>
      <WalletsGroup />
      <RecoveryGroup />
      {asking === 'passphrase' && <ChangePassphrase onClose={() => setAsking(undefined)} />}
      <Dialog
        open={asking === 'lock-device'}
        onClose={() => setAsking(undefined)}
        title="Lock this device?"
        description="All displays of this device lock, and your other devices see it as away, until you type the passphrase here."
        actions={
          <>
            <Button variant="quiet" onClick={() => setAsking(undefined)}>
              Cancel
            </Button>
            <Button
              variant="primary"
              onClick={() => {
                setAsking(undefined)
                attempt(clientNow().lockDevice({}), 'The device could not be locked')
              }}
            >
              Lock device
            </Button>
          </>
        }
      />
      <Dialog
        open={asking === 'unattended'}
        onClose={() => setAsking(undefined)}
        title="Unlock by itself from now on?"
        description="The keys of this device will lie on its disk without your passphrase. Somebody who takes the disk, or an administrator of this machine, could then read your desk and act as this device until you remove it in Devices. Displays still ask for the passphrase."
        actions={
          <>
            <Button variant="quiet" onClick={() => setAsking(undefined)}>
              Keep asking
            </Button>
            <Button
              variant="danger"
              onClick={() => {
                setAsking(undefined)
                attempt(change({ unattended: true }), 'That was not kept')
              }}
            >
              Unlock by itself
            </Button>
          </>
        }
      />
    </>
  )
}

/** Only where the host can reach the system's key store: whether that opens this device after a restart. */
function KeyStoreSwitch({ unattended }: { unattended: boolean }) {
  const [store, setStore] = useState<KeyStore>()
  const [kept, setKept] = useState(keepsOpening)
  const [asking, setAsking] = useState(false)
  useEffect(() => {
    keyStoreHere().then(setStore, () => setStore('unsafe'))
  }, [])
  if (store === undefined || store === 'unsupported' || unattended) return null
  if (store === 'unsafe') {
    return (
      <Row
        label="Key store of this computer"
        hint="This system has no key store that keeps secrets, so it cannot open the device. Your passphrase does."
      >
        <span>Not available</span>
      </Row>
    )
  }
  const change = (on: boolean) =>
    (on ? keepOpening(clientNow()) : forgetOpening(clientNow())).then(
      () => setKept(on),
      (failure: unknown) => showToast({ severity: 'error', title: 'That was not kept', body: errorWords(failure) }),
    )
  return (
    <>
      <Switch
        label="The key store of this computer opens it"
        hint="After a restart its links and programs go on when this window opens. The desk still asks for your passphrase."
        checked={kept}
        onChange={(on) => (on ? setAsking(true) : void change(false))}
      />
      <Dialog
        open={asking}
        onClose={() => setAsking(false)}
        title="Let this computer’s key store open the device?"
        description="A key that opens this device is kept in the key store of your account on this computer. Whoever uses your account while it is logged in, or an administrator, can then act as this device without your passphrase, until you turn this off. Your own keys and every display still need the passphrase, and so does a device that you have locked."
        actions={
          <>
            <Button variant="quiet" onClick={() => setAsking(false)}>
              Keep asking
            </Button>
            <Button
              variant="primary"
              onClick={() => {
                setAsking(false)
                void change(true)
              }}
            >
              Use the key store
            </Button>
          </>
        }
      />
    </>
  )
}
