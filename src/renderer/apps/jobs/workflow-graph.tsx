import { type KeyboardEvent, memo, useEffect, useMemo, useRef, useState } from 'react'
import { isStepBusy, type StepInfo, type WorkflowInfo } from '../../../jobs/workflow/workflow-contract.ts'
import { useNow } from '../app-hooks.ts'
import { tookText } from './job-words.ts'
import { StepMark } from './step-mark.tsx'
import { BOX_WIDTH, type GraphBox, layoutGraph } from './workflow-layout.ts'
import { choiceOf, lastedMs, stepWords, worstOf } from './workflow-words.ts'

/** A wide graph is drawn smaller until it fits, but never so that it cannot be read. */
const LEAST_ZOOM = 0.8
/** Narrower is a phone: fingers need the whole size, and go along. */
const PHONE_WIDTH = 520
/** Around the graph, on both sides. */
const MARGINS = 48

/**
 * A workflow as what it is: jobs left to right, each after what it needs, lit as they really run. Arrow keys go from step to step,
 * Enter opens one.
 */
export function WorkflowGraph(props: { info: WorkflowInfo; chosen: string | null; onChoose: (step: string | null) => void }) {
  const { info, chosen, onChoose } = props
  const graph = useRef<HTMLDivElement>(null)
  const layout = useMemo(() => layoutGraph(info.steps), [info.steps])
  const [room, setRoom] = useState(0)
  useEffect(() => {
    const element = graph.current
    if (!element) return
    const watch = new ResizeObserver(() => setRoom(element.clientWidth))
    watch.observe(element)
    return () => watch.disconnect()
  }, [])
  const zoom = room < PHONE_WIDTH ? 1 : Math.min(1, Math.max(LEAST_ZOOM, (room - MARGINS) / Math.max(1, layout.width)))
  const stateOf = useMemo(() => new Map(layout.boxes.map(({ job, steps }) => [job, worstOf(steps)])), [layout])
  const stop = info.steps.find(({ step }) => step === chosen)?.step ?? info.steps[0]?.step
  const handleKey = (event: KeyboardEvent) => {
    const all = [...(graph.current?.querySelectorAll<HTMLElement>('[data-step]') ?? [])]
    const at = all.findIndex((one) => one === document.activeElement)
    if (at < 0) return
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key]
    if (to === undefined) return
    all[to]?.focus()
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <div ref={graph} className="flow-graph" role="group" aria-label={`Steps of ${info.name}`} onKeyDown={handleKey}>
      <div className="flow-canvas" style={{ width: layout.width, height: layout.height, zoom }}>
        <svg className="flow-lines" width={layout.width} height={layout.height} aria-hidden="true">
          {layout.lines.map(({ from, to, d }) => (
            <path key={`${from} ${to}`} d={d} data-from={stateOf.get(from)} data-to={stateOf.get(to)} />
          ))}
        </svg>
        {layout.boxes.map((box) => (
          <JobBox key={box.job} box={box} chosen={chosen} stop={stop} onChoose={onChoose} />
        ))}
      </div>
    </div>
  )
}

function JobBox(props: { box: GraphBox; chosen: string | null; stop: string | undefined; onChoose: (step: string | null) => void }) {
  const { box, chosen, stop, onChoose } = props
  const place = { left: box.x, top: box.y, width: BOX_WIDTH, height: box.height }
  const worst = worstOf(box.steps)
  const row = (step: StepInfo, label: string) => (
    <StepRow key={step.step} step={step} label={label} isChosen={step.step === chosen} isStop={step.step === stop} onChoose={onChoose} />
  )
  if (box.look === 'single' && box.steps[0])
    return (
      <div className="flow-box" data-state={worst} data-look="single" style={place}>
        {row(box.steps[0], box.job)}
      </div>
    )
  const good = box.steps.filter(({ state }) => state === 'done' || state === 'unchanged').length
  return (
    <div className="flow-box" data-state={worst} data-look={box.look} style={place} role="group" aria-label={box.job}>
      <div className="flow-box-name">
        <span>{box.job}</span>
        <span className="numbers">
          {good} / {box.steps.length}
        </span>
      </div>
      {box.look === 'rows' ? (
        box.steps.map((step) => row(step, choiceOf(step) || step.step))
      ) : (
        <div className="flow-cells">
          {box.steps.map((step) => (
            <button
              key={step.step}
              type="button"
              className="flow-cell"
              data-step={step.step}
              data-state={step.state}
              data-chosen={step.step === chosen || undefined}
              data-tip={`${choiceOf(step)}: ${stepWords(step)}`}
              aria-label={`${step.step}: ${stepWords(step)}`}
              aria-pressed={step.step === chosen}
              tabIndex={step.step === stop ? 0 : -1}
              onClick={() => onChoose(step.step === chosen ? null : step.step)}
            />
          ))}
        </div>
      )}
    </div>
  )
}

const StepRow = memo(function StepRow(props: {
  step: StepInfo
  label: string
  isChosen: boolean
  /** The one that Tab comes to. */
  isStop: boolean
  onChoose: (step: string | null) => void
}) {
  const { step, label, isChosen } = props
  return (
    <button
      type="button"
      className="flow-step"
      data-step={step.step}
      data-state={step.state}
      data-chosen={isChosen || undefined}
      aria-label={`${step.step}: ${stepWords(step)}`}
      aria-pressed={isChosen}
      tabIndex={props.isStop ? 0 : -1}
      onClick={() => props.onChoose(isChosen ? null : step.step)}
    >
      <StepMark state={step.state} />
      <span className="flow-step-name">{label}</span>
      {isStepBusy(step.state) ? <BusyTime step={step} /> : step.state === 'done' && <Took step={step} nowMs={0} />}
      {step.progress !== undefined && isStepBusy(step.state) && (
        <span className="flow-step-bar" aria-hidden="true">
          <span style={{ width: `${Math.round(step.progress * 100)}%` }} />
        </span>
      )}
    </button>
  )
})

function BusyTime({ step }: { step: StepInfo }) {
  return <Took step={step} nowMs={useNow(1_000)} />
}

function Took({ step, nowMs }: { step: StepInfo; nowMs: number }) {
  const lasted = lastedMs(step, nowMs)
  return lasted === undefined ? null : <span className="flow-step-time numbers">{tookText(lasted)}</span>
}
