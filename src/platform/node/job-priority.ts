import { writeFileSync } from 'node:fs'
import type { Disposable } from '../../base/disposable.ts'

const LOWEST = 19
/**
 * So long after its sandbox is made a program weighs what others do. At the lowest weight `true` took 0.7 s, and one in ten 2 to 4 s,
 * on a machine whose cores others kept busy: a start costs some 20 ms of processor time, and the lowest gets a hundredth of one.
 */
export const START_MS = 1_000
/** How often it is tried again: the sandbox is not made yet, or the kernel takes no more changes now (ten a second). */
const AGAIN_MS = 100
/** A sandbox that takes longer is not waited for. */
const MAX_AGAIN = 50

/** later: the kernel takes no more changes now. refused: its session is another account's (a bwrap that is setuid), or there is none. */
export type AutogroupAnswer = 'set' | 'later' | 'refused'

/** How much the session of a process weighs. */
export function setAutogroup(pid: number, nice: number): AutogroupAnswer {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(nice))
    return 'set'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EAGAIN' ? 'later' : 'refused'
  }
}

export interface JobPriorityParts {
  set(nice: number): AutogroupAnswer
  /** Its sandbox is made: what runs now is the program. */
  isMade(): boolean
}

/**
 * What a placed program weighs against others: as much while it starts, least from then on, and as much again when it is to be killed,
 * since what weighs least takes long to die (rule JB41).
 */
export class JobPriority implements Disposable {
  readonly #parts: JobPriorityParts
  #timer: NodeJS.Timeout | undefined

  constructor(parts: JobPriorityParts) {
    this.#parts = parts
  }

  /** The program may begin. @returns false: its weight cannot be changed from here, it is to do so itself, at once */
  begin(): boolean {
    if (this.#parts.set(0) === 'refused') return false
    this.#after(this.#parts.isMade() ? START_MS : AGAIN_MS, MAX_AGAIN)
    return true
  }

  raise(): void {
    this.dispose()
    this.#parts.set(0)
  }

  dispose(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #after(delayMs: number, left: number): void {
    this.#timer = setTimeout(() => {
      if (delayMs !== START_MS && left > 0) return this.#after(this.#parts.isMade() ? START_MS : AGAIN_MS, left - 1)
      if (this.#parts.set(LOWEST) === 'later') this.#again()
    }, delayMs)
    this.#timer.unref()
  }

  /** Until the kernel takes it. */
  #again(): void {
    this.#timer = setTimeout(() => {
      if (this.#parts.set(LOWEST) === 'later') this.#again()
    }, AGAIN_MS)
    this.#timer.unref()
  }
}
