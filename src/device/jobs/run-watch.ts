import type { AttemptExit, AttemptState, JobSignal } from '../../jobs/job-frames-contract.ts'
import type { JobInfo } from '../../jobs/jobs-contract.ts'
import type { ProgramDigest } from '../../jobs/program-identity.ts'
import type { SeenBehaviour } from '../../jobs/seen-behaviour-contract.ts'
import type { Run } from './behaviour-service.ts'

/** So far codes are a program's own; above are "not found" and signals, as shells tell them. */
const MAX_OWN_CODE = 125

/** Of what is counted. */
interface Told {
  readonly listened: boolean
  readonly terminal: boolean
  readonly input: boolean
}
/** Signals that end what does not know them. */
const ENDS: readonly JobSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGKILL']

/**
 * What one job shows itself to be, from what its executor tells (rules JB100, JB102): a wrong guess is corrected while it runs. What it
 * did is told once, at its end; of what was corrected, the first part is told then and the rest at the end. Keeps nothing.
 */
export class RunWatch {
  #seen: SeenBehaviour = { ports: [], terminal: false, input: false, screen: false }
  #hasRun = false
  /** What was told of it before its end. */
  #told: Told | undefined
  #isOver = false
  /** Somebody ended it, whatever it says of that. */
  #isSignalled = false
  /** Its time is that of its program: nothing held it still, and this process saw all of it. */
  #isTimed: boolean

  /** A job that was corrected before this process was started has been told, too. */
  constructor(info: JobInfo) {
    this.#told = info.corrected && { listened: info.label === 'service', terminal: info.label === 'interactive', input: false }
    this.#isTimed = info.attempts.length === 0
  }

  /** @returns how it is to be told from now on, if it was taken for something else */
  hear({ state, ports, waits, screen }: AttemptState, info: JobInfo): Pick<JobInfo, 'label' | 'corrected'> | undefined {
    this.#hasRun ||= state === 'running' || state === 'paused'
    this.#isTimed &&= state !== 'paused'
    const seen = this.#seen
    this.#seen = {
      ports: ports.length > 0 ? ports : seen.ports,
      terminal: seen.terminal || waits === 'terminal',
      input: seen.input,
      screen: seen.screen || screen === true,
    }
    return correctionOf(info, this.#seen)
  }

  /** Somebody sent it one: how it ends is not how it ends by itself. */
  noteSignalled(signal: JobSignal): void {
    this.#isSignalled ||= ENDS.includes(signal)
  }

  /** It was corrected: what it has shown so far. Undefined: told already, or there is nothing to tell. */
  runSoFar(info: JobInfo): Run | undefined {
    return this.#told ? undefined : this.#tell(info, undefined)
  }

  /** What it did, once; of what was corrected, the rest. Undefined: there is nothing to tell. @param exit  absent: nobody knows how it ended */
  runOf(info: JobInfo, exit: AttemptExit | undefined): Run | undefined {
    if (this.#isOver) return undefined
    this.#isOver = true
    return this.#tell(info, exit)
  }

  #tell({ attempts, results, label }: JobInfo, exit: AttemptExit | undefined): Run | undefined {
    if (!(this.#hasRun || exit?.seen) || exit?.error) return undefined
    const isOwn = exit?.ended === undefined && exit?.signal === undefined && !this.#isSignalled
    const code = isOwn ? exit?.code : undefined
    if (code !== undefined && code > MAX_OWN_CODE) return undefined
    const told = this.#told
    const all = exit?.seen ?? this.#seen
    const seen: SeenBehaviour = {
      ports: told?.listened ? [] : all.ports,
      terminal: all.terminal && !told?.terminal,
      input: all.input && !told?.input,
      screen: all.screen && !told?.terminal,
    }
    // Nothing was seen of what ended before it showed anything, or was ended by somebody.
    if (code === undefined && seen.ports.length === 0 && !seen.terminal && !seen.screen) return undefined
    this.#told = { listened: all.ports.length > 0, terminal: all.terminal || all.screen, input: all.input }
    const last = attempts.at(-1)
    const tookMs = last?.endedAtMs === undefined ? undefined : Math.max(1, last.endedAtMs - last.startedAtMs)
    const isBatch = label === 'batch' || label === 'ambiguous' || label === 'service'
    return {
      seen,
      tookMs: code === 0 && isBatch && this.#isTimed ? tookMs : undefined,
      ended: code === undefined ? undefined : code === 0 ? 'well' : 'badly',
      files: results.files > 0 ? results.files : undefined,
      ...(exit?.program !== undefined && { program: exit.program as ProgramDigest }),
      cpuMs: exit !== undefined && exit.cpuMs > 0 ? exit.cpuMs : undefined,
      ...(told && { isMore: true }),
    }
  }
}

function correctionOf({ label }: JobInfo, seen: SeenBehaviour): Pick<JobInfo, 'label' | 'corrected'> | undefined {
  if (label !== 'batch' && label !== 'ambiguous') return undefined
  const corrected = (to: JobInfo['label'], why: string) => ({ label: to, corrected: { was: label, why } })
  if (seen.ports.length > 0) return corrected('service', `it listens on port ${seen.ports.slice(0, 4).join(', ')}`)
  if (seen.terminal) return corrected('interactive', 'it reads a terminal')
  if (seen.screen) return corrected('interactive', 'it draws on the whole screen')
  return undefined
}
