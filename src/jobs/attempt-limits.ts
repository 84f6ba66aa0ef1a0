import { JobError } from './job-error.ts'

/** At once, over all askers. */
export const MAX_ATTEMPTS = 256
/** Of them, for one other device, and for all others: what this device asks for itself always finds room. */
export const MAX_FOR_ONE = 128
export const MAX_FOR_OTHERS = 192
/** For one other device, those that are over and not fetched yet among them: each keeps up to 1 MiB of output, and a folder. */
export const MAX_HELD_FOR_ONE = 256

interface Held {
  readonly asker: string | undefined
  readonly isOver: boolean
}

/** Is there room for one more (rule JB112)? @param asker  undefined: this device itself. @throws JobError `job/too-many` */
export function requireRoom(all: readonly Held[], asker: string | undefined): void {
  const running = all.filter(({ isOver }) => !isOver)
  const full = (held: readonly Held[], most: number, what: string) => {
    if (held.length >= most) throw new JobError('job/too-many', `${most} jobs ${what}; wait for some to end`)
  }
  full(running, MAX_ATTEMPTS, 'run on this device')
  if (asker === undefined) return
  const isAskers = (one: Held) => one.asker === asker
  full(
    running.filter((one) => one.asker !== undefined),
    MAX_FOR_OTHERS,
    'of other devices run on this device',
  )
  full(running.filter(isAskers), MAX_FOR_ONE, 'of that device run on this one')
  full(all.filter(isAskers), MAX_HELD_FOR_ONE, 'of that device are here and were not fetched')
}
