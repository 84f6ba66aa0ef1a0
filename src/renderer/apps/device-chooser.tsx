import { ChevronDown, FolderSync, Laptop, Server, Smartphone } from 'lucide-react'
import { ELSEWHERE } from '../../session/app-state.ts'
import type { DeviceRow } from '../../sync/links-contract.ts'
import { MenuButton, type MenuEntry } from '../ui/menu.tsx'
import { useDevices } from '../desk/devices-store.ts'
import { useDeviceName } from './app-hooks.ts'
import './app.css'

/** Which of my devices something is on, and a menu of the others. */
export function DeviceChooser(props: {
  device: string
  label: string
  onChoose: (device: string) => void
  /** The person's datasets may be chosen too: they are on every device. */
  withElsewhere?: boolean
  all?: { chosen: boolean; onChoose: () => void }
}) {
  const rows = useDevices((state) => state.rows)
  const name = useDeviceName(props.device)
  const row = rows.find((one) => one.deviceId === props.device)
  const entries = (): readonly MenuEntry[] => [
    props.all && { label: 'All devices', checked: props.all.chosen, onSelect: props.all.onChoose },
    props.all && 'separator',
    props.withElsewhere && {
      label: 'Elsewhere (on all your devices)',
      checked: props.device === ELSEWHERE,
      onSelect: () => props.onChoose(ELSEWHERE),
    },
    props.withElsewhere && 'separator',
    ...rows.map((one) => ({
      label: one.self ? `${one.name} (this one)` : one.name,
      checked: one.deviceId === props.device && !props.all?.chosen,
      disabledBecause: one.state === 'away' || one.state === 'connecting' ? stateWord(one) : undefined,
      onSelect: () => props.onChoose(one.deviceId),
    })),
  ]
  const shown = props.all?.chosen ? 'All devices' : name
  return (
    <MenuButton className="app-chooser" label={`${props.label}: ${shown}`} entries={entries}>
      {props.device === ELSEWHERE && !props.all?.chosen ? <ElsewhereIcon /> : <DeviceIcon platform={row?.platform ?? ''} />}
      <span>{shown}</span>
      <ChevronDown aria-hidden="true" />
    </MenuButton>
  )
}

/** The sign of what is on every device. */
export const ElsewhereIcon = () => <FolderSync aria-hidden="true" />

export function DeviceIcon({ platform }: { platform: string }) {
  if (/android|ios/i.test(platform)) return <Smartphone aria-hidden="true" />
  return /server/i.test(platform) ? <Server aria-hidden="true" /> : <Laptop aria-hidden="true" />
}

/** The state of a device in a word or two. */
export function stateWord(row: Pick<DeviceRow, 'state'>): string {
  return { self: 'this device', linked: 'linked', connecting: 'connecting', away: 'away' }[row.state]
}
