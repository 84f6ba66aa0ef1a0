import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { DeviceId } from '../base/ids.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { LogId } from './op.ts'

export type Frontier = ReadonlyMap<LogId, number>

/** How far another device was when it last said so, and when. What it said is on its disk. */
export interface Acknowledgement {
  readonly frontier: Frontier
  readonly atMs: number
}

export interface AcknowledgementsOptions {
  readonly store: DatasetStore
  /** Other devices that have not left. */
  others(): readonly DeviceId[]
  nowMs(): number
}

/** Nobody waits longer for a device that says nothing. */
export const SILENT_MS = 90 * 24 * 3_600_000
/** When this device was off for longer, others are not the ones who were silent. */
const MAX_GAP_MS = 3 * 24 * 3_600_000

const KEEP_MS = 3_600_000

const ACK = 'acknowledged'
const SINCE = 'since'
const WATCH = 'watch'

const covers = (held: Frontier, asked: Frontier): boolean => [...asked].every(([log, seq]) => (held.get(log) ?? 0) >= seq)

/**
 * What other devices have seen (rule GC2). A device counts as silent when it said nothing for 90 days in which this one was there to
 * hear it: whoever comes back after a year waits for the others, and they hear what it did meanwhile first.
 */
export class Acknowledgements {
  readonly #options: AcknowledgementsOptions
  /** What was put into the store since this start. */
  readonly #kept = new Map<DeviceId, Acknowledgement>()

  constructor(options: AcknowledgementsOptions) {
    this.#options = options
  }

  /** A device said how far it is, with all that it wrote itself: with every page, and naming every log. The same again is kept hourly. */
  keep(device: DeviceId, frontier: Frontier): void {
    const atMs = this.#options.nowMs()
    const last = this.#kept.get(device)
    const isSame = last?.frontier.size === frontier.size && covers(last.frontier, frontier) && covers(frontier, last.frontier)
    if (isSame && Math.abs(atMs - last.atMs) < KEEP_MS) return
    this.#put(ACK, device, { frontier: [...frontier], atMs })
    this.#kept.set(device, { frontier: new Map(frontier), atMs })
  }

  of(device: DeviceId): Acknowledgement | undefined {
    const plain = this.#get<{ frontier: [LogId, number][]; atMs: number }>(ACK, device)
    return plain && { frontier: new Map(plain.frontier), atMs: plain.atMs }
  }

  /** This device is on: call it now and then, at least daily. */
  noteThere(): void {
    const nowMs = this.#options.nowMs()
    const watch = this.#get<{ sinceMs: number; lastMs: number }>(WATCH, 'own')
    const isGap = !watch || nowMs - watch.lastMs > MAX_GAP_MS || nowMs < watch.lastMs - MAX_GAP_MS
    this.#put(WATCH, 'own', { sinceMs: isGap ? nowMs : watch.sinceMs, lastMs: nowMs })
    for (const device of this.#options.others()) if (!this.#get(SINCE, device)) this.#put(SINCE, device, { atMs: nowMs })
  }

  /**
   * Has every other device seen what `frontier` names, and do we hold all that each wrote before it had? Then none can count any
   * more on what was dropped by then. `held`: how far this device is.
   */
  isPast(frontier: Frontier, held: Frontier): boolean {
    return this.#options.others().every((device) => {
      const said = this.of(device)
      if (said && covers(said.frontier, frontier) && covers(held, said.frontier)) return true
      return this.#isSilent(device, said)
    })
  }

  #isSilent(device: DeviceId, said: Acknowledgement | undefined): boolean {
    const since = this.#get<{ atMs: number }>(SINCE, device)
    const watch = this.#get<{ sinceMs: number }>(WATCH, 'own')
    if (!since || !watch) return false
    return this.#options.nowMs() - Math.max(said?.atMs ?? 0, since.atMs, watch.sinceMs) > SILENT_MS
  }

  #get<T>(space: string, key: string): T | undefined {
    const value = this.#options.store.value(space, key)
    return value && (JSON.parse(fromUtf8(value)) as T)
  }

  #put(space: string, key: string, value: unknown): void {
    this.#options.store.putValue(space, key, utf8(JSON.stringify(value)))
  }
}
