import { ArrowUpRight, CircleStop, RotateCw, Trash2, TriangleAlert, X } from 'lucide-react'
import { countSteps, isStepBusy, type StepInfo, type WorkflowInfo } from '../../../jobs/workflow/workflow-contract.ts'
import { Button } from '../../ui/button.tsx'
import { Dot } from '../../ui/dot.tsx'
import { IconButton } from '../../ui/icon-button.tsx'
import { useDeviceName, useNow } from '../app-hooks.ts'
import { momentText } from '../plain-words.ts'
import { openJob } from './job-actions.ts'
import { tookText } from './job-words.ts'
import { StepMark } from './step-mark.tsx'
import { cancelWorkflow, forgetWorkflow, rerunWorkflow } from './workflow-actions.ts'
import { WorkflowGraph } from './workflow-graph.tsx'
import { countWords, lastedMs, stepWords, workflowMark } from './workflow-words.ts'

/** One workflow: its graph as it runs, and what is known of the step that is looked at. */
export function WorkflowPage(props: {
  info: WorkflowInfo
  step: string | null
  onStep: (step: string | null) => void
  onClose: () => void
}) {
  const { info, step, onStep, onClose } = props
  const isRunning = info.state === 'running'
  const now = useNow(isRunning ? 1_000 : 60_000)
  const chosen = info.steps.find((one) => one.step === step)
  return (
    <section className="job-page flow-page" aria-label={`Workflow: ${info.name}`}>
      <header>
        <div className="job-title">
          <h2>{info.name}</h2>
          <IconButton size="small" label="Close workflow" icon={<X aria-hidden="true" />} onClick={onClose} />
        </div>
        <div className="job-actions">
          <span className="job-state" role="status">
            <Dot {...workflowMark(info)} />
            {countWords({ state: info.state, counts: countSteps(info.steps) })}
          </span>
          <span className="job-quiet numbers">
            {isRunning
              ? tookText(lastedMs(info, now) ?? 0)
              : `${momentText(info.startedAtMs ?? 0, now)}, took ${tookText(lastedMs(info, now) ?? 0)}`}
          </span>
          <span className="app-bar-fill" />
          {isRunning ? (
            <Button icon={<CircleStop aria-hidden="true" />} onClick={() => void cancelWorkflow(info)}>
              Cancel
            </Button>
          ) : (
            <>
              <Button icon={<RotateCw aria-hidden="true" />} onClick={() => void rerunWorkflow(info)}>
                Run again
              </Button>
              <Button variant="quiet" icon={<Trash2 aria-hidden="true" />} onClick={() => void forgetWorkflow(info).then(onClose)}>
                Remove
              </Button>
            </>
          )}
        </div>
        <p className="flow-source job-quiet" title={info.source}>
          {info.source} · in {info.dataset}
          {info.folder === '.' ? '' : `/${info.folder}`}
        </p>
      </header>
      <WorkflowGraph info={info} chosen={step} onChoose={onStep} />
      {chosen && <StepFacts info={chosen} now={now} onClose={() => onStep(null)} />}
    </section>
  )
}

function StepFacts({ info, now, onClose }: { info: StepInfo; now: number; onClose: () => void }) {
  const device = useDeviceName(info.device ?? '')
  const lasted = lastedMs(info, now)
  return (
    <section className="flow-facts" aria-label={`Step: ${info.step}`}>
      <div className="flow-facts-title">
        <StepMark state={info.state} />
        <strong>{info.step}</strong>
        <span className="job-quiet">{stepWords(info)}</span>
        {lasted !== undefined && (isStepBusy(info.state) || info.state === 'done' || info.state === 'failed') && (
          <span className="job-quiet numbers">{tookText(lasted)}</span>
        )}
        <span className="app-bar-fill" />
        {info.deviceJob !== undefined && (
          <Button variant="quiet" icon={<ArrowUpRight aria-hidden="true" />} onClick={() => openJob(info.deviceJob ?? null)}>
            Open its job
          </Button>
        )}
        <IconButton size="small" label="Close step" icon={<X aria-hidden="true" />} onClick={onClose} />
      </div>
      {info.error && (
        <p className="job-note" data-meaning="lost" role="status">
          <TriangleAlert aria-hidden="true" />
          {info.error.message}
        </p>
      )}
      <code className="flow-line">{info.commandLine}</code>
      <p className="job-quiet">
        {[info.why, info.device === undefined ? undefined : `on ${device}`, `line ${info.line} of the file`].filter(Boolean).join(' · ')}
      </p>
    </section>
  )
}
