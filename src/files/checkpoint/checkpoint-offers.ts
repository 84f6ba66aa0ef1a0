import { fromBase64Url } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import { errorCode, errorMessage } from '../../base/errors.ts'
import type { DatasetId, DeviceId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import type { FilePeerClient } from '../file-exchange.ts'
import type { FilesCrypto } from '../files-crypto.ts'
import { openCheckpoint } from './checkpoint-codec.ts'
import type { CheckpointLoader } from './checkpoint-loader.ts'

export interface OffersParts {
  readonly id: DatasetId
  readonly loader: CheckpointLoader
  readonly crypto: FilesCrypto
  readonly clock: Clock
  readonly logger: Logger
}

/** Devices that are linked at once are asked at once, and the newest of what they have is taken: one that says nothing for this long is not waited for. */
const PATIENCE_MS = 2_000

/** Asks linked devices for their newest checkpoint when this device holds nothing yet, and waits until what it took is loaded. */
export class CheckpointOffers {
  readonly #parts: OffersParts
  readonly #asked = new Map<FilePeerClient, Promise<{ readonly device: DeviceId; readonly bytes: Uint8Array } | undefined>>()
  #choosing: Promise<void> | undefined

  constructor(parts: OffersParts) {
    this.#parts = parts
  }

  /** A device is linked. Resolves when segments may be asked of it: at once, where nothing is loaded. */
  async begin(client: FilePeerClient, device: DeviceId): Promise<void> {
    const { loader } = this.#parts
    if (loader.mayStart) {
      this.#asked.set(client, this.#ask(client, device))
      this.#choosing ??= this.#choose().finally(() => (this.#choosing = undefined))
      await this.#choosing
    }
    loader.kick()
    await loader.whole()
  }

  async #ask(client: FilePeerClient, device: DeviceId): Promise<{ readonly device: DeviceId; readonly bytes: Uint8Array } | undefined> {
    const { id, crypto, logger } = this.#parts
    try {
      const { checkpoint } = await client.pullCheckpoint({ dataset: id })
      if (checkpoint === undefined) return undefined
      const bytes = fromBase64Url(checkpoint)
      openCheckpoint(crypto, id, bytes)
      return { device, bytes }
    } catch (error) {
      logger.debug('a linked device gave no checkpoint of files', { device, code: errorCode(error), error: errorMessage(error) })
      return undefined
    }
  }

  async #choose(): Promise<void> {
    const { loader, clock, id, crypto, logger } = this.#parts
    await Promise.resolve() // others of the same turn are asked, too
    let timer: { dispose(): void } | undefined
    const late = new Promise<undefined>((resolve) => (timer = clock.after(PATIENCE_MS, () => resolve(undefined))))
    const answers = await Promise.all([...this.#asked.values()].map((asked) => Promise.race([asked, late])))
    timer?.dispose()
    this.#asked.clear()
    const opsOf = (bytes: Uint8Array) => openCheckpoint(crypto, id, bytes).ops
    const offers = answers.flatMap((answer) => answer ?? []).sort((a, b) => opsOf(b.bytes) - opsOf(a.bytes))
    for (const { device, bytes } of offers) {
      try {
        if (await loader.offer(bytes)) return
      } catch (error) {
        logger.warn('a checkpoint of files cannot be used', { device, code: errorCode(error), error: errorMessage(error) })
      }
    }
  }
}
