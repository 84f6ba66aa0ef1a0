import { Laptop, Plus, Sparkles } from 'lucide-react'
import { memo, useEffect, useRef } from 'react'
import type { TerminalInfo } from '../../jobs/terminal-contract.ts'
import type { DeviceRow } from '../../sync/links-contract.ts'
import { deviceNameOf, useDevices } from '../desk/devices-store.ts'
import { useDoor } from '../desk/door-store.ts'
import { useRunPlan } from '../desk/run-plan-store.ts'
import { measureLoad } from '../desk/follow-devices.ts'
import { useOwnDevice } from '../apps/app-hooks.ts'
import { freshApp, openApp } from '../window/open-app.ts'
import { type CarriedTab, setShell, useShell } from '../desk/shell-store.ts'
import { Dot, type Meaning } from '../ui/dot.tsx'
import { type MenuEntry, openContextMenu, openMenu } from '../ui/menu.tsx'
import { bestReason, bestTaker, type DeviceOffer, deviceOffer } from '../window/device-offer.ts'
import { CLOSED_PX } from '../window/drop-on-device.ts'
import { BEST_TILE, type CarriedWork, carriedOffer, folderDevice, isWork, useCarriedPlan } from './carried-plan.ts'
import { ContactTiles } from './contact-tiles.tsx'
import { CommandField } from './command-field.tsx'
import { stepFocus } from './dock.tsx'
import { planOffer, type PlanOffer, runsAs } from './run-plan.ts'
import { runPlanned } from './run-there.ts'
import { showTerminal } from '../apps/show-terminal.ts'
import { useCarriedWork } from './use-carried-work.ts'
import { EngineTiles } from './engine-tiles.tsx'
import { LoadRing, RunningThere } from './tile-parts.tsx'
import './dock.css'

/** While the dock is open its devices are measured this often; closed, only this device, and rarely. */
const LOAD_OPEN_MS = 2_000
const LOAD_CLOSED_MS = 15_000
/** Leaving the dock closes it after this, so that a slip of the pointer does not. */
const CLOSE_DELAY_MS = 250
/** What there is elsewhere: a tile per device with its load, its link and what runs there. Grows when looked at or dragged to. */
export const ElsewhereDock = memo(function ElsewhereDock() {
  const rows = useDevices((state) => state.rows)
  const opened = useShell((state) => state.elsewhereOpen)
  const carried = useShell((state) => state.carried)
  const past = useShell((state) => state.carriedPast)
  const open = opened || carried !== undefined
  const best = useBest(carried && !isWork(carried) ? carried : undefined, rows)
  const timer = useRef(0)
  useEffect(() => () => clearTimeout(timer.current), [])
  useLoads(open)
  useCarriedWork()

  const setOpen = (to: boolean, delayMs: number) => {
    clearTimeout(timer.current)
    timer.current = window.setTimeout(() => {
      if (useShell.getState().carried) return // the drag says when it goes in and out
      // A menu that was opened from a tile keeps its place.
      if (to || !document.querySelector('.ui-menu')) setShell({ elsewhereOpen: to })
    }, delayMs)
  }
  return (
    <aside className="elsewhere" aria-label="Elsewhere: your devices">
      <div
        className="elsewhere-panel"
        data-open={open || undefined}
        data-carrying={carried ? (opened ? 'in' : past ? 'past' : 'by') : undefined}
        onPointerEnter={(event) => {
          // After a drop beside it the dock shrinks away from under the pointer: only over its narrow column is it looked at.
          const looked = opened || innerWidth - event.clientX <= CLOSED_PX
          if (event.pointerType === 'mouse' && looked) setOpen(true, CLOSE_DELAY_MS)
        }}
        // While a command is being typed the dock stays, wherever the pointer goes.
        onPointerLeave={(event) => !event.currentTarget.querySelector('.run-command input:focus') && setOpen(false, CLOSE_DELAY_MS)}
        onFocus={(event) => event.target.matches(':focus-visible') && setOpen(true, 0)}
        onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setOpen(false, CLOSE_DELAY_MS)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') setOpen(false, 0)
          stepFocus(event)
        }}
      >
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
      </div>
    </aside>
  )
})

const MEANING: Readonly<Record<DeviceRow['state'], Meaning>> = { self: 'safe', linked: 'safe', connecting: 'moving', away: 'lost' }
const WORDS: Readonly<Record<DeviceRow['state'], string>> = {
  self: 'this device',
  linked: 'linked',
  connecting: 'connecting',
  away: 'away',
}

export function DeviceTile({ row, open, best }: { row: DeviceRow; open: boolean; best?: boolean }) {
  const load = useDevices((state) => state.loads[row.deviceId])
  const terminals = useDevices((state) => state.terminals[row.deviceId])
  const planned = usePlanned(row, open)
  const carried = useOffers(row, open)
  const byPlan = planned ?? carried.work
  const offer = byPlan ?? carried.tab
  const isBest = byPlan?.best ?? best
  const reachable = row.state === 'self' || row.state === 'linked'
  const quality = row.roundTripMs !== undefined ? `${Math.round(row.roundTripMs)} ms` : undefined
  const words = [WORDS[row.state], quality].filter(Boolean).join(', ')
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
export function deviceMenu(row: DeviceRow, terminals: readonly TerminalInfo[]): readonly MenuEntry[] {
  const away = row.state === 'self' || row.state === 'linked' ? undefined : `${row.name} is ${WORDS[row.state]}`
  const device = row.deviceId
  return [
    { heading: `${row.name}, ${WORDS[row.state]}` },
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
    { label: 'Devices', onSelect: () => openApp('devices') },
  ]
}

/** Measures loads while somebody can see them: all reachable devices while open, else only this one, and never while the page is hidden. */
function useLoads(open: boolean): void {
  const client = useDoor((state) => state.client)
  useEffect(() => {
    if (!client) return
    const stop = new AbortController()
    let timer = 0
    const round = async () => {
      if (document.visibilityState === 'visible') {
        const rows = useDevices.getState().rows.filter((row) => row.state === 'self' || (open && row.state === 'linked'))
        await Promise.allSettled(rows.map((row) => measureLoad(client, row.deviceId, stop.signal)))
      }
      if (!stop.signal.aborted) timer = window.setTimeout(round, open ? LOAD_OPEN_MS : LOAD_CLOSED_MS)
    }
    void round()
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [client, open])
}
