import { Check, CircleDashed, CircleSlash, Equal, LoaderCircle, Minus, X } from 'lucide-react'
import type { StepState } from '../../../jobs/workflow/workflow-contract.ts'

const MARKS: Readonly<Record<StepState, typeof Check>> = {
  waiting: CircleDashed,
  preparing: LoaderCircle,
  running: LoaderCircle,
  collecting: LoaderCircle,
  done: Check,
  unchanged: Equal,
  failed: X,
  skipped: Minus,
  cancelled: CircleSlash,
}

/** How a step stands, by form and colour; the words are beside it. */
export function StepMark({ state }: { state: StepState }) {
  const Mark = MARKS[state]
  return (
    <span className="step-mark" data-state={state} aria-hidden="true">
      <Mark />
    </span>
  )
}
