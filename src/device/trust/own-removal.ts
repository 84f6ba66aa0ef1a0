import type { Disposable } from '../../base/disposable.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { DeviceList } from '../../identity/device-list.ts'
import type { Notices } from '../notices.ts'

export const REMOVED_NOTICE = 'devices/removed'

export interface OwnRemovalOptions {
  readonly devices: DeviceList
  readonly self: DeviceId
  readonly notices: Notices
  /** Heard just now: keys are to leave the memory. Called once, after the news was taken in. */
  readonly leave: () => void
}

/** Is this device known to have been removed from its person's devices? */
export const isRemoved = (devices: DeviceList, self: DeviceId): boolean => devices.devices.get(self)?.removedAtMs !== undefined

/**
 * What a device does that hears of its own removal (rule DV40): it says so and locks; what it stored stays, sealed. One that is
 * unlocked again opens what it has and is linked to nobody.
 */
export function watchOwnRemoval({ devices, self, notices, leave }: OwnRemovalOptions): Disposable {
  const say = () => {
    if (!isRemoved(devices, self)) return notices.takeBack(REMOVED_NOTICE)
    const by = devices.removerOf(self)
    const message = `This device was removed from your devices${by ? ` by ${by}` : ''}. It is linked to none of them any more and hears nothing new. What it had read is still stored here, sealed; pair it again to bring it back.`
    notices.put({ code: REMOVED_NOTICE, severity: 'error', message })
  }
  say()
  let wasRemoved = isRemoved(devices, self)
  return devices.onDidChange(() => {
    say()
    const now = isRemoved(devices, self)
    if (now && !wasRemoved) queueMicrotask(() => queueMicrotask(leave)) // after everybody else heard of the change
    wasRemoved = now
  })
}
