import { DomainError } from '../../base/errors.ts'

/** What can be wrong with a workflow's file, found before anything runs; each is told with the line it stands on. */
export type WorkflowProblemCode =
  | 'workflow/malformed'
  | 'workflow/unknown-key'
  | 'workflow/too-large'
  | 'workflow/unknown-need'
  | 'workflow/cycle'
  | 'workflow/unknown-value'
  | 'workflow/bad-path'
  | 'workflow/outputs-overlap'
  | 'workflow/input-not-needed'
  | 'workflow/missing-input'

export type WorkflowErrorCode =
  | WorkflowProblemCode
  | 'workflow/unknown'
  | 'workflow/runs-already'
  | 'workflow/no-dataset'
  | 'workflow/no-dataset-yet'
  | 'workflow/no-device'
  | 'workflow/no-output'
  | 'workflow/job-failed'
  | 'workflow/too-many'

/** Line and column count from 1, as editors do. */
export interface Place {
  readonly line: number
  readonly column: number
}

export interface WorkflowProblem extends Place {
  readonly code: WorkflowProblemCode
  readonly message: string
}

/** Codes are stable and tested; the text is for people and may change. */
export class WorkflowError extends DomainError<WorkflowErrorCode> {
  override readonly name = 'WorkflowError'
  readonly code: WorkflowErrorCode

  constructor(code: WorkflowErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  /** For whoever asked to run it: the first one, with its line, and how many more there are. */
  static of(problems: readonly [WorkflowProblem, ...WorkflowProblem[]]): WorkflowError {
    const [{ code, message, line }, ...more] = problems
    return new WorkflowError(code, `line ${line}: ${message}${more.length > 0 ? ` (and ${more.length} more)` : ''}`)
  }
}
