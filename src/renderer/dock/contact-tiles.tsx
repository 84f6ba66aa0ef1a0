import { UserRound } from 'lucide-react'
import { useDevices } from '../desk/devices-store.ts'
import { askForCommand, useRunPlan } from '../desk/run-plan-store.ts'
import { useShell } from '../desk/shell-store.ts'
import { Dot } from '../ui/dot.tsx'
import { contactOffer } from './run-plan.ts'
import { runPlanned } from './run-there.ts'
import { LoadRing, RunningThere } from './tile-parts.tsx'

/** Devices of contacts that run jobs for this one, below one's own: commands are sent there by name only (rule AP144). */
export function ContactTiles({ open }: { open: boolean }) {
  const devices = useDevices((state) => state.contactDevices)
  const carries = useShell((state) => state.carried !== undefined)
  // What is carried may be a window, or files of anywhere: none of it goes to another person by a slip of the hand.
  if (carries) return null
  return Object.entries(devices).map(
    ([device, { name, isLinked, runsJobs }]) =>
      isLinked && runsJobs && <ContactTile key={device} device={device} name={name} open={open} />,
  )
}

function ContactTile({ device, name, open }: { device: string; name: string; open: boolean }) {
  const answer = useRunPlan((state) => state.answer)
  const offer = open && answer ? contactOffer(answer) : undefined
  const press = () => {
    const { line, folder } = useRunPlan.getState()
    if (!offer || !answer) askForCommand({ target: device })
    else if (offer.takes && folder !== undefined) void runPlanned({ line: line.trim(), folder, answer }, { device })
  }
  return (
    <div className="device-tile" data-state="linked" data-takes={offer && (offer.takes ? 'yes' : 'no')}>
      <button
        type="button"
        className="device-tile-main"
        data-tip={offer ? (offer.takes ? `Run it on ${name}` : undefined) : `Run a command on ${name}`}
        data-tip-side="left"
        aria-disabled={offer && !offer.takes ? true : undefined}
        aria-label={`${offer ? 'Run on ' : ''}${name}: runs jobs for you${offer ? `, ${offer.reason}` : ''}`}
        onClick={press}
      >
        <span className="device-ring">
          <LoadRing value={0} />
          <UserRound aria-hidden="true" />
          <Dot meaning="safe" />
        </span>
        <span className="device-name">
          {name}
          <small>runs jobs for you</small>
        </span>
      </button>
      {offer && <div className="device-reason">{offer.reason}</div>}
      {!offer && open && <RunningThere device={device} terminals={[]} />}
    </div>
  )
}
