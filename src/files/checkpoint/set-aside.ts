import type { Disposable } from '../../base/disposable.ts'
import { DisposableStore } from '../../base/disposable.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import { hasRoom } from '../../base/store-error.ts'
import { ContentError } from '../content-error.ts'
import type { Dataset } from '../dataset.ts'
import type { DatasetStore, StoreValue } from '../dataset-store.ts'
import type { Manifest } from '../manifest.ts'
import type { LogId } from '../op.ts'
import { isOfThisFormat } from '../op-segment.ts'

const SPACE = 'set-aside'
const nameOf = (log: LogId, seq: number): string => `${log}.${String(seq).padStart(10, '0')}`

/**
 * What a device wrote while it loaded a checkpoint, once that is given up: its segments follow on ops that are not here any more. They are
 * kept, and are taken in as if another device had brought them when what they follow on is here.
 */
export function setAside(store: DatasetStore, self: DeviceId): StoreValue[] {
  return store.heads().flatMap(({ log, device, seq }) => {
    if (device !== self) return []
    return Array.from({ length: seq }, (_, n) => n + 1).flatMap((n) => {
      const value = store.segment(log, n)
      return value ? [{ space: SPACE, key: nameOf(log, n), value }] : []
    })
  })
}

/** Where a segment waits for what it follows on. */
export const waitingSegment = ({ log, seq }: { readonly log: LogId; readonly seq: number }) => ({ space: SPACE, key: nameOf(log, seq) })

export interface SetAsideParts {
  readonly dataset: Dataset
  readonly store: DatasetStore
  readonly logger: Logger
}

/** Segments of this device that wait for what they follow on. Contents that they name stay here meanwhile. */
export class SetAsideSegments implements Disposable {
  readonly #parts: SetAsideParts
  readonly #owned = new DisposableStore()
  /** By name, so of each log in their order. */
  readonly #waiting: Map<string, Uint8Array>
  readonly #unreadable = new Set<string>()
  readonly #contents = new Map<string, readonly Manifest[]>()

  constructor(parts: SetAsideParts) {
    this.#parts = parts
    this.#waiting = new Map([...parts.store.values(SPACE)].sort(([a], [b]) => (a < b ? -1 : 1)))
    for (const [name, bytes] of this.#waiting) this.#read(name, bytes)
    this.#owned.add(parts.dataset.holds.hold(() => [...this.#contents.values()].flat()))
  }

  /** How many there are of which nobody knows yet what contents they name: a key is missing, or a later version wrote them. */
  get unreadable(): number {
    return this.#unreadable.size
  }

  /** How many wait. */
  get count(): number {
    return this.#waiting.size
  }

  /** Takes in those that can be. Never throws: what cannot be read stays where it is. */
  take(): void {
    const { dataset, store, logger } = this.#parts
    if (this.#waiting.size === 0 || this.#owned.isDisposed) return
    for (const name of [...this.#unreadable]) this.#read(name, this.#waiting.get(name) as Uint8Array) // its key may have come
    for (let before = -1; before !== this.#waiting.size; ) {
      before = this.#waiting.size
      for (const [name, bytes] of this.#waiting) {
        try {
          const { log, seq } = dataset.codec.headOf(bytes)
          const isHeld = () => (dataset.frontier().get(log) ?? 0) >= seq
          if (!isHeld() && !dataset.takeSegment(bytes)) continue
          store.transaction(() => store.putValue(SPACE, name, undefined))
          this.#forget(name)
        } catch (error) {
          logger.warn('changes that were set aside cannot be taken in', { name, code: errorCode(error), error: errorMessage(error) })
        }
      }
    }
  }

  dispose(): void {
    this.#owned.dispose()
  }

  /**
   * What it names is held from now on. One that is none, whatever key or other segment comes, is let go of: what it names nobody can
   * know. One of another format waits for the version that wrote it.
   */
  #read(name: string, bytes: Uint8Array): void {
    const { dataset, store, logger } = this.#parts
    try {
      if (isOfThisFormat(bytes)) dataset.codec.check(bytes)
    } catch (error) {
      if (!(error instanceof ContentError)) throw error
      hasRoom(() => store.transaction(() => store.putValue(SPACE, name, undefined)))
      this.#forget(name)
      const what = { name, bytes: bytes.length, code: errorCode(error), error: errorMessage(error) }
      return logger.warn('changes that were set aside are damaged, and lost: nothing can be done with them any more', what)
    }
    try {
      this.#contents.set(name, this.#contentsOf(bytes))
      this.#unreadable.delete(name)
    } catch (error) {
      if (this.#unreadable.has(name)) return
      this.#unreadable.add(name)
      const what = { name, code: errorCode(error), error: errorMessage(error) }
      logger.warn('changes that were set aside cannot be read: nothing is let go of while they wait', what)
    }
  }

  #forget(name: string): void {
    this.#waiting.delete(name)
    this.#contents.delete(name)
    this.#unreadable.delete(name)
  }

  #contentsOf(bytes: Uint8Array): Manifest[] {
    const { codec } = this.#parts.dataset
    // Only what it names is asked for: a clock that was set back is no reason not to hold that.
    const { ops } = codec.open(codec.headOf(bytes), bytes, Number.POSITIVE_INFINITY)
    return ops.flatMap(({ body }) => ('content' in body && body.content.kind === 'file' ? [body.content.manifest] : []))
  }
}
