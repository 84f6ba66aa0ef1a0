import { errorCode } from '../../../base/errors.ts'
import type { JobInfo } from '../../../jobs/jobs-contract.ts'
import type { MachineLoad } from '../../../jobs/terminal-contract.ts'
import type { DeviceRow } from '../../../sync/links-contract.ts'
import type { DeviceClient } from '../local-client.ts'

/** A device that has not said how it is by then is shown without. */
const LOAD_PATIENCE_MS = 5_000

export interface TopDevice {
  readonly deviceId: string
  readonly name: string
  readonly state: DeviceRow['state']
  readonly load?: MachineLoad
  /** Why there is no load, though it is linked: a stable code. */
  readonly why?: string
}

/** One look at all devices of mine and at what was asked of them from here. */
export interface TopLook {
  readonly atMs: number
  readonly devices: readonly TopDevice[]
  /** Newest first. */
  readonly jobs: readonly JobInfo[]
}

/** @throws DeviceError `device/locked` */
export async function readLook(device: Pick<DeviceClient, 'listDevices' | 'listJobs' | 'listProcesses'>, nowMs: number): Promise<TopLook> {
  const [rows, jobs] = await Promise.all([device.listDevices({}), device.listJobs({})])
  const devices = await Promise.all(
    rows.map(async ({ deviceId, name, state }): Promise<TopDevice> => {
      if (state !== 'self' && state !== 'linked') return { deviceId, name, state }
      try {
        const { load } = await device.listProcesses({ device: deviceId }, { signal: AbortSignal.timeout(LOAD_PATIENCE_MS) })
        return { deviceId, name, state, load }
      } catch (error) {
        return { deviceId, name, state, why: errorCode(error) }
      }
    }),
  )
  return { atMs: nowMs, devices, jobs }
}
