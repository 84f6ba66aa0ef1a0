import { SquareTerminal } from 'lucide-react'
import { useShallow } from 'zustand/react/shallow'
import type { JobInfo } from '../../jobs/jobs-contract.ts'
import type { TerminalInfo } from '../../jobs/terminal-contract.ts'
import { carryJob } from '../apps/drag-payload.ts'
import { tildePath } from '../apps/files/home-path.ts'
import { jobMenu, openJob } from '../apps/jobs/job-actions.ts'
import { JobProgress } from '../apps/jobs/job-parts.tsx'
import { stateWords } from '../apps/jobs/job-words.ts'
import { showTerminal } from '../apps/show-terminal.ts'
import { useHome } from '../apps/use-home.ts'
import { isOver, useJobs } from '../desk/jobs-store.ts'
import { openContextMenu } from '../ui/menu.tsx'

/* Pieces of the tiles in the elsewhere dock, of devices and engines alike. */

/** Things that run, shown below one device's tile. */
const MAX_CARDS = 8

/** What runs on a device, as small cards: jobs first. */
export function RunningThere({ device, terminals }: { device: string; terminals: readonly TerminalInfo[] }) {
  const jobs = useJobs(useShallow((state) => state.jobs.filter((info) => info.device === device && !isOver(info)).slice(0, MAX_CARDS)))
  const shown = terminals.slice(0, Math.max(0, MAX_CARDS - jobs.length))
  if (jobs.length + shown.length === 0) return null
  return (
    <div className="job-cards">
      {jobs.map((info) => (
        <JobChip key={info.job} info={info} />
      ))}
      {shown.map((terminal) => (
        <TerminalCard key={terminal.terminalId} terminal={terminal} />
      ))}
    </div>
  )
}

/** A job that runs over there: opens its page. */
const JobChip = ({ info }: { info: JobInfo }) => (
  <button
    type="button"
    className="job-chip"
    data-tip={stateWords(info)}
    data-tip-side="left"
    draggable
    onDragStart={(event) => carryJob(event.dataTransfer, info)}
    onClick={() => openJob(info.job)}
    onContextMenu={(event) => openContextMenu(event, info.commandLine, jobMenu(info))}
  >
    <span>{info.commandLine}</span>
    <JobProgress info={info} />
  </button>
)

const RING = 2 * Math.PI * 15

export const LoadRing = ({ value }: { value: number }) => (
  <svg viewBox="0 0 32 32" width="32" height="32" aria-hidden="true">
    <circle cx="16" cy="16" r="15" />
    <circle cx="16" cy="16" r="15" data-load="" strokeDasharray={RING} strokeDashoffset={RING * (1 - Math.min(1, Math.max(0, value)))} />
  </svg>
)

/** A program that runs over there: shows its tab, or opens one for it. */
function TerminalCard({ terminal }: { terminal: TerminalInfo }) {
  const { home } = useHome(terminal.device)
  const words = terminal.title || tildePath(terminal.cwd, home)
  return (
    <button type="button" className="job-card" data-tip={words} data-tip-side="left" onClick={() => showTerminal(terminal)}>
      <SquareTerminal aria-hidden="true" />
      <span>{words}</span>
      <code>{terminal.foreground}</code>
    </button>
  )
}
