import { useState } from 'react'
import type { ContactRow } from '../../../identity/contacts-contract.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { useDevices } from '../../desk/devices-store.ts'
import { Switch } from '../../ui/switch.tsx'
import { GrantChoice, GrantDialog } from './grant-dialog.tsx'
import { SHELL_TERMS, type ShellTerm } from './grant-words.ts'
import { useAct } from '../use-act.ts'

/** A shell on one device of mine, for a time; what that means has a yes of its own (rule AP63). */
export function ShellDialog({ row, onClose }: { readonly row: ContactRow; readonly onClose: () => void }) {
  const rows = useDevices((devices) => devices.rows)
  const self = rows.find((one) => one.self)
  const [on, setOn] = useState(self?.deviceId ?? '')
  const [term, setTerm] = useState<ShellTerm>('hour')
  const [isSure, setSure] = useState(false)
  const { error, busy, run } = useAct(onClose)
  const place = rows.find(({ deviceId }) => deviceId === on)?.name ?? 'this device'
  const choose = (device: string) => {
    setOn(device)
    setSure(false) // the yes was for another one
  }
  const give = () =>
    run(() => {
      const untilMs = Date.now() + (SHELL_TERMS.find(({ value }) => value === term)?.ms ?? 0)
      const grant = { contact: row.person, on, target: { kind: 'shell' as const }, abilities: ['shell'], mayDelegate: false, untilMs }
      return clientNow().addGrant({ grant })
    })
  return (
    <GrantDialog
      title={`Let ${row.name} use a shell?`}
      description="A shell is your account on that device: every file of yours there, every program, what other devices share with it, and Elsewhere itself, in your name. Give it to whom you would leave alone at its keyboard."
      act={{ label: 'Let them', variant: 'danger', disabled: !isSure || on === '', run: give }}
      {...{ busy, error, onClose }}
    >
      <GrantChoice
        title="On"
        value={on}
        options={rows.map((one) => ({ value: one.deviceId, label: one.self ? `${one.name} (this one)` : one.name }))}
        onChange={choose}
      />
      <GrantChoice title="For" value={term} options={SHELL_TERMS} onChange={setTerm} />
      <Switch
        label={`Yes: ${row.name} may do on ${place} everything that I can`}
        hint="What they have read or started, they have. The ledger and this page say when they come and go; you can end it at any time."
        checked={isSure}
        onChange={setSure}
      />
    </GrantDialog>
  )
}
