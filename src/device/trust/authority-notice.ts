import type { DeviceId } from '../../base/ids.ts'
import type { AuthorityReport } from '../../identity/authority/authority-log.ts'
import type { DeviceList } from '../../identity/device-list.ts'
import type { StandingNotice } from '../notices.ts'

/** What the authority log noticed, in words a person can act on. */
export function authorityNotice(report: AuthorityReport, devices: Pick<DeviceList, 'devices' | 'person'>): StandingNotice {
  const nameOf = (signer: string): string => {
    if (signer === devices.person) return 'Your person key'
    return devices.devices.get(signer as DeviceId)?.name ?? `Device ${signer.slice(0, 12)}…`
  }
  switch (report.kind) {
    case 'fork':
      return {
        code: 'authority/fork',
        severity: 'error',
        message: `${nameOf(report.signer)} has spoken with two voices: its data folder was copied, a backup was put back, or its key is in other hands. Remove it from your devices if you did not do this yourself.`,
      }
    case 'rollback':
      return {
        code: 'authority/rollback',
        severity: 'warn',
        message: `${nameOf(report.device)} knows less of who belongs to you than it did (${report.now} entries, before ${report.before}): its data was set back. It learns the rest from this device.`,
      }
    case 'own-rollback':
      return {
        code: 'authority/own-rollback',
        severity: 'warn',
        message:
          'Your other devices hold entries that this device wrote and no longer knows: its data was set back, or its folder copied. They have been taken in again.',
      }
  }
}

export const VOTE_NOTICE = 'authority/vote'

/**
 * Somebody asked to remove a device that is senior to it, and this device could second it: said here, since nothing happens
 * until a second admin agrees. Undefined when there is no such question for `self`.
 */
export function voteNotice(
  devices: Pick<DeviceList, 'devices' | 'openVotes' | 'waysToRemove'>,
  self: DeviceId,
): StandingNotice | undefined {
  const vote = devices.openVotes.find(({ target }) => target !== self && devices.waysToRemove(target).together?.open.includes(self))
  if (!vote) return undefined
  const nameOf = (device: DeviceId) => devices.devices.get(device)?.name ?? `device ${device.slice(0, 12)}…`
  return {
    code: VOTE_NOTICE,
    severity: 'warn',
    message: `${nameOf(vote.by)} asks to remove ${nameOf(vote.target)} from your devices. It takes a second device: if you agree, remove it in Devices here, too.`,
  }
}
