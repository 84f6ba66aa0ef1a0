import { useState } from 'react'
import type { GrantInput } from '../../../identity/grants-contract.ts'
import { clientNow } from '../../desk/app-desk.ts'
import { useDevices } from '../../desk/devices-store.ts'
import { Switch } from '../../ui/switch.tsx'
import { GrantChoice, GrantDialog } from './grant-dialog.tsx'
import { TERMS, type Term } from './grant-words.ts'
import { useAct } from '../use-act.ts'

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
  const { error, busy, run } = useAct(onClose)
  const give = () =>
    run(async () => {
      const ms = TERMS.find(({ value }) => value === term)?.ms
      const grant: GrantInput = {
        device: device as string,
        ...(place === EVERY ? {} : { on: place }),
        target: { kind: 'shell' },
        abilities: [...abilities],
        mayDelegate: false,
        ...(ms === undefined ? {} : { untilMs: Date.now() + ms }),
      }
      await clientNow().addGrant({ grant })
    })
  const others = rows.filter((row) => row.deviceId !== device)
  const places = [
    ...others.map((row) => ({ value: row.deviceId, label: row.self ? 'This device' : row.name })),
    { value: EVERY, label: 'Each of them' },
  ]
  const act = { label: 'Give', variant: 'primary', disabled: abilities.length === 0, run: give } as const
  return (
    <GrantDialog
      title="Give access"
      description={
        device === undefined
          ? 'All your other devices are admins: they may do everything already. Make one a member to give it less.'
          : undefined
      }
      act={device === undefined ? undefined : act}
      {...{ busy, error, onClose }}
    >
      <GrantChoice
        title="Which device"
        value={device ?? ''}
        options={members.map((row) => ({ value: row.deviceId, label: row.name }))}
        onChange={setDevice}
      />
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
      <GrantChoice title="On" value={place} options={places} onChange={setPlace} />
      <GrantChoice title="For" value={term} options={TERMS} onChange={setTerm} />
    </GrantDialog>
  )
}
