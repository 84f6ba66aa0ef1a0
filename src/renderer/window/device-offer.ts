import type { DeviceRow } from '../../sync/links-contract.ts'
import type { Carried } from '../desk/shell-store.ts'

/** What a device's tile says while something is dragged: whether it takes it, and why or why not, in a few words. */
export interface DeviceOffer {
  readonly takes: boolean
  readonly reason: string
}

/**
 * Only what is real is offered: a terminal or a folder can be opened over there; what runs or lies here stays here.
 */
export function deviceOffer(carried: Carried, device: Pick<DeviceRow, 'deviceId' | 'name' | 'state'>): DeviceOffer {
  if (device.state === 'away') return { takes: false, reason: 'away' }
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
