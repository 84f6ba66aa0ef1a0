import { rm } from 'node:fs/promises'
import path from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { errorMessage } from '../../base/errors.ts'
import { silentLogger, type Logger } from '../../base/logger.ts'
import { systemRandom } from '../../base/random.ts'
import { rehearseUnlock } from '../../device/rehearse-unlock.ts'
import { createNodeLinkPlatform } from '../../platform/node/node-link-platform.ts'
import { RehearsalCrypto } from '../../platform/node/rehearsal-crypto.ts'
import { openDeviceStore, openLedgerStore } from './open-device-store.ts'

/**
 * Warms this process up for its person while the device is locked. Its stores lie in a folder of the data folder, which goes
 * with it; one that a kill left is taken away first.
 *
 * @param folder  made and removed here
 */
export async function rehearse(folder: string, isWanted: () => boolean, log: Logger): Promise<void> {
  const startedMs = systemClock.monotonicMs()
  try {
    await rm(folder, { recursive: true, force: true })
    await rehearseUnlock(
      {
        clock: systemClock,
        random: systemRandom,
        crypto: new RehearsalCrypto(),
        openStore: (sealer) => openDeviceStore(path.join(folder, 'store.sqlite'), sealer, silentLogger),
        openLedger: (sealer) => openLedgerStore(path.join(folder, 'ledger.sqlite'), sealer),
        createLinkPlatform: () => createNodeLinkPlatform({ logger: silentLogger, lan: false }),
        platform: process.platform,
        hostName: 'rehearsal',
        version: '0.0.0',
      },
      isWanted,
    )
    log.debug('unlocking was rehearsed', { ms: Math.round(systemClock.monotonicMs() - startedMs) })
  } catch (error) {
    log.debug('unlocking could not be rehearsed; the first one takes a little longer', { why: errorMessage(error) })
  } finally {
    await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}
