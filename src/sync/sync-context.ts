import type { Clock } from '../base/clock.ts'
import type { KeyValueStore } from '../base/key-value-store.ts'
import type { Logger } from '../base/logger.ts'
import type { ClientIds, StartId } from './client-ids.ts'
import type { DeviceCheck, DeviceSigner } from './device-check.ts'
import type { EnvelopeLog } from './envelope-log.ts'
import type { EnvelopeSeal } from './envelope-seal.ts'
import type { PausedDevices } from './paused-devices.ts'

/** What every replica of one device process shares; built once in device/. */
export interface SyncContext {
  readonly log: EnvelopeLog
  readonly store: KeyValueStore
  readonly signer: DeviceSigner
  readonly check: DeviceCheck
  readonly seal: EnvelopeSeal
  /** New at each process start (`newStartId`). */
  readonly start: StartId
  readonly clientIds: ClientIds
  readonly paused: PausedDevices
  readonly clock: Clock
  readonly logger: Logger
}
