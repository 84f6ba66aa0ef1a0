import { systemClock, type Clock } from '../base/clock.ts'
import type { DeviceId } from '../base/ids.ts'
import { MemoryKeyValueStore, type KeyValueStore } from '../base/key-value-store.ts'
import { silentLogger } from '../base/logger.ts'
import type { RandomSource } from '../base/random.ts'
import { systemRandom } from '../base/random.ts'
import { ClientIds, newStartId, type StartId } from '../sync/client-ids.ts'
import type { DeviceCheck, DeviceSigner } from '../sync/device-check.ts'
import { DocumentSync } from '../sync/document-sync.ts'
import { Documents, type DocumentsOptions } from '../sync/documents.ts'
import type { EnvelopeLog } from '../sync/envelope-log.ts'
import { MemoryEnvelopeLog } from '../sync/memory-envelope-log.ts'
import { PausedDevices } from '../sync/paused-devices.ts'
import type { SyncContext } from '../sync/sync-context.ts'
import { FakeDeviceCheck, fakeDevice, fakeEnvelopeSeal, fakeSigner } from './fake-identity.ts'

export interface SyncDeviceOptions extends DocumentsOptions {
  readonly log?: EnvelopeLog
  readonly store?: KeyValueStore
  readonly check?: DeviceCheck
  /** Instead of the fake one of the device's name. */
  readonly signer?: DeviceSigner
  readonly clock?: Clock
  readonly random?: RandomSource
  readonly start?: StartId
}

export function syncContext(device: DeviceId, options: SyncDeviceOptions = {}): SyncContext {
  const { store = new MemoryKeyValueStore(), clock = systemClock, log = new MemoryEnvelopeLog() } = options
  const start = options.start ?? newStartId(options.random ?? systemRandom)
  return {
    log,
    store,
    signer: options.signer ?? fakeSigner(device),
    check: options.check ?? new FakeDeviceCheck(['A', 'B', 'C', 'D', 'E'].map(fakeDevice)),
    seal: fakeEnvelopeSeal,
    start,
    clientIds: new ClientIds({ device, start, store, clock }),
    paused: new PausedDevices(store),
    clock,
    logger: silentLogger,
  }
}

/** The sync part of one device, in memory. Names A to E know each other. */
export class SyncDevice {
  readonly id: DeviceId
  readonly context: SyncContext
  readonly documents: Documents
  readonly sync: DocumentSync

  constructor(name: string, options: SyncDeviceOptions = {}) {
    this.id = options.signer?.device ?? fakeDevice(name)
    this.context = syncContext(this.id, options)
    this.documents = new Documents(this.context, options)
    this.documents.openAll()
    this.sync = new DocumentSync(this.context, this.documents)
  }

  dispose(): void {
    this.sync.dispose()
    this.documents.dispose()
  }
}
