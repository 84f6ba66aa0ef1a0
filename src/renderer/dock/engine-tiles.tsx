import { Server } from 'lucide-react'
import { useEffect } from 'react'
import type { EngineRow } from '../../jobs/engines/engines-contract.ts'
import { useOwnDevice } from '../apps/app-hooks.ts'
import { deviceNameOf, useDevices } from '../desk/devices-store.ts'
import { useDoor } from '../desk/door-store.ts'
import { busyOf, placeOfEngine, useEngines, watchEngines } from '../desk/engines-store.ts'
import { useRunPlan } from '../desk/run-plan-store.ts'
import { useShell } from '../desk/shell-store.ts'
import { Dot } from '../ui/dot.tsx'
import { carriedOffer, isWork, useCarriedPlan } from './carried-plan.ts'
import { LoadRing, RunningThere } from './tile-parts.tsx'
import { planOffer, type PlanOffer, runsAs } from './run-plan.ts'
import { runPlanned } from './run-there.ts'

/** While the dock is open engines are asked how they are this often; closed, none: this device only says which there are. */
const ASK_OPEN_MS = 5_000

/** Engines stand below the devices: jobs can be typed, dropped and followed there alike. */
export function EngineTiles({ open }: { open: boolean }) {
  const rows = useEngines((state) => state.rows)
  const client = useDoor((state) => state.client)
  const isMadeUp = useOwnDevice() === '' // the desk that is drawn out of sight asks nothing (AP91)
  useEffect(() => {
    if (!client || isMadeUp) return
    return watchEngines(client, open, open ? ASK_OPEN_MS : undefined)
  }, [client, open, isMadeUp])
  return rows.map((row) => <EngineTile key={row.engine} row={row} open={open} />)
}

function EngineTile({ row, open }: { row: EngineRow; open: boolean }) {
  const planned = usePlanned(row, open)
  const carried = useCarried(row, open)
  const offer = planned ?? carried
  const isReady = row.state === 'ready'
  const busy = busyOf(row)
  const isAway = row.state === 'away' || row.state === 'refused'
  const words = { ready: 'engine', unasked: 'engine, not asked yet', refused: 'engine, refuses', away: 'engine, away' }[row.state]
  return (
    <div
      className="device-tile"
      data-device-tile={row.engine}
      data-state={isAway ? 'away' : 'linked'}
      data-takes={offer ? (offer.takes ? (offer.best ? 'best' : 'yes') : 'no') : undefined}
    >
      <button
        type="button"
        className="device-tile-main"
        data-tip={planned?.takes ? `Run it on ${row.name}` : `${row.name}: ${row.why}`}
        data-tip-side="left"
        aria-disabled={!planned?.takes || undefined}
        aria-label={`${planned ? 'Run on ' : ''}${row.name}: ${words}${busy === undefined ? '' : `, ${Math.round(busy * 100)} % busy`}${planned ? `, ${planned.reason}` : ''}`}
        onClick={() => planned?.takes && planned.start()}
      >
        <span className="device-ring">
          <LoadRing value={busy ?? 0} />
          <Server aria-hidden="true" />
          <Dot meaning={isReady ? 'safe' : isAway ? 'lost' : 'neutral'} hollow={!isReady} />
        </span>
        <span className="device-name">
          {row.name}
          <small>{words}</small>
        </span>
        {busy !== undefined && <span className="device-load numbers">{Math.round(busy * 100)} %</span>}
      </button>
      {open && (
        <div className="device-reason" data-quiet={offer ? undefined : ''}>
          {offer?.time && <strong>about {offer.time}</strong>}
          {offer?.reason ?? row.why}
        </div>
      )}
      {!offer && open && <RunningThere device={row.engine} terminals={[]} />}
    </div>
  )
}

/** As a device's tile: what it offers for the command that is typed. */
function usePlanned(row: EngineRow, open: boolean): (PlanOffer & { readonly start: () => void }) | undefined {
  const carried = useShell((state) => state.carried)
  const answer = useRunPlan((state) => state.answer)
  if (!answer || carried || !open) return undefined
  const offer = planOffer(answer, placeOfEngine(row))
  const start = () => {
    const { line, folder } = useRunPlan.getState()
    if (folder !== undefined) void runPlanned({ line: line.trim(), folder, answer }, { device: row.engine })
  }
  return runsAs(answer.classification) === 'job' ? { ...offer, start } : { ...offer, takes: false, reason: 'has no terminal', start }
}

function useCarried(row: EngineRow, open: boolean): PlanOffer | undefined {
  const carried = useShell((state) => state.carried)
  const own = useOwnDevice()
  const plan = useCarriedPlan()
  if (!carried || !open) return undefined
  if (!isWork(carried)) return { takes: false, best: false, reason: 'takes jobs only', time: undefined }
  return carriedOffer(carried, placeOfEngine(row), own, (device) => deviceNameOf(useDevices.getState(), device), plan)
}
