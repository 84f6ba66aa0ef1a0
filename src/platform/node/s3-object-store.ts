import type { S3Client } from '@aws-sdk/client-s3'
import type { BucketAccess } from '../../files/bucket/bucket-contract.ts'
import { BucketError } from '../../files/bucket/bucket-error.ts'
import { MAX_LISTED_OBJECTS, type ObjectStore } from '../../files/bucket/object-store.ts'

export interface S3Limits {
  /** Without a byte; then the request is given up. */
  readonly idleMs: number
  /** The same while much is sent: what the system has taken is on its way still, and nobody sees it go. */
  readonly sendIdleMs: number
  /** For one request, beside what its bytes take at `SLOWEST`. */
  readonly wholeMs: number
  /** Of a request that was not answered, or with 5xx. */
  readonly attempts: number
}

/** Bytes in a second: an uplink of a tenth of a Mbit/s. */
const SLOWEST = 12_500
const LIMITS: S3Limits = { idleMs: 20_000, sendIdleMs: 120_000, wholeMs: 120_000, attempts: 3 }

type Sdk = typeof import('./s3-sdk.ts')

interface Loaded {
  readonly sdk: Sdk
  readonly client: S3Client
  /** For what takes bytes along. */
  readonly sender: S3Client
}

/**
 * An S3-compatible bucket by the AWS SDK, which is loaded with the first call and only in the process that calls. Path-style
 * addresses and no optional checksums, which not all servers know; what is read is checked by those who know its keys. No more is
 * read than was asked for, whatever is sent. Rule BK3: every failure has a code of `BucketError`.
 */
export class S3ObjectStore implements ObjectStore {
  readonly #access: BucketAccess
  readonly #limits: S3Limits
  readonly #stop = new AbortController()
  #loaded: Promise<Loaded> | undefined

  constructor(access: BucketAccess, limits: Partial<S3Limits> = {}) {
    this.#access = access
    this.#limits = { ...LIMITS, ...limits }
  }

