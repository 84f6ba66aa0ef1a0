import { type Clock, sleep } from '../base/clock.ts'
import { JobError } from './job-error.ts'
import { machineCpu, type MachineSample, type ProcessReader, processRows, processTree, type TerminalRoot } from './process-table.ts'
import type { MachineLoad, ProcessRow } from './terminal-contract.ts'

/** Processor use is measured over at least this long: shorter spans count in steps of the kernel's clock tick. */
const SPAN_MS = 500
/** A sample older than this says nothing about now. */
const STALE_MS = 15_000

/** Asks a process to end, or makes it. False: it is gone, or not ours. */
export type SignalProcess = (pid: number, signal: 'SIGTERM' | 'SIGKILL') => boolean

export interface TaskTableParts {
  readonly reader: Pick<ProcessReader, 'sample'>
  readonly signal: SignalProcess
  readonly clock: Clock
  /** Elsewhere's own first process; what it started is ours. Undefined: only terminals count. */
  readonly supervisorPid: number | undefined
  terminals(): readonly TerminalRoot[]
}

/**
 * What Elsewhere runs on this device: its own processes, programs in its terminals, and their children. Samples only
 * when asked.
 */
export class TaskTable {
  readonly #parts: TaskTableParts
  #last: MachineSample | undefined

  constructor(parts: TaskTableParts) {
    this.#parts = parts
  }

  async list(device: string, signal?: AbortSignal): Promise<{ load: MachineLoad; processes: ProcessRow[] }> {
    const { reader, clock } = this.#parts
    let before = this.#last
    let after = reader.sample()
    if (!before || after.atMs - before.atMs < SPAN_MS || after.atMs - before.atMs > STALE_MS) {
      before = after
      await sleep(clock, SPAN_MS, signal)
      after = reader.sample()
    }
    this.#last = after
    const { cores, memoryBytes, memoryTotalBytes } = after
    const rows = processRows(before, after, this.#roots(), this.#parts.terminals())
    return {
      load: { device, cores, cpu: machineCpu(before, after), memoryBytes, memoryTotalBytes },
      processes: rows.map((row) => ({ device, ...row })),
    }
  }

  /** @throws JobError `task/unknown`  not one of ours (any more); `task/refused`  part of Elsewhere itself, or another account's */
  end(pid: number, force: boolean): void {
    const { reader, signal, supervisorPid, terminals } = this.#parts
    const { processes } = reader.sample()
    const roots = new Set([...this.#roots(), ...terminals().map((terminal) => terminal.pid)])
    const found = processTree(processes, roots).find((process) => process.pid === pid)
    if (!found || found.zombie) throw new JobError('task/unknown', `process ${pid} is not running here, or is not one that Elsewhere runs`)
    const isOwn = pid === supervisorPid || found.parentPid === supervisorPid
    if (isOwn) throw new JobError('task/refused', `process ${pid} is part of Elsewhere; to end it, quit Elsewhere on this device`)
    if (!signal(pid, force ? 'SIGKILL' : 'SIGTERM')) {
      throw new JobError('task/refused', `process ${pid} could not be ended: it has just ended, or belongs to another account`)
    }
  }

  #roots(): Set<number> {
    const { supervisorPid } = this.#parts
    return new Set(supervisorPid === undefined ? [] : [supervisorPid])
  }
}
