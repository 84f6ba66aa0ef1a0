import { useEffect, useState } from 'react'
import { type DatasetStatus, MAX_COPIES } from '../../../files/dataset-contract.ts'
import { clientNow, useClient } from '../../desk/app-desk.ts'
import { useDevices } from '../../desk/devices-store.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { errorWords } from '../../ui/error-words.ts'
import { Field } from '../../ui/field.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { Switch } from '../../ui/switch.tsx'
import { useAct } from '../use-act.ts'
import { policyTrouble } from './policy-words.ts'
import { unsafeText } from './unsafe-text.ts'

/** Where contents of a dataset have to be, on all its devices: seen and changed (rule AP148). */
export function PolicyDialog({ dataset, name, onClose }: { dataset: string; name: string; onClose: () => void }) {
  const client = useClient()
  const [status, setStatus] = useState<DatasetStatus>()
  const [failure, setFailure] = useState<string>()
  const [copies, setCopies] = useState<string>()
  const [on, setOn] = useState<ReadonlySet<string>>()
  const rows = useDevices((state) => state.rows)
  const { error, busy, run } = useAct(onClose)
  useEffect(() => {
    const leaving = new AbortController()
    client?.datasetStatus({ dataset }, { signal: leaving.signal }).then(setStatus, (reason: unknown) => {
      if (!leaving.signal.aborted) setFailure(errorWords(reason))
    })
    return () => leaving.abort()
  }, [client, dataset])
  const before = status?.policy
  const typed = copies ?? String(before?.copies ?? 1)
  const isNumber = /^\d$/.test(typed) && Number(typed) >= 1 && Number(typed) <= MAX_COPIES
  const chosen = on ?? new Set(before?.on.map(({ device }) => device))
  // One that left is named until somebody says otherwise.
  const left = before?.on.filter(({ device }) => !rows.some(({ deviceId }) => deviceId === device)) ?? []
  const devices = [
    ...rows.map(({ deviceId, name: called }) => ({ device: deviceId, name: called, hasLeft: false })),
    ...left.map((one) => ({ ...one, hasLeft: true })),
  ]
  const trouble = before && policyTrouble(before)
  const keep = () => run(() => clientNow().setDatasetPolicy({ dataset, copies: Number(typed), on: [...chosen] }))
  const turn = (device: string, isOn: boolean) => setOn(new Set(isOn ? [...chosen, device] : [...chosen].filter((one) => one !== device)))
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Where copies of ${name} are`}
      description="The same on all your devices. What you write stays on the device that wrote it until as many others as you say have it; devices that are always on come first."
      actions={
        <>
          <Button variant="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button variant="primary" busy={busy} disabled={!before || !isNumber} onClick={() => void keep()}>
            Keep
          </Button>
        </>
      }
    >
      {failure !== undefined ? (
        <p role="alert">{failure}</p>
      ) : !status ? (
        <Skeleton lines={4} label={`Reading where copies of ${name} are`} />
      ) : (
        <div className="files-policy">
          <p>
            {status.unsafeVersions > 0
              ? unsafeText(status.unsafeVersions)
              : 'Everything you wrote here is on as many devices as it should be'}
            {trouble ? `: ${trouble}.` : '.'}
          </p>
          <Field
            label="Other devices that must have it"
            inputMode="numeric"
            autoFocus
            maxLength={1}
            value={typed}
            error={isNumber ? undefined : `A number from 1 to ${MAX_COPIES}.`}
            onChange={(event) => setCopies(event.target.value)}
            onKeyDown={(event) => event.key === 'Enter' && isNumber && void keep()}
          />
          <section aria-labelledby="files-policy-on">
            <h3 id="files-policy-on">Devices that keep all of it</h3>
            {devices.map(({ device, name: called, hasLeft }) => (
              <Switch
                key={device}
                label={called}
                {...(hasLeft && { hint: 'It left your devices.' })}
                checked={chosen.has(device)}
                onChange={(isOn) => turn(device, isOn)}
              />
            ))}
          </section>
          {error !== undefined && <p role="alert">{error}</p>}
        </div>
      )}
    </Dialog>
  )
}
