import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { DeviceError } from './device-error.ts'

export type Severity = 'info' | 'warn' | 'error'

/** What keeps the device from working as it should; stands until it is taken back. */
export interface StandingNotice {
  readonly code: string
  readonly message: string
  readonly severity: Severity
  /** What the person can do about it with one press: the label of a button. */
  readonly action?: string
}

/** Something that happened without the person. */
export interface Notification {
  readonly id: string
  readonly code: string
  readonly severity: Severity
  readonly title: string
  readonly body: string
  readonly atMs: number
}

/** More standing notices than anybody reads; the oldest give way. */
const MAX_STANDING = 16

/** What the door shows and the desk tells: one place, so that every part says it the same way. */
export class Notices implements Disposable {
  readonly #clock: Clock
  readonly #standing = new Map<string, { readonly notice: StandingNotice; readonly act: (() => Promise<void>) | undefined }>()
  readonly #changed = new Emitter<void>()
  readonly #notified = new Emitter<Notification>()
  #count = 0

  readonly onDidChange = this.#changed.event
  readonly onDidNotify = this.#notified.event

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get standing(): StandingNotice[] {
    return [...this.#standing.values()].map(({ notice }) => notice)
  }

  /** Shows a notice until it is taken back; one of the same code is replaced. @param act  does what its `action` says */
  put(notice: StandingNotice, act?: () => Promise<void>): void {
    this.#standing.delete(notice.code)
    if (this.#standing.size >= MAX_STANDING) this.#standing.delete(this.#standing.keys().next().value as string)
    this.#standing.set(notice.code, { notice, act })
    this.#changed.fire()
  }

  takeBack(code: string): void {
    if (this.#standing.delete(code)) this.#changed.fire()
  }

  /** Does what a standing notice offers. @throws DeviceError `notice/gone` */
  async act(code: string): Promise<void> {
    const act = this.#standing.get(code)?.act
    if (!act) throw new DeviceError('notice/gone', 'that notice is gone or offers nothing to do; the desk shows what stands now')
    await act()
  }

  /** Tells every unlocked display once. */
  notify(code: string, severity: Severity, title: string, body: string): void {
    this.#notified.fire({ id: `${this.#clock.nowMs()}-${++this.#count}`, code, severity, title, body, atMs: this.#clock.nowMs() })
  }

  dispose(): void {
    this.#changed.dispose()
    this.#notified.dispose()
  }
}
