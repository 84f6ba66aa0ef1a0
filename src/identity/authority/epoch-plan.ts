import type { DatasetId, DeviceId } from '../../base/ids.ts'
import { comparePlaces, currentRotation, type AuthorityState } from './authority-state.ts'
import type { KeyWrap } from './operation.ts'

/** Whose devices hold a dataset's current epoch, as the log says: the recipients of its wraps. */
export type RecipientsOf = (dataset: DatasetId) => readonly KeyWrap[] | undefined

/**
 * Does the current epoch lie with somebody who was removed (rule ID72)? Before the first rotation every device that ever
 * belonged holds it, as it was shared when they joined.
 */
export function isEpochStale(state: AuthorityState, dataset: DatasetId, recipientsOf: RecipientsOf, leaving?: DeviceId): boolean {
  const isOut = (device: DeviceId) => device === leaving || state.devices.get(device)?.removed !== undefined
  const recipients = recipientsOf(dataset)
  if (recipients && currentRotation(state, dataset)) return recipients.some(({ device }) => isOut(device))
  return [...state.devices.keys()].some(isOut)
}

/** Who gets the next epoch: every member but `leaving`. */
export const recipientsOfNext = (state: AuthorityState, leaving?: DeviceId) =>
  [...state.devices.values()].filter(({ device, member }) => member !== undefined && device !== leaving)

/**
 * How many admins are senior to `device`, 0 for the first; undefined when it is none. They rotate in this order, so that not
 * all of them do at once.
 */
export function rankAmongAdmins(state: AuthorityState, device: DeviceId): number | undefined {
  const admins = [...state.devices.values()].flatMap((entry) => (entry.admin ? [{ device: entry.device, place: entry.admin }] : []))
  const rank = admins.sort((a, b) => comparePlaces(a.place, b.place)).findIndex((admin) => admin.device === device)
  return rank < 0 ? undefined : rank
}
