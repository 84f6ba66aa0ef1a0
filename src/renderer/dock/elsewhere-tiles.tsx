import { Laptop, Plus, Sparkles } from 'lucide-react'
import type { TerminalInfo } from '../../jobs/terminal-contract.ts'
import type { DeviceRow } from '../../sync/links-contract.ts'
import { useOwnDevice } from '../apps/app-hooks.ts'
import { showDevices } from '../apps/devices/show-devices.ts'
import { showTerminal } from '../apps/show-terminal.ts'
import { deviceNameOf, STATE_WORDS, useDevices } from '../desk/devices-store.ts'
import { useRunPlan } from '../desk/run-plan-store.ts'
import { type CarriedTab, useShell } from '../desk/shell-store.ts'
import { Dot, type Meaning } from '../ui/dot.tsx'
import { type MenuEntry, openContextMenu, openMenu } from '../ui/menu.tsx'
import { bestReason, bestTaker, type DeviceOffer, deviceOffer } from '../window/device-offer.ts'
import { freshApp, openApp } from '../window/open-app.ts'
import { BEST_TILE, type CarriedWork, carriedOffer, folderDevice, isWork, useCarriedPlan } from './carried-plan.ts'
import { CommandField } from './command-field.tsx'
import { ContactTiles } from './contact-tiles.tsx'
import { EngineTiles } from './engine-tiles.tsx'
import { planOffer, type PlanOffer, runsAs } from './run-plan.ts'
import { runPlanned } from './run-there.ts'
import { LoadRing, RunningThere } from './tile-parts.tsx'
import { useLoads } from './use-loads.ts'
import './dock.css'

/**
 * What there is elsewhere, the same in the dock of a large screen and the list of a small one (rule AP73): the command field,
 * a tile per device with its load, engines, contacts' devices that run jobs, and the way to link one more.
 *
 * @param open  there is room for names and reasons, and somebody looks: devices and engines are asked how they are
 */
export function ElsewhereTiles({ open }: { open: boolean }) {
  const rows = useDevices((state) => state.rows)
  const carried = useShell((state) => state.carried)
  const best = useBest(carried && !isWork(carried) ? carried : undefined, rows)
  useLoads(open)
  return (
    <div className="elsewhere-tiles">
      {open && !carried && <CommandField />}
      {isWork(carried) && <BestTile work={carried} />}
      {rows.map((row) => (
        <DeviceTile key={row.deviceId} row={row} open={open} best={row.deviceId === best} />
      ))}
      <EngineTiles open={open} />
      <ContactTiles open={open} />
      <button
        type="button"
        className="elsewhere-add"
        data-tip={open ? undefined : 'Link a device'}
        data-tip-side="left"
        onClick={() => openApp('devices')}
      >
        <Plus aria-hidden="true" />
        <span>{open ? 'Link another device' : 'Link'}</span>
      </button>
    </div>
  )
}

const MEANING: Readonly<Record<DeviceRow['state'], Meaning>> = { self: 'safe', linked: 'safe', connecting: 'moving', away: 'lost' }

function DeviceTile({ row, open, best }: { row: DeviceRow; open: boolean; best?: boolean }) {
  const load = useDevices((state) => state.loads[row.deviceId])
  const terminals = useDevices((state) => state.terminals[row.deviceId])
  const planned = usePlanned(row, open)
  const carried = useOffers(row, open)
  const byPlan = planned ?? carried.work
  const offer = byPlan ?? carried.tab
  const isBest = byPlan?.best ?? best
  const reachable = row.state === 'self' || row.state === 'linked'
  const quality = row.roundTripMs !== undefined ? `${Math.round(row.roundTripMs)} ms` : undefined
  const words = [STATE_WORDS[row.state], quality].filter(Boolean).join(', ')
  const menu = deviceMenu(row, terminals ?? [])
  return (
    <div
      className="device-tile"
      data-device-tile={row.deviceId}
      data-state={row.state}
      data-takes={offer ? (offer.takes ? (isBest ? 'best' : 'yes') : 'no') : undefined}
    >
      <button
        type="button"
        className="device-tile-main"
        data-tip={planned?.takes ? `Run it ${planned.job ? '' : 'in a terminal '}on ${row.name}` : undefined}
        data-tip-side="left"
        aria-haspopup={planned ? undefined : 'menu'}
        aria-disabled={planned && !planned.takes ? true : undefined}
        aria-label={`${planned ? 'Run on ' : ''}${row.name}: ${words}${load && reachable ? `, ${Math.round(load.cpu * 100)} % busy` : ''}${planned ? `, ${planned.reason}` : ''}`}
        onClick={(event) => {
          if (!planned) openMenu(event.currentTarget, row.name, menu, { side: 'left' })
          else planned.start()
        }}
        onContextMenu={(event) => openContextMenu(event, row.name, menu)}
      >
        <span className="device-ring">
          <LoadRing value={reachable ? (load?.cpu ?? 0) : 0} />
          <Laptop aria-hidden="true" />
          <Dot meaning={MEANING[row.state]} hollow={!reachable} />
        </span>
        <span className="device-name">
          {row.name}
          <small>{words}</small>
        </span>
        {load && reachable && <span className="device-load numbers">{Math.round(load.cpu * 100)} %</span>}
      </button>
      {offer && open && (
        <div className="device-reason">
          {!byPlan && best && load && <strong>{bestReason(load)}</strong>}
          {byPlan?.time && <strong>about {byPlan.time}</strong>}
          {offer.reason}
        </div>
      )}
      {!offer && open && <RunningThere device={row.deviceId} terminals={reachable ? (terminals ?? []) : []} />}
    </div>
  )
}

