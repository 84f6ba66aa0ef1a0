import { type Clock, sleep } from '../base/clock.ts'
import type { DeviceFacts } from './device-facts-contract.ts'
import type { OwnerSigns } from './owner-watch.ts'
import { type LoadSample, machineCpu, type ProcessReader } from './process-table.ts'

/** Load is measured over at least this long: shorter spans count in steps of the kernel's clock tick. */
const SPAN_MS = 300
/** How busy it is counts so long: a command that follows another need not wait for a new look. */
const FRESH_MS = 2_000
/** A sample older than this says nothing about now: then the system's own average of the last minute counts. */
const STALE_MS = 15_000

/** What the platform can tell of the machine beside its processes. All of it is read when asked, nothing runs meanwhile. */
export interface MachineCondition {
  readonly platform: string
  readonly architecture: string
  battery(): { readonly discharging: boolean; readonly percent: number } | undefined
  /** Ms since input at a terminal or display of this machine, but terminals that these processes have; undefined: not known. */
  lastInputMs(besides?: readonly number[]): number | undefined
  /** What jobs of others make way for. */
  readonly ownerSigns: OwnerSigns
  /** Of these programs, those not found where jobs look. */
  missing(tools: readonly string[]): readonly string[]
  /** Why there is no sandbox; undefined: there is. */
  noSandbox(): string | undefined
  /** Against a reference core (1.0). Measured at the first call, in slices that hold nothing up. */
  speed(): Promise<number>
  measureFolder(folder: string, signal?: AbortSignal): Promise<{ bytes: number; files: number; complete: boolean }>
}

export interface MachineFactsParts {
  readonly reader: Pick<ProcessReader, 'load'>
  readonly condition: MachineCondition
  readonly clock: Clock
}

/** What this machine says of itself for placement (rule JB34). Samples only when asked; the last sample is kept. */
export class MachineFacts {
  readonly #parts: MachineFactsParts
  #last: LoadSample | undefined
  #busy: { readonly share: number; readonly atMs: number } | undefined

  constructor(parts: MachineFactsParts) {
    this.#parts = parts
  }

  async read(device: string, tools: readonly string[], signal?: AbortSignal): Promise<DeviceFacts> {
    const { condition } = this.#parts
    const speed = await condition.speed()
    const now = await this.#look(signal)
    const battery = condition.battery()
    const lastInputMs = condition.lastInputMs()
    const noSandbox = condition.noSandbox()
    return {
      device,
      platform: condition.platform,
      architecture: condition.architecture,
      cores: now.cores,
      busy: this.#busy?.share ?? 0,
      speed,
      memoryFreeBytes: Math.max(0, now.memoryTotalBytes - now.memoryBytes),
      memoryTotalBytes: now.memoryTotalBytes,
      missingTools: [...condition.missing(tools)],
      ...(battery && { battery }),
      ...(lastInputMs !== undefined && { lastInputMs }),
      ...(noSandbox !== undefined && { noSandbox }),
    }
  }

  /** Nobody waits for a second sample where the system keeps an average of its own. */
  async #look(signal: AbortSignal | undefined): Promise<LoadSample> {
    const { reader, clock } = this.#parts
    const before = this.#last
    const now = reader.load()
    if (this.#busy && now.atMs - this.#busy.atMs < FRESH_MS) return now
    const passedMs = before ? now.atMs - before.atMs : 0
    if (before && passedMs >= SPAN_MS && passedMs <= STALE_MS) return this.#take(now, machineCpu(before, now))
    if (now.lastMinute !== undefined) return this.#take(now, Math.min(1, now.lastMinute / now.cores))
    await sleep(clock, SPAN_MS, signal)
    const after = reader.load()
    return this.#take(after, machineCpu(now, after))
  }

  #take(sample: LoadSample, share: number): LoadSample {
    this.#last = sample
    this.#busy = { share, atMs: sample.atMs }
    return sample
  }

  measureFolder(folder: string, signal?: AbortSignal): Promise<{ bytes: number; files: number; complete: boolean }> {
    return this.#parts.condition.measureFolder(folder, signal)
  }
}
