import type { DeviceId } from '../../base/ids.ts'
import { isBefore, type AuthorityState } from './authority-state.ts'

/**
 * Every way a person has to remove a device now; the screen offers exactly these (rule ID60). The root always may: where the
 * person's root key can be opened, or from the recovery kit.
 */
export interface RemovalWays {
  /** Devices that may alone: admins senior to it, any admin when it is none, and itself. By seniority; itself last. */
  readonly alone: readonly DeviceId[]
  /** Set when some admins can do it together only. */
  readonly together?: {
    /** Who has asked already. */
    readonly asked: readonly DeviceId[]
    /** Who can ask, or second. */
    readonly open: readonly DeviceId[]
    /** How many more must. */
    readonly missing: 1 | 2
  }
}

/** Empty when it is no member. Pure. */
export function waysToRemove(state: AuthorityState, target: DeviceId): RemovalWays {
  const device = state.devices.get(target)
  if (!device?.member) return { alone: [] }
  const place = device.admin
  const others = [...state.devices.values()].flatMap(({ device: id, admin }) => (admin && id !== target ? [{ id, admin }] : []))
  others.sort((a, b) => (isBefore(a.admin, b.admin) ? -1 : 1))
  const alone = others.filter(({ admin }) => !place || isBefore(admin, place)).map(({ id }) => id)
  const juniors = others.filter(({ id }) => !alone.includes(id)).map(({ id }) => id)
  if (juniors.length < 2) return { alone: [...alone, target] }
  const asked = juniors.filter((id) => state.votes.some((vote) => vote.target === target && vote.by === id && vote.wish === 'remove'))
  const open = juniors.filter((id) => !asked.includes(id))
  return { alone: [...alone, target], together: { asked, open, missing: asked.length > 0 ? 1 : 2 } }
}

/** What comes of `by` removing `target` now: it is out, a second admin must follow, or nothing. */
export function outcomeOfRemoval(state: AuthorityState, target: DeviceId, by: DeviceId): 'removed' | 'asked' | 'refused' {
  const { alone, together } = waysToRemove(state, target)
  if (alone.includes(by)) return 'removed'
  if (!together || !(together.open.includes(by) || together.asked.includes(by))) return 'refused'
  return together.asked.some((other) => other !== by) ? 'removed' : 'asked'
}
