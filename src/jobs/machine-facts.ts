import { type Clock, sleep } from '../base/clock.ts'
import type { DeviceFacts } from './device-facts-contract.ts'
import { machineCpu, type MachineSample, type ProcessReader } from './process-table.ts'

/** Load is measured over at least this long: shorter spans count in steps of the kernel's clock tick. */
const SPAN_MS = 300
/** How busy it is counts so long: a command that follows another need not wait for a new look. */
const FRESH_MS = 2_000
/** A sample older than this says nothing about now. */
const STALE_MS = 5_000

/** What the platform can tell of the machine beside its processes. All of it is read when asked, nothing runs meanwhile. */
export interface MachineCondition {
  readonly platform: string
  readonly architecture: string
  battery(): { readonly discharging: boolean; readonly percent: number } | undefined
  /** Ms since input at a terminal or display of this machine; undefined: not known. */
  lastInputMs(): number | undefined
  /** Of these programs, those not found where jobs look. */
  missing(tools: readonly string[]): readonly string[]
  /** Why there is no sandbox; undefined: there is. */
  noSandbox(): string | undefined
  /** Against a reference core (1.0). Measured at the first call, in slices that hold nothing up. */
  speed(): Promise<number>
  measureFolder(folder: string, signal?: AbortSignal): Promise<{ bytes: number; files: number; complete: boolean }>
}

export interface MachineFactsParts {
  readonly reader: Pick<ProcessReader, 'sample'>
  readonly condition: MachineCondition
  readonly clock: Clock
}

/** What this machine says of itself for placement (rule JB34). Samples only when asked; the last sample is kept. */
export class MachineFacts {
  readonly #parts: MachineFactsParts
  #last: MachineSample | undefined
  #busy: { readonly share: number; readonly atMs: number } | undefined

  constructor(parts: MachineFactsParts) {
    this.#parts = parts
  }

  async read(device: string, tools: readonly string[], signal?: AbortSignal): Promise<DeviceFacts> {
    const { reader, condition, clock } = this.#parts
    const speed = await condition.speed()
    let before = this.#last
    let after = reader.sample()
    const isFresh = this.#busy !== undefined && after.atMs - this.#busy.atMs < FRESH_MS
    if (!isFresh && (!before || after.atMs - before.atMs < SPAN_MS || after.atMs - before.atMs > STALE_MS)) {
      before = after
      await sleep(clock, SPAN_MS, signal)
      after = reader.sample()
    }
    if (!isFresh && before) {
      this.#last = after
      this.#busy = { share: machineCpu(before, after), atMs: after.atMs }
    }
    const battery = condition.battery()
    const lastInputMs = condition.lastInputMs()
    const noSandbox = condition.noSandbox()
    return {
      device,
      platform: condition.platform,
      architecture: condition.architecture,
      cores: after.cores,
      busy: this.#busy?.share ?? 0,
      speed,
      memoryFreeBytes: Math.max(0, after.memoryTotalBytes - after.memoryBytes),
      memoryTotalBytes: after.memoryTotalBytes,
      missingTools: [...condition.missing(tools)],
      ...(battery && { battery }),
      ...(lastInputMs !== undefined && { lastInputMs }),
      ...(noSandbox !== undefined && { noSandbox }),
    }
  }

  measureFolder(folder: string, signal?: AbortSignal): Promise<{ bytes: number; files: number; complete: boolean }> {
    return this.#parts.condition.measureFolder(folder, signal)
  }
}
