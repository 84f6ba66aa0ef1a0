import type { Disposable } from '../../base/disposable.ts'

/** Where objects lie under names, and nobody is trusted: what S3 and its kin offer. @throws BucketError by every call */
export interface ObjectStore extends Disposable {
  /** Every object whose name begins so. */
  list(prefix: string): Promise<ReadonlyMap<string, number>>
  /** `length` bytes from `offset` on; fewer: the object is shorter. undefined: there is no such object. Never more. */
  get(name: string, offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array | undefined>
  put(name: string, bytes: Uint8Array): Promise<void>
  remove(name: string): Promise<void>
  /** Parts of one object, each of at least `MIN_PART_BYTES` but the last. Resolves with what names the upload. */
  beginUpload(name: string): Promise<string>
  /** Resolves with what proves that the part is there. */
  putPart(name: string, upload: string, number: number, bytes: Uint8Array): Promise<string>
  /** Rejects with `bucket/upload-gone` when the parts are not there any more. */
  completeUpload(name: string, upload: string, proofs: readonly string[]): Promise<void>
  abandonUpload(name: string, upload: string): Promise<void>
}

export const MIN_PART_BYTES = 5 * 1024 * 1024
/** Objects of one dataset that are listed; 64 MiB each are 12 TiB. */
export const MAX_LISTED_OBJECTS = 200_000
