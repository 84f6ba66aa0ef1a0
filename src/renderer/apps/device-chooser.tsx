import { ChevronDown, Laptop, Server, Smartphone } from 'lucide-react'
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
  all?: { chosen: boolean; onChoose: () => void }
}) {
  const rows = useDevices((state) => state.rows)
  const name = useDeviceName(props.device)
  const row = rows.find((one) => one.deviceId === props.device)
  const entries = (): readonly MenuEntry[] => [
    props.all && { label: 'All devices', checked: props.all.chosen, onSelect: props.all.onChoose },
    props.all && 'separator',
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
      <DeviceIcon platform={row?.platform ?? ''} />
      <span>{shown}</span>
      <ChevronDown aria-hidden="true" />
    </MenuButton>
  )
}

export function DeviceIcon({ platform }: { platform: string }) {
  if (/android|ios/i.test(platform)) return <Smartphone aria-hidden="true" />
  return /server/i.test(platform) ? <Server aria-hidden="true" /> : <Laptop aria-hidden="true" />
}

/** The state of a device in a word or two. */
export function stateWord(row: Pick<DeviceRow, 'state'>): string {
  return { self: 'this device', linked: 'linked', connecting: 'connecting', away: 'away' }[row.state]
}
