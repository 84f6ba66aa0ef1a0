import type { JobInfo } from '../../../jobs/jobs-contract.ts'
import type { DeviceRow } from '../../../sync/links-contract.ts'
import { isOver } from '../../desk/jobs-store.ts'

/**
 * What a device says to a job that runs and is carried to it: whether it goes on there, and what that means, or why not. The
 * device it is asked of has the last word. Pure.
 */
export function moveOffer(
  info: Pick<JobInfo, 'state' | 'device' | 'effects'>,
  row: Pick<DeviceRow, 'deviceId' | 'state'>,
): { readonly takes: boolean; readonly reason: string } {
  const no = (reason: string) => ({ takes: false, reason })
  if (isOver(info)) return no('it is over')
  if (info.device === row.deviceId) return no('it runs there already')
  if (row.state === 'away') return no('cannot be reached now')
  if (row.state === 'connecting') return no('still connecting')
  if (info.effects !== 'files-only') return no('may change more than its files: it is not begun twice')
  return { takes: true, reason: 'stops where it is, starts anew here' }
}
