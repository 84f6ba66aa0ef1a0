import type { Clock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import type { DisplaySession } from './display-session.ts'
import type { SettingsService } from '../settings-service.ts'

const MINUTE_MS = 60_000
/** A page locks itself when its time is up, and tells of input only every other second: it has this long before the device does it. */
export const PAGE_GRACE_MS = 30_000

export interface AutoLockOptions {
  readonly clock: Clock
  readonly settings: SettingsService
  lock(session: DisplaySession): void
}

/**
 * Locks a display that nobody has touched for as long as the settings say, also when its page hangs, was changed or has
 * forgotten to (rule DV37). One timer for each unlocked display, armed for when its time is up at the earliest.
 */
export class AutoLock implements Disposable {
  readonly #options: AutoLockOptions
  readonly #timers = new Map<DisplaySession, Disposable>()
  readonly #owned = new DisposableStore()

  constructor(options: AutoLockOptions) {
    this.#options = options
    this.#owned.add(
      options.settings.onDidChange(() => {
        for (const session of [...this.#timers.keys()]) this.#arm(session)
      }),
    )
  }

  /** Call once for each display that connects. */
  watch(session: DisplaySession): void {
    let wasUnlocked = false
    session.onDidChange(() => {
      if (session.isUnlocked === wasUnlocked) return
      wasUnlocked = session.isUnlocked
      if (!wasUnlocked) return this.#disarm(session)
      session.lastInputMs = this.#options.clock.monotonicMs() // a passphrase was typed
      this.#arm(session)
    })
  }

  dispose(): void {
    this.#owned.dispose()
    for (const session of [...this.#timers.keys()]) this.#disarm(session)
  }

  #arm(session: DisplaySession): void {
    this.#disarm(session)
    const { clock, settings } = this.#options
    const { autoLockMinutes } = settings.current
    // 0: never. The display stays known, so that another setting counts at once.
    const leftMs = session.lastInputMs + autoLockMinutes * MINUTE_MS + PAGE_GRACE_MS - clock.monotonicMs()
    if (autoLockMinutes === 0) this.#timers.set(session, { dispose: () => {} })
    else
      this.#timers.set(
        session,
        clock.after(Math.max(0, leftMs), () => this.#handleTimer(session)),
      )
  }

  #handleTimer(session: DisplaySession): void {
    const { clock, settings, lock } = this.#options
    const idleMs = clock.monotonicMs() - session.lastInputMs
    if (idleMs < settings.current.autoLockMinutes * MINUTE_MS + PAGE_GRACE_MS) return this.#arm(session)
    this.#disarm(session)
    lock(session)
  }

  #disarm(session: DisplaySession): void {
    this.#timers.get(session)?.dispose()
    this.#timers.delete(session)
  }
}