  list(prefix: string): Promise<ReadonlyMap<string, number>> {
    const { bucket, prefix: own } = this.#access
    return this.#call(async ({ sdk, client }, signal) => {
      const found = new Map<string, number>()
      for (let token: string | undefined; ; ) {
        const page = await client.send(new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: own + prefix, ContinuationToken: token }), {
          abortSignal: signal(),
        })
        const before = found.size
        for (const { Key: key, Size: size } of page.Contents ?? []) {
          if (key?.startsWith(own + prefix) && Number.isSafeInteger(size)) found.set(key.slice(own.length), size as number)
        }
        if (!page.IsTruncated) return found
        const isEndless = !page.NextContinuationToken || page.NextContinuationToken === token || found.size === before
        if (isEndless || found.size > MAX_LISTED_OBJECTS) throw nonsense('its list has no end')
        token = page.NextContinuationToken
      }
    })
  }

  get(name: string, offset: number, length: number, given?: AbortSignal): Promise<Uint8Array | undefined> {
    return this.#call(async ({ sdk, client }, signal) => {
      const range = { Range: `bytes=${offset}-${offset + length - 1}` }
      const abortSignal = given ? AbortSignal.any([signal(length), given]) : signal(length)
      try {
        const { Body: body } = await client.send(new sdk.GetObjectCommand({ ...this.#at(name), ...range }), { abortSignal })
        return body && (await readAtMost(body as AsyncIterable<Uint8Array>, length, abortSignal))
      } catch (error) {
        if (statusOf(error) === 416) return new Uint8Array(0)
        if (nameOf(error) === 'NoSuchKey' || (statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket')) return undefined
        throw error
      }
    })
  }

  put(name: string, bytes: Uint8Array): Promise<void> {
    return this.#call(async ({ sdk, sender }, signal) => {
      await sender.send(new sdk.PutObjectCommand({ ...this.#at(name), Body: bytes }), this.#within(signal(bytes.length), bytes.length))
    })
  }

  remove(name: string): Promise<void> {
    return this.#call(async ({ sdk, client }, signal) => {
      await client.send(new sdk.DeleteObjectCommand(this.#at(name)), { abortSignal: signal() })
    })
  }

  beginUpload(name: string): Promise<string> {
    return this.#call(async ({ sdk, client }, signal) => {
      const { UploadId: upload } = await client.send(new sdk.CreateMultipartUploadCommand(this.#at(name)), { abortSignal: signal() })
      return upload ?? fail('it began an upload without a name')
    })
  }

  putPart(name: string, upload: string, number: number, bytes: Uint8Array): Promise<string> {
    return this.#call(async ({ sdk, sender }, signal) => {
      const part = { ...this.#at(name), UploadId: upload, PartNumber: number, Body: bytes }
      const { ETag: proof } = await sender.send(new sdk.UploadPartCommand(part), this.#within(signal(bytes.length), bytes.length))
      return proof ?? fail('it took a part and did not name it')
    })
  }

  completeUpload(name: string, upload: string, proofs: readonly string[]): Promise<void> {
    return this.#call(async ({ sdk, client }, signal) => {
      const parts = { MultipartUpload: { Parts: proofs.map((ETag, n) => ({ ETag, PartNumber: n + 1 })) } }
      await client.send(new sdk.CompleteMultipartUploadCommand({ ...this.#at(name), UploadId: upload, ...parts }), {
        abortSignal: signal(),
      })
    })
  }

  abandonUpload(name: string, upload: string): Promise<void> {
    return this.#call(async ({ sdk, client }, signal) => {
      await client.send(new sdk.AbortMultipartUploadCommand({ ...this.#at(name), UploadId: upload }), { abortSignal: signal() })
    })
  }

  dispose(): void {
    this.#stop.abort()
    void this.#loaded
      ?.then(({ client, sender }) => {
        client.destroy()
        sender.destroy()
      })
      .catch(() => {})
  }

  #at(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#access.bucket, Key: this.#access.prefix + name }
  }

  #wholeMs(bytes: number): number {
    return this.#limits.wholeMs + Math.ceil((bytes / SLOWEST) * 1000)
  }

  #within(abortSignal: AbortSignal, bytes: number): { readonly abortSignal: AbortSignal; readonly requestTimeout: number } {
    return { abortSignal, requestTimeout: this.#wholeMs(bytes) }
  }

  async #call<T>(work: (loaded: Loaded, signal: (bytes?: number) => AbortSignal) => Promise<T>): Promise<T> {
    const signal = (bytes = 0) => AbortSignal.any([this.#stop.signal, AbortSignal.timeout(this.#wholeMs(bytes))])
    try {
      return await work(await (this.#loaded ??= this.#load()), signal)
    } catch (error) {
      throw this.#told(error)
    }
  }

  async #load(): Promise<Loaded> {
    const sdk = await import('./s3-sdk.ts')
    const { endpoint, region, accessKeyId, secretAccessKey } = this.#access
    const { idleMs, sendIdleMs, attempts } = this.#limits
    const clientOf = (socketTimeout: number) =>
      new sdk.S3Client({
        endpoint,
        region,
        credentials: { accessKeyId, secretAccessKey },
        forcePathStyle: true,
        followRegionRedirects: false,
        requestChecksumCalculation: 'WHEN_REQUIRED',
        responseChecksumValidation: 'WHEN_REQUIRED',
        maxAttempts: attempts,
        requestHandler: {
          connectionTimeout: Math.min(idleMs, 10_000),
          socketTimeout,
          requestTimeout: this.#limits.wholeMs, // until the answer begins; the bytes of the request are under way in it
          throwOnRequestTimeout: true,
        },
      })
    return { sdk, client: clientOf(idleMs), sender: clientOf(sendIdleMs) }
  }

  #told(cause: unknown): unknown {
    if (cause instanceof BucketError || cause instanceof TypeError || cause instanceof ReferenceError) return cause // the latter are bugs
    const { bucket, endpoint } = this.#access
    const [status, name] = [statusOf(cause), nameOf(cause)]
    const where = `bucket ${bucket} at ${endpoint}`
    const error = (code: ConstructorParameters<typeof BucketError>[0], text: string) => new BucketError(code, `${where} ${text}`, { cause })
    if (name === 'NoSuchUpload' || name === 'InvalidPart' || name === 'InvalidPartOrder' || name === 'EntityTooSmall')
      return error('bucket/upload-gone', 'does not have an upload as it was sent; it begins anew')
    if (name === 'NoSuchBucket' || status === 404) return error('bucket/not-found', 'does not exist; create it, or look at its name')
    if (status === 401 || status === 403) return error('bucket/refused', `refused (${name}): look at its keys and what they may do`)
    if (status === 429 || (status !== undefined && status >= 500)) return error('bucket/failed', `failed (${status}); it is tried again`)
    if (status !== undefined && status >= 300)
      return error('bucket/nonsense', `answered ${status} (${name}); is it a bucket, and the region right?`)
    if (status !== undefined) return error('bucket/nonsense', `sent an answer that cannot be read (${name})`)
    return error('bucket/unreachable', 'does not answer; it is tried again')
  }
}

/** No more than was asked for; whoever sends more does not know ranges, or lies. */
async function readAtMost(body: AsyncIterable<Uint8Array>, length: number, signal: AbortSignal): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  let at = 0
  for await (const part of body) {
    signal.throwIfAborted()
    if (at + part.length > length) throw nonsense('it sent more than was asked for')
    bytes.set(part, at)
    at += part.length
  }
  return bytes.subarray(0, at)
}

function statusOf(error: unknown): number | undefined {
  const { $metadata: metadata, $response: response } = (error ?? {}) as {
    readonly $metadata?: { readonly httpStatusCode?: number }
    readonly $response?: { readonly statusCode?: number }
  }
  return metadata?.httpStatusCode ?? response?.statusCode
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '')
const nonsense = (why: string) => new BucketError('bucket/nonsense', `the bucket sent an answer that cannot be used: ${why}`)
const fail = (why: string): never => {
  throw nonsense(why)
}
