import type { AttemptRequest } from '../../jobs/attempt-contract.ts'
import type { Engine, EngineSubmission } from '../../jobs/engines/engine.ts'
import type { EngineRow } from '../../jobs/engines/engines-contract.ts'
import type { JobLabel } from '../../jobs/job-contract.ts'
import type { EngineSink, EngineTrail } from './engine-attempt.ts'

/** What is asked of an engine when a job is placed. */
export interface PlacementAsk {
  readonly commandLine: string
  readonly folder: string
  readonly label: JobLabel
  readonly image?: string | undefined
  /** Bytes of its folder; undefined: not asked for. */
  readonly folderBytes: Promise<number | undefined>
}

/** One engine as this device uses it: what differs between kinds of engines. */
export interface EngineKind {
  readonly engine: Engine
  /** Before it is added. @throws EngineError `engine/bad-folder` */
  check(): Promise<void>
  /** Why it takes it not, as far as is known without asking it. */
  limit(ask: PlacementAsk): string | undefined
  /** The same, when it has said how it is; and bytes of the folder that have to go there. */
  fit(
    ask: PlacementAsk,
    row: EngineRow,
  ): Promise<{ readonly limit?: string | undefined; readonly missingBytes: number; readonly startMs: number }>
  /** @throws EngineError */
  prepare(request: AttemptRequest): Promise<EngineSubmission>
  /** Something here says that it has ended, though the engine knows nothing of it. */
  hasEnded(attempt: string): Promise<boolean>
  /** It is over and that is known here: nothing is kept of it any more. */
  forget(attempt: string): void
  trail(request: Pick<AttemptRequest, 'attempt' | 'folder'>, sink: EngineSink): EngineTrail
}
