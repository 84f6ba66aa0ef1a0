import type { JobPolicy } from './job-contract.ts'
import type { JobRecord } from './job-record.ts'
import type { JobInfo } from './jobs-contract.ts'

/** At most so many tries of one job. */
const MAX_TRIES = 16
/** Refusals for which another device may do. */
export const ELSEWHERE_MAY_DO: ReadonlySet<string> = new Set([
  'job/too-many',
  'job/no-sandbox',
  'job/disk-full',
  'job/device-away',
  'grant/refused',
])

export const hasTriesLeft = ({ attempts }: JobInfo): boolean => attempts.length < MAX_TRIES

/** Begun once more where its device was lost (rule JB44). */
export const mayTryAgain = ({ info, policy }: JobRecord): boolean =>
  info.effects === 'files-only' && policy.whenLost === 'again' && hasTriesLeft(info)

/** Its machine's owner is back, and the policy says to try elsewhere (rule JB48). */
export const mayLeave = ({ info, policy }: JobRecord): boolean =>
  info.effects === 'files-only' && policy.whenOwnerReturns === 'move' && hasTriesLeft(info) && info.workflow === undefined

/** Why a job that is not over cannot be moved there; undefined: as far as is known here, it can (rule JB60). */
export function whyNotMoved(info: JobInfo, policy: JobPolicy, device: string, nameOf: (device: string) => string): string | undefined {
  if (info.device === device) return `it runs on ${nameOf(device)} already`
  if (info.effects !== 'files-only') return 'it may change more than the files of its folder, so it is not begun twice'
  // Begun anew in the folder as it left it, it would put out something else.
  if (info.workflow) return 'it is a step of a workflow: give its job another "on" there'
  if (policy.where === 'here') return 'it was to stay on this device, as asked'
  if (!hasTriesLeft(info)) return `it was tried ${MAX_TRIES} times; run it again`
  return undefined
}
