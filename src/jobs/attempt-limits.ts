import { JobError } from './job-error.ts'

/** At once, over all askers. */
export const MAX_ATTEMPTS = 256
/** Of them for all others: what this device asks for itself always finds room. */
export const MAX_FOR_OTHERS = 192
/** Of those for contacts: the person's other devices find room, too. */
export const MAX_FOR_CONTACTS = 128
/** For one other device of the person. */
export const MAX_FOR_ONE = 128
/** For one contact: by all their devices, of which they make as many as they like. */
export const MAX_FOR_ONE_CONTACT = 96

/** The same with those that are over and not fetched yet: each keeps up to 1 MiB of output for a day. */
const MAX_HELD_FOR_OTHERS = 640
export const MAX_HELD_FOR_CONTACTS = 192
export const MAX_HELD_FOR_ONE = 256
export const MAX_HELD_FOR_ONE_CONTACT = 128

/** For whom something runs. */
export interface Asker {
  /** The linked device; undefined: this one. */
  readonly asker: string | undefined
  /** The contact whose device that is; undefined: it is the person's own. */
  readonly contact: string | undefined
}

export const THIS_DEVICE: Asker = { asker: undefined, contact: undefined }

interface Held extends Asker {
  readonly isOver: boolean
}

/** Is there room for one more (rule JB112)? @throws JobError `job/too-many` */
export function requireRoom(all: readonly Held[], { asker, contact }: Asker): void {
  const full = (part: readonly Held[], most: number, mostHeld: number, whose: string) => {
    const wait = 'wait for some to end'
    if (part.filter(({ isOver }) => !isOver).length >= most) throw new JobError('job/too-many', `${most} jobs ${whose} run there; ${wait}`)
    if (part.length >= mostHeld)
      throw new JobError('job/too-many', `${mostHeld} jobs ${whose} are there, and were not fetched when they ended`)
  }
  full(all, MAX_ATTEMPTS, Number.POSITIVE_INFINITY, 'in all')
  if (asker === undefined) return
  const others = all.filter((one) => one.asker !== undefined)
  full(others, MAX_FOR_OTHERS, MAX_HELD_FOR_OTHERS, 'of other devices')
  if (contact === undefined) {
    const its = others.filter((one) => one.asker === asker)
    return full(its, MAX_FOR_ONE, MAX_HELD_FOR_ONE, 'of that device')
  }
  const contacts = others.filter((one) => one.contact !== undefined)
  full(contacts, MAX_FOR_CONTACTS, MAX_HELD_FOR_CONTACTS, 'of contacts')
  const theirs = contacts.filter((one) => one.contact === contact)
  full(theirs, MAX_FOR_ONE_CONTACT, MAX_HELD_FOR_ONE_CONTACT, 'of that person')
}
