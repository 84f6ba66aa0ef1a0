import { fromUtf8, toHex, utf8 } from '../../base/bytes.ts'
import type { Clock } from '../../base/clock.ts'
import type { Disposable } from '../../base/disposable.ts'
import { Emitter, type Event } from '../../base/emitter.ts'
import type { Logger } from '../../base/logger.ts'
import type { ChunkId } from '../chunk-id.ts'
import type { DatasetKeySource } from '../dataset-key-source.ts'
import type { DatasetStore } from '../dataset-store.ts'
import type { FilesCrypto } from '../files-crypto.ts'
import type { BucketAccess, BucketStatus } from './bucket-contract.ts'
import { BucketCopy } from './bucket-copy.ts'
import type { BucketCopyOptions } from './bucket-copy-options.ts'
import { BucketHolds } from './bucket-holds.ts'
import { BucketSeal } from './bucket-seal.ts'
import { clearBucketBook } from './bucket-contents.ts'
import type { BucketSizes } from './bucket-upload.ts'
import type { ObjectStore } from './object-store.ts'

export interface DatasetBucketOptions {
  readonly crypto: FilesCrypto
  readonly keys: DatasetKeySource
  readonly store: DatasetStore
  readonly open: ((access: BucketAccess) => ObjectStore) | undefined
  readonly sizes?: BucketSizes | undefined
  readonly clock: Clock
  readonly logger: Logger
}

/** What of the dataset the bucket has to do with. */
type BucketedParts = Pick<
  BucketCopyOptions,
  'self' | 'dataset' | 'chunks' | 'dropped' | 'book' | 'source' | 'behind' | 'isGenuine' | 'isLoading'
>

const [SPACE, KEY] = ['bucket', 'which']

/** The bucket of one open dataset, if it has one. Another bucket, or none, takes with it what was known of the one before. */
export class DatasetBucket implements Disposable {
  readonly #options: DatasetBucketOptions
  readonly #holds: BucketHolds
  readonly #changed = new Emitter<void>()
  #parts: BucketedParts | undefined
  #wasFresh: boolean | undefined
  #copy: { readonly copy: BucketCopy; readonly access: string } | undefined

  constructor(options: DatasetBucketOptions) {
    this.#options = options
    this.#holds = new BucketHolds(options.store, options.clock)
  }

  /** Did the last look see all there that an op of this segment names? */
  has(segment: string, number: number): boolean {
    return this.#holds.has(segment, number)
  }

  /** What is safe by a bucket that nobody reached for long is not any more. */
  review(): void {
    const { isFresh } = this.#holds
    if (isFresh === this.#wasFresh) return
    this.#wasFresh = isFresh
    this.#parts?.book.reviewHolders()
  }

  get isUsed(): boolean {
    return this.#copy !== undefined
  }

  get status(): BucketStatus | undefined {
    return this.#copy?.copy.status
  }

  /** Looks at it now. @param isFull  through all of it; else only what is new here is sent */
  async run(isFull = true): Promise<void> {
    await this.#copy?.copy.run(isFull)
  }

  /** Which of these does it give back, with all that is needed to find them? Those read within a day are not read again. Never rejects. */
  async prove(ids: ReadonlySet<ChunkId>, signal: AbortSignal): Promise<ReadonlySet<ChunkId>> {
    return (await this.#copy?.copy.prove(ids, signal)) ?? new Set()
  }

  /** How often it was seen that something counts no more, or that it is another bucket. */
  get losses(): number {
    return this.#holds.losses
  }

  serve(parts: BucketedParts): void {
    this.#parts = parts
  }

  use(access: BucketAccess | undefined): void {
    const { crypto, keys, store, open, sizes, clock, logger } = this.#options
    const parts = this.#parts
    const told = JSON.stringify(access ?? null)
    if (!parts || this.#copy?.access === told) return
    this.#copy?.copy.dispose()
    this.#copy = undefined
    this.#holds.stop()
    const which = access && toHex(crypto.sha256(utf8(`${access.endpoint} ${access.bucket} ${access.prefix}`)))
    const before = store.value(SPACE, KEY)
    if (before && fromUtf8(before) !== which) {
      store.transaction(() => {
        clearBucketBook(store)
        store.putValue(SPACE, KEY, undefined)
      })
      this.#holds.clear()
      parts.book.reviewHolders()
    }
    if (!access || !open) return
    if (which) store.putValue(SPACE, KEY, utf8(which))
    this.review()
    const seal = new BucketSeal(crypto, keys)
    const copy = new BucketCopy({
      ...parts,
      ...sizes,
      store,
      seal,
      objects: open(access),
      holds: this.#holds,
      clock,
      logger: logger.child('bucket'),
    })
    copy.onDidChangeHolds(() => this.#changed.fire())
    this.#copy = { copy, access: told }
  }

  /** Other contents are safe by it than before. */
  get onDidChangeHolds(): Event<void> {
    return this.#changed.event
  }

  dispose(): void {
    this.#changed.dispose()
    this.#holds.stop()
    this.#copy?.copy.dispose()
    this.#copy = undefined
  }
}