/** What a tile offers for the command that is typed, and what pressing it does. */
function usePlanned(row: DeviceRow, open: boolean): (PlanOffer & { readonly job: boolean; readonly start: () => void }) | undefined {
  const carried = useShell((state) => state.carried)
  const answer = useRunPlan((state) => state.answer)
  if (!answer || carried || !open) return undefined
  const offer = planOffer(answer, row)
  const start = () => {
    const { line, folder } = useRunPlan.getState()
    if (offer.takes && folder !== undefined) void runPlanned({ line: line.trim(), folder, answer }, { device: row.deviceId })
  }
  return { ...offer, job: runsAs(answer.classification) === 'job', start }
}

/** What a tile offers for what is carried: work, or a tab or window. */
function useOffers(row: DeviceRow, open: boolean): { readonly work?: PlanOffer; readonly tab?: DeviceOffer } {
  const carried = useShell((state) => state.carried)
  const own = useOwnDevice()
  const plan = useCarriedPlan()
  if (!carried || !open) return {}
  if (!isWork(carried)) return { tab: deviceOffer(carried, row) }
  return { work: carriedOffer(carried, row, own, (device) => deviceNameOf(useDevices.getState(), device), plan) }
}

/** Where work is dropped that may run anywhere. */
function BestTile({ work }: { work: CarriedWork }) {
  const { answer } = useCarriedPlan()
  const own = useOwnDevice()
  const name = useDevices((devices) => answer?.device && deviceNameOf(devices, answer.device))
  if (work.kind === 'job' || folderDevice(work, own) !== own) return null
  return (
    <div className="device-tile" data-device-tile={BEST_TILE} data-takes="yes">
      <div className="device-tile-main">
        <span className="device-ring" data-any="">
          <Sparkles aria-hidden="true" />
        </span>
        <span className="device-name">
          Wherever it suits
          <small>{name === undefined ? 'the device that is done first' : `now: ${name}`}</small>
        </span>
      </div>
      {answer && <div className="device-reason">{answer.reason}</div>}
    </div>
  )
}

/** The device that what is carried is best dropped on, as far as their loads are known. */
function useBest(carried: CarriedTab | undefined, rows: readonly DeviceRow[]): string | undefined {
  return useDevices(({ loads }) =>
    carried
      ? bestTaker(
          rows.map((row) => ({
            deviceId: row.deviceId,
            takes: deviceOffer(carried, row).takes,
            cpu: loads[row.deviceId]?.cpu,
            roundTripMs: row.roundTripMs,
          })),
        )
      : undefined,
  )
}

/** What a device offers by menu: everything a drag offers, and the rest. */
function deviceMenu(row: DeviceRow, terminals: readonly TerminalInfo[]): readonly MenuEntry[] {
  const away = row.state === 'self' || row.state === 'linked' ? undefined : `${row.name} is ${STATE_WORDS[row.state]}`
  const device = row.deviceId
  return [
    { heading: `${row.name}, ${STATE_WORDS[row.state]}` },
    {
      label: 'New terminal there',
      disabledBecause: away,
      onSelect: () => openApp('terminal', { device, state: freshApp('terminal', device) }),
    },
    { label: 'Its files', disabledBecause: away, onSelect: () => openApp('files', { device, state: freshApp('files', device) }) },
    'separator',
    ...terminals.map((terminal) => ({
      label: `${terminal.foreground}: ${terminal.title || terminal.cwd}`,
      onSelect: () => showTerminal(terminal),
    })),
    'separator',
    { label: 'What runs there', onSelect: () => openApp('tasks') },
    { label: 'Devices', onSelect: () => showDevices({ page: 'devices', device }) },
  ]
}
