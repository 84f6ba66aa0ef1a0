import type { Clock } from '../../base/clock.ts'
import { errorCode } from '../../base/errors.ts'
import type { Fingerprints } from '../../jobs/workflow/step-key.ts'
import { WorkflowError } from '../../jobs/workflow/workflow-error.ts'
import { datasetPath } from '../../jobs/workflow/step-key.ts'
import type { WorkflowPlan } from '../../jobs/workflow/plan-workflow.ts'
import type { FilesClient, ProcessConnection } from '../device-parts.ts'

/** The files process is away, was started again, or has not got its keys yet: tried again for so long. */
const PATIENCE_MS = 30_000
const AGAIN_MS = 250
const PASSING: ReadonlySet<string> = new Set(['dataset/locked', 'device/process-away', 'rpc/closed', 'workflow/no-dataset-yet'])

/** The dataset of one workflow, and the folders in which its steps work on copies of its files. */
export class WorkflowFiles {
  readonly #local: ProcessConnection<FilesClient>
  readonly #clock: Clock
  readonly #plan: Pick<WorkflowPlan, 'dataset' | 'folder'>
  readonly #signal: AbortSignal

  constructor(
    local: ProcessConnection<FilesClient>,
    clock: Clock,
    plan: Pick<WorkflowPlan, 'dataset' | 'folder'>,
    signal: AbortSignal = new AbortController().signal,
  ) {
    this.#local = local
    this.#clock = clock
    this.#plan = plan
    this.#signal = signal
  }

  /** Of paths below the workflow's folder, in their order. @throws WorkflowError `workflow/no-dataset`, `workflow/no-dataset-yet` */
  async fingerprints(paths: readonly string[]): Promise<Fingerprints> {
    const { digests } = await this.#do((files, dataset) =>
      files.fingerprintPaths({ dataset, paths: paths.map((path) => this.#inDataset(path)) }, { signal: this.#signal }),
    )
    return paths.map((path, n) => [path, digests[n] as string])
  }

  /** Copies of these in an empty folder; where it lies. */
  async layOut(work: string, paths: readonly string[]): Promise<string> {
    const all = paths.map((path) => ({ path: this.#inDataset(path), at: path }))
    return (await this.#do((files, dataset) => files.layOutWork({ dataset, work, paths: all }, { signal: this.#signal }))).folder
  }

  /** What the step put out becomes the dataset's. @throws WorkflowError `workflow/no-output` */
  async takeIn(work: string, paths: readonly string[]): Promise<Fingerprints> {
    if (paths.length === 0) return []
    try {
      const all = paths.map((path) => ({ path: this.#inDataset(path), at: path }))
      const { digests } = await this.#do((files, dataset) => files.takeInWork({ dataset, work, paths: all }, { signal: this.#signal }))
      return paths.map((path, n) => [path, digests[n] as string])
    } catch (error) {
      if (errorCode(error) !== 'file/not-found') throw error
      throw new WorkflowError('workflow/no-output', `it ended well, but ${(error as Error).message}`, { cause: error })
    }
  }

  async drop(work: string): Promise<void> {
    await (await this.#local.client()).dropWork({ work })
  }

  #inDataset(path: string): string {
    return datasetPath(this.#plan, path)
  }

  async #do<T>(work: (files: FilesClient, dataset: string) => Promise<T>): Promise<T> {
    const untilMs = this.#clock.monotonicMs() + PATIENCE_MS
    for (;;) {
      try {
        const files = await this.#local.client()
        const all = await files.listDatasets({}, { signal: this.#signal })
        const found = all.find(({ name }) => name === this.#plan.dataset)
        if (found) return await work(files, found.dataset)
        const missing = `there is no dataset "${this.#plan.dataset.slice(0, 80)}" on this device`
        if (all.length === 0) throw new WorkflowError('workflow/no-dataset-yet', `${missing}: it has none yet; try again in a moment`)
        throw new WorkflowError('workflow/no-dataset', `${missing} (${all.map(({ name }) => name).join(', ')})`)
      } catch (error) {
        if (this.#signal.aborted || !PASSING.has(errorCode(error)) || this.#clock.monotonicMs() > untilMs) throw error
        await new Promise<void>((resolve) => this.#clock.after(AGAIN_MS, resolve))
      }
    }
  }
}
