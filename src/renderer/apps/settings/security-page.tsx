import { Lock, LockKeyhole } from 'lucide-react'
import { useState } from 'react'
import { errorWords } from '../../ui/error-words.ts'
import { Strip } from '../strip.tsx'
import { clientNow } from '../../desk/app-desk.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { ErrorState } from '../../ui/error-state.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { Switch } from '../../ui/switch.tsx'
import { showToast } from '../../ui/toast.tsx'
import { Group, Row } from './group.tsx'
import { useDeviceSettings } from './use-device-settings.ts'

const AUTO_LOCK = [
  { value: '0', label: 'Never' },
  { value: '5', label: '5 min' },
  { value: '15', label: '15 min' },
  { value: '60', label: '1 h' },
] as const

/** When this display and this device lock, and what that means. */
export function SecurityPage() {
  const { settings, error, change } = useDeviceSettings()
  const [asking, setAsking] = useState<'lock-device' | 'unattended'>()
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
          label="Unlocks by itself when it starts"
          hint="For a machine that must be reachable without anybody there, such as a server."
          checked={settings.unattended}
          onChange={(on) => (on ? setAsking('unattended') : attempt(change({ unattended: false }), 'That was not kept'))}
        />
        {settings.unattended && (
          <Strip kind="unsafe">
            Whoever can read this machine’s disk can act as this device. Choose it only where you trust everybody who can.
          </Strip>
        )}
      </Group>
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
