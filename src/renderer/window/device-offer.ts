import type { DeviceRow } from '../../sync/links-contract.ts'
import { moveOffer } from '../apps/jobs/job-move.ts'
import type { CarriedTab } from '../desk/shell-store.ts'

/** What a device's tile says while something is dragged: whether it takes it, and why or why not, in a few words. */
export interface DeviceOffer {
  readonly takes: boolean
  readonly reason: string
}

/** What is known of a device that takes what is carried: the load it measured last, and how far away it is. */
export interface Taker {
  readonly deviceId: string
  readonly takes: boolean
  /** 0 to 1; undefined: not measured yet. */
  readonly cpu: number | undefined
  readonly roundTripMs: number | undefined
}

/** The one to choose of those that take it: the least busy; of equals the nearest. Undefined while nothing is known that tells them apart. */
export function bestTaker(devices: readonly Taker[]): string | undefined {
  const takers = devices.filter(({ takes }) => takes)
  if (takers.length > 1 && takers.some(({ cpu }) => cpu === undefined)) return undefined
  const busy = ({ cpu = 1 }: Taker) => Math.round(cpu * 4)
  const far = ({ roundTripMs = 0 }: Taker) => roundTripMs
  return takers.toSorted((a, b) => busy(a) - busy(b) || far(a) - far(b))[0]?.deviceId
}

/** Why the best one is: `idle, 16 cores`. */
export const bestReason = ({ cpu, cores }: { readonly cpu: number; readonly cores: number }): string =>
  `${cpu < 0.25 ? 'idle' : `${Math.round(cpu * 100)} % busy`}, ${cores} ${cores === 1 ? 'core' : 'cores'}`

/**
 * Only what is real is offered: a terminal or a folder can be opened over there, and a job goes on there; what else runs or lies here stays here.
 */
export function deviceOffer(carried: CarriedTab, device: Pick<DeviceRow, 'deviceId' | 'name' | 'state'>): DeviceOffer {
  if (carried.job) return moveOffer(carried.job, device)
  if (device.state === 'away') return { takes: false, reason: 'cannot be reached now' }
  if (device.state === 'connecting') return { takes: false, reason: 'still connecting' }
  if (carried.device === device.deviceId) return { takes: false, reason: 'it is there already' }
  switch (carried.app) {
    case 'terminal':
      return { takes: true, reason: 'new terminal there; this one goes on' }
    case 'files':
      return { takes: true, reason: 'shows its home folder' }
    case 'editor':
      return { takes: false, reason: 'the file stays where it lies' }
    case 'web':
      return { takes: false, reason: 'pages run where you look at them' }
    default:
      return { takes: false, reason: 'already on every device' }
  }
}
