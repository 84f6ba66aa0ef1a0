import { Workflow } from 'lucide-react'
import { type KeyboardEvent, useEffect, useRef } from 'react'
import type { WorkflowRow } from '../../../jobs/workflow/workflow-contract.ts'
import { useClient } from '../../desk/app-desk.ts'
import { loadWorkflows } from '../../desk/follow-workflows.ts'
import { useWorkflows } from '../../desk/workflows-store.ts'
import { Dot } from '../../ui/dot.tsx'
import { EmptyState } from '../../ui/empty-state.tsx'
import { Skeleton } from '../../ui/skeleton.tsx'
import { useIsLate, useNow } from '../app-hooks.ts'
import { agoText } from '../plain-words.ts'
import { readWorkflow } from './workflow-actions.ts'
import { WorkflowPage } from './workflow-page.tsx'
import { countWords, workflowMark } from './workflow-words.ts'
import './workflows.css'

/** Files of jobs that need each other: those that ran on this device, and the graph of one. */
export function WorkflowsView(props: {
  workflow: string | null
  step: string | null
  text: string
  onOpen: (state: { workflow: string | null; step: string | null }) => void
}) {
  const { workflow, step, text, onOpen } = props
  const { workflows, graphs, loaded } = useWorkflows()
  const client = useClient()
  const late = useIsLate(!loaded)
  useEffect(() => {
    if (client && !loaded) void loadWorkflows(client)
  }, [client, loaded])
  const isKnown = workflows.some((one) => one.workflow === workflow)
  useEffect(() => {
    if (client && workflow !== null && isKnown) void readWorkflow(client, workflow)
  }, [client, workflow, isKnown])
  const wanted = text.toLowerCase()
  const shown = workflows.filter(({ name, source }) => `${name} ${source}`.toLowerCase().includes(wanted))
  const chosen = workflow === null ? undefined : graphs.get(workflow)
  return (
    <div className="app-body jobs-body" data-chosen={chosen ? '' : undefined}>
      <div className="jobs-side">
        {shown.length > 0 ? (
          <WorkflowList workflows={shown} chosen={workflow} onOpen={(one) => onOpen({ workflow: one, step: null })} />
        ) : !loaded ? (
          late && <Skeleton lines={4} label="Reading the workflows" />
        ) : (
          <EmptyState icon={<Workflow aria-hidden="true" />} title={workflows.length === 0 ? 'No workflows yet' : 'No workflow like that'}>
            A workflow is a YAML file of jobs that need each other. Run one from the menu of its file in Files, or with{' '}
            <code>elsewhere workflow run FILE</code>; what is as it was is not run again.
          </EmptyState>
        )}
      </div>
      {chosen && (
        <WorkflowPage
          info={chosen}
          step={step}
          onStep={(one) => onOpen({ workflow, step: one })}
          onClose={() => onOpen({ workflow: null, step: null })}
        />
      )}
    </div>
  )
}

function WorkflowList(props: { workflows: readonly WorkflowRow[]; chosen: string | null; onOpen: (workflow: string) => void }) {
  const list = useRef<HTMLUListElement>(null)
  const now = useNow()
  const handleKey = (event: KeyboardEvent) => {
    const rows = [...(list.current?.querySelectorAll<HTMLElement>('button') ?? [])]
    const at = rows.findIndex((row) => row === document.activeElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key]
    if (at < 0 || to === undefined) return
    rows[to]?.focus()
    event.preventDefault()
    event.stopPropagation()
  }
  const stop = props.workflows.find(({ workflow }) => workflow === props.chosen)?.workflow ?? props.workflows[0]?.workflow
  return (
    <ul ref={list} className="jobs-list" aria-label="Workflows, last run first" onKeyDown={handleKey}>
      {props.workflows.map((info) => (
        <li key={info.workflow} className="job-row" data-chosen={info.workflow === props.chosen || undefined}>
          <button
            type="button"
            className="job-row-main flow-row"
            aria-current={info.workflow === props.chosen || undefined}
            tabIndex={info.workflow === stop ? 0 : -1}
            onClick={() => props.onOpen(info.workflow)}
          >
            <span className="flow-row-name">{info.name}</span>
            <span className="job-facts">
              <span className="job-state">
                <Dot {...workflowMark(info)} />
                {countWords(info)}
              </span>
            </span>
            <time className="job-time numbers">{agoText(info.endedAtMs ?? info.startedAtMs, now)}</time>
          </button>
        </li>
      ))}
    </ul>
  )
}
