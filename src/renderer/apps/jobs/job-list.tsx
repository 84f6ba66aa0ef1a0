import { CircleStop, RotateCw } from 'lucide-react'
import { type DragEvent, type KeyboardEvent, memo, useRef } from 'react'
import type { JobInfo } from '../../../jobs/jobs-contract.ts'
import { isOver } from '../../desk/jobs-store.ts'
import { IconButton } from '../../ui/icon-button.tsx'
import { openContextMenu } from '../../ui/menu.tsx'
import { cancelJob, forgetJob, jobMenu, rerunJob } from './job-actions.ts'
import { JobPlace, JobPorts, JobProgress, JobState, JobTime, useWhy } from './job-parts.tsx'
import { lineOf } from './job-words.ts'

/** Jobs, newest first. Arrow keys, Home and End go along, Enter opens, Delete cancels or removes, the menu key offers all. */
export function JobList(props: {
  jobs: readonly JobInfo[]
  chosen: string | null
  onOpen: (job: string) => void
  onDrag: (event: DragEvent, info: JobInfo) => void
}) {
  const list = useRef<HTMLUListElement>(null)
  const handleKey = (event: KeyboardEvent) => {
    const rows = [...(list.current?.querySelectorAll<HTMLElement>('[data-job-row]') ?? [])]
    const at = rows.findIndex((row) => row === document.activeElement)
    if (at < 0) return
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key]
    const info = props.jobs[at]
    if (to !== undefined) rows[to]?.focus()
    else if (event.key === 'Delete' && info) {
      // A key held down must not cancel a job and remove it too.
      if (!event.repeat) void (isOver(info) ? remove(info, rows[at], rows[at + 1] ?? rows[at - 1]) : cancelJob(info))
    } else return
    event.preventDefault()
    event.stopPropagation()
  }
  const stop = props.jobs.find(({ job }) => job === props.chosen)?.job ?? props.jobs[0]?.job
  return (
    <ul ref={list} className="jobs-list" aria-label="Jobs, newest first" onKeyDown={handleKey}>
      {props.jobs.map((info) => (
        <JobRow
          key={info.job}
          info={info}
          chosen={info.job === props.chosen}
          stop={info.job === stop}
          onOpen={props.onOpen}
          onDrag={props.onDrag}
        />
      ))}
    </ul>
  )
}

/** The keyboard goes on with the row beside the one that went. */
async function remove(info: JobInfo, row: HTMLElement | undefined, beside: HTMLElement | undefined): Promise<void> {
  if (!(await forgetJob(info))) return
  const focused = document.activeElement
  if (focused === document.body || focused === row) beside?.focus()
}

const JobRow = memo(function JobRow(props: {
  info: JobInfo
  chosen: boolean
  /** The one that Tab comes to. */
  stop: boolean
  onOpen: (job: string) => void
  onDrag: (event: DragEvent, info: JobInfo) => void
}) {
  const { info } = props
  const over = isOver(info)
  const line = lineOf(info)
  const why = useWhy(info)
  return (
    <li className="job-row" data-state={info.state} data-chosen={props.chosen || undefined}>
      <button
        type="button"
        className="job-row-main"
        data-job-row={info.job}
        aria-current={props.chosen || undefined}
        tabIndex={props.stop ? 0 : -1}
        draggable
        onDragStart={(event) => props.onDrag(event, info)}
        onClick={() => props.onOpen(info.job)}
        onContextMenu={(event) => openContextMenu(event, info.commandLine, jobMenu(info))}
      >
        <code className="job-line">{info.commandLine}</code>
        <span className="job-says">{line}</span>
        <span className="job-facts">
          <JobState info={info} />
          <JobPlace info={info} />
          <span className="job-why">{why}</span>
          <JobPorts ports={info.ports} />
        </span>
        <JobTime info={info} />
        <JobProgress info={info} />
      </button>
      <IconButton
        size="small"
        danger={!over}
        label={`${over ? 'Run again' : 'Cancel'}: ${info.commandLine}`}
        tabIndex={-1}
        icon={over ? <RotateCw aria-hidden="true" /> : <CircleStop aria-hidden="true" />}
        onClick={() => void (over ? rerunJob(info) : cancelJob(info))}
      />
    </li>
  )
})
