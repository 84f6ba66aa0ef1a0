import { CircleStop, Keyboard, X } from 'lucide-react'
import { type FocusEvent, useEffect, useRef, useState } from 'react'
import { useShallow } from 'zustand/react/shallow'
import type { JobInfo } from '../../jobs/jobs-contract.ts'
import { carryJob } from '../apps/drag-payload.ts'
import { cancelJob, jobMenu, openJob, runJobInTerminal, typeIntoJob } from '../apps/jobs/job-actions.ts'
import { wantsTerminal, wantsTyping } from '../apps/jobs/job-typing.ts'
import { JobPlace, JobPorts, JobProgress, JobState, JobTime, useWhy } from '../apps/jobs/job-parts.tsx'
import { correctedWords, lineOf, resultWords } from '../apps/jobs/job-words.ts'
import { useJobTail } from '../apps/jobs/use-job-output.ts'
import { hideCard, isOver, useJobs } from '../desk/jobs-store.ts'
import { Button } from '../ui/button.tsx'
import { IconButton } from '../ui/icon-button.tsx'
import { openContextMenu } from '../ui/menu.tsx'
import './job-card-stack.css'

/** Lines of output a card shows. */
const TAIL_LINES = 3
/** A card of what ended well goes after this: long enough to read what came of it. Not while it is looked at. */
const DONE_STAYS_MS = 8_000

/** Cards of the jobs started at this desk, over its corner: each follows one job to its end. */
export function JobCardStack() {
  const jobs = useJobs(useShallow((state) => state.cards.flatMap((card) => state.jobs.find(({ job }) => job === card) ?? [])))
  if (jobs.length === 0) return null
  return (
    <section className="job-stack" aria-label="Jobs started here">
      {jobs.map((info) => (
        <FollowedJob key={info.job} info={info} />
      ))}
    </section>
  )
}

function FollowedJob({ info }: { info: JobInfo }) {
  const tail = useJobTail(info, TAIL_LINES)
  const card = useRef<HTMLElement>(null)
  const [looked, setLooked] = useState(false)
  const over = isOver(info)
  const why = useWhy(info)
  useEffect(() => {
    // Its button to cancel went, maybe with the focus: an element that is gone tells nobody that it lost it.
    if (over && !card.current?.matches(':hover, :focus-within')) setLooked(false)
  }, [over])
  const leaves = over && info.state !== 'failed' && !looked
  useEffect(() => {
    if (!leaves) return
    const timer = setTimeout(() => hideCard(info.job), DONE_STAYS_MS)
    return () => clearTimeout(timer)
  }, [leaves, info.job])
  const isToldWhy = info.state === 'waiting' || info.state === 'paused' || info.error !== undefined
  const says = isToldWhy ? lineOf(info) : over ? undefined : info.waitingFor
  const results = over ? resultWords(info) : undefined
  return (
    <article
      ref={card}
      className="followed-job"
      data-state={info.state}
      aria-label={`Job: ${info.commandLine}`}
      onPointerEnter={() => setLooked(true)}
      onPointerLeave={() => setLooked(false)}
      onFocus={(event) => setLooked(event.target.matches(':focus-visible'))}
      onBlur={(event: FocusEvent) => !event.currentTarget.contains(event.relatedTarget as Node | null) && setLooked(false)}
    >
      <header>
        <button
          type="button"
          className="followed-line"
          data-tip="Output and details"
          draggable={!over}
          onDragStart={(event) => carryJob(event.dataTransfer, info)}
          onClick={() => openJob(info.job)}
          onContextMenu={(event) => openContextMenu(event, info.commandLine, jobMenu(info))}
        >
          <code>{info.commandLine}</code>
        </button>
        {!over && (
          <IconButton
            size="small"
            danger
            label={`Cancel: ${info.commandLine}`}
            icon={<CircleStop aria-hidden="true" />}
            onClick={() => void cancelJob(info)}
          />
        )}
        <IconButton
          size="small"
          label={over ? 'Close card' : 'Close card, the job goes on'}
          icon={<X aria-hidden="true" />}
          onClick={() => hideCard(info.job)}
        />
      </header>
      <div className="followed-facts">
        <span role="status">
          <JobState info={info} />
        </span>
        <JobPlace info={info} />
        <JobPorts ports={info.ports} forwards={info.forwards} />
        <JobTime info={info} />
      </div>
      <p className="followed-why">{says ?? why}</p>
      {!over && info.corrected && <p className="followed-why">{correctedWords(info.corrected)}</p>}
      {wantsTyping(info) && (
        <Button icon={<Keyboard aria-hidden="true" />} onClick={() => void typeIntoJob(info)}>
          Type into it
        </Button>
      )}
      {wantsTerminal(info) && (
        <Button icon={<Keyboard aria-hidden="true" />} onClick={() => void runJobInTerminal(info)}>
          Run in a terminal
        </Button>
      )}
      <JobProgress info={info} />
      {tail.length > 0 && <pre className="followed-tail">{tail.join('\n')}</pre>}
      {results !== undefined && <p className="followed-why">{results}</p>}
    </article>
  )
}
