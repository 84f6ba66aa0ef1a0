import { GraduationCap, ListChecks, Send, SearchX } from 'lucide-react'
import { type DragEvent, useCallback, useDeferredValue, useMemo, useState } from 'react'
import { MAX_SHOWN_LINE, type JobInfo } from '../../../jobs/jobs-contract.ts'
import type { AppStateOf } from '../../../session/app-state.ts'
import { deviceNameOf, useDevices } from '../../desk/devices-store.ts'
import { isOver, useJobs } from '../../desk/jobs-store.ts'
import { askForCommand } from '../../desk/run-plan-store.ts'
import { Button } from '../../ui/button.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { Segmented } from '../../ui/segmented.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { useIsLate } from '../app-hooks.ts'
import type { AppProps } from '../app-props.ts'
import { carryCommand, carryJob } from '../drag-payload.ts'
import { GuestJobs } from './guest-jobs.tsx'
import { JobList } from './job-list.tsx'
import { JobPage } from './job-page.tsx'
import { LearnedDialog } from './learned-dialog.tsx'
import { groupOf, type JobGroup, matchingJobs } from './job-words.ts'
import { useWorkflows } from '../../desk/workflows-store.ts'
import { WorkflowsView } from './workflows-view.tsx'
import './jobs.css'

const SHOWN: readonly (readonly ['all' | JobGroup, string])[] = [
  ['all', 'All'],
  ['running', 'Running'],
  ['waiting', 'Waiting'],
  ['done', 'Done'],
]

/** Everything that was asked to run, here and elsewhere: what runs, what waits and for what, what came of it. */
export default function JobsApp({ state, setState, visible }: AppProps<AppStateOf<'jobs'>>) {
  const { jobs, loaded } = useJobs()
  const rows = useDevices((devices) => devices.rows)
  const contactDevices = useDevices((devices) => devices.contactDevices)
  const [text, setText] = useState('')
  const wanted = useDeferredValue(text)
  const late = useIsLate(!loaded)
  const [showsLearned, setShowsLearned] = useState(false)
  const shown = useMemo(
    () => matchingJobs(jobs, state.show, wanted, (device) => deviceNameOf({ rows, contactDevices }, device)),
    [jobs, state.show, wanted, rows, contactDevices],
  )
  const counts = useMemo(() => {
    const sum = { running: 0, waiting: 0, done: 0 }
    for (const info of jobs) sum[groupOf(info)]++
    return sum
  }, [jobs])
  const open = useCallback((job: string) => setState({ job }), [setState])
  const chosen = state.job === null ? undefined : jobs.find(({ job }) => job === state.job)
  const isWorkflows = state.page === 'workflows'
  const running = useWorkflows(({ workflows }) => workflows.filter((one) => one.state === 'running').length)
  const ask = (
    <Button className="jobs-ask" aria-label="Run a command" icon={<Send aria-hidden="true" />} onClick={() => askForCommand({})}>
      <span>Run a command</span>
    </Button>
  )
  return (
    <div className="app jobs" data-chosen={chosen && !isWorkflows ? '' : undefined}>
      <div className="app-bar" role="toolbar" aria-label="Jobs">
        <Segmented
          label="Which jobs"
          value={isWorkflows ? 'workflows' : state.show}
          onChange={(show) => setState(show === 'workflows' ? { page: 'workflows' } : { page: 'jobs', show })}
          options={[
            ...SHOWN.map(([value, label]) => ({
              value,
              label: value === 'all' || value === 'done' || counts[value] === 0 ? label : `${label} ${counts[value]}`,
            })),
            { value: 'workflows', label: running === 0 ? 'Workflows' : `Workflows ${running}` },
          ]}
        />
        <span className="app-bar-fill" />
        <input
          className="app-filter"
          type="search"
          aria-label={isWorkflows ? 'Search workflows' : 'Search jobs'}
          placeholder="Search"
          spellCheck={false}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => event.key === 'Escape' && setText('')}
        />
        <IconButton label="Learned from runs" icon={<GraduationCap aria-hidden="true" />} onClick={() => setShowsLearned(true)} />
        {jobs.length > 0 && ask}
      </div>
      {isWorkflows ? (
        <WorkflowsView workflow={state.workflow} step={state.step} text={wanted} onOpen={setState} />
      ) : (
        <div className="app-body jobs-body">
          <div className="jobs-side">
            {wanted === '' && (state.show === 'all' || state.show === 'running') && <GuestJobs />}
            {shown.length > 0 ? (
              <JobList jobs={shown} chosen={state.job} onOpen={open} onDrag={dragJob} />
            ) : !loaded ? (
              late && <Skeleton lines={6} label="Reading the jobs" />
            ) : jobs.length === 0 ? (
              <EmptyState icon={<ListChecks aria-hidden="true" />} title="No jobs yet" action={ask}>
                Commands you send to a device run there on the files of your folder, and are followed here to their end.
              </EmptyState>
            ) : (
              <EmptyState
                icon={<SearchX aria-hidden="true" />}
                title={wanted === '' ? NONE[state.show] : 'No job like that'}
                action={
                  <Button
                    onClick={() => {
                      setText('')
                      setState({ show: 'all' })
                    }}
                  >
                    Show all jobs
                  </Button>
                }
              />
            )}
          </div>
          {chosen && <JobPage info={chosen} visible={visible} onClose={() => setState({ job: null })} />}
        </div>
      )}
      {showsLearned && <LearnedDialog onClose={() => setShowsLearned(false)} />}
    </div>
  )
}

const NONE: Readonly<Record<'all' | JobGroup, string>> = {
  all: 'No jobs',
  running: 'Nothing runs just now',
  waiting: 'Nothing waits',
  done: 'Nothing has ended yet',
}

/** A job carried to a device goes on there; one that is over is a command in its folder: run once more, there. */
function dragJob(event: DragEvent, info: JobInfo): void {
  if (!isOver(info)) return carryJob(event.dataTransfer, info)
  if (info.commandLine.length >= MAX_SHOWN_LINE) return event.preventDefault() // cut
  carryCommand(event.dataTransfer, { line: info.commandLine, folder: info.folder })
}
