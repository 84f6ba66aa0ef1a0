import type { Handlers } from '../../rpc/contract.ts'
import type { DatasetHost } from '../dataset-host.ts'
import type { BucketAccess, bucketProcessContract } from './bucket-contract.ts'
import { BucketError } from './bucket-error.ts'
import type { ObjectStore } from './object-store.ts'

/** The files process's side of buckets. */
export function bucketHandlers(
  host: DatasetHost,
  parts: { readonly openBucket?: ((access: BucketAccess) => ObjectStore) | undefined },
): Handlers<typeof bucketProcessContract> {
  return {
    async tryBucket(access) {
      const objects = parts.openBucket?.(access)
      if (!objects) throw new BucketError('bucket/unreachable', 'this device does not reach buckets')
      try {
        await tryOut(objects, host.crypto.randomBytes(64))
      } finally {
        objects.dispose()
      }
      return {}
    },
    bucketStatus: ({ dataset }) => host.require(dataset).bucket.status ?? null,
    async syncBucket({ dataset }) {
      const { bucket } = host.require(dataset)
      await bucket.run()
      return bucket.status ?? null
    },
  }
}

/** Puts, lists, reads in part, removes. @throws BucketError */
async function tryOut(objects: ObjectStore, bytes: Uint8Array): Promise<void> {
  const name = `try-${[...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
  await objects.put(name, bytes)
  try {
    const listed = (await objects.list(name)).get(name)
    const part = await objects.get(name, 16, 32)
    const isSame = part?.length === 32 && part.every((byte, n) => byte === bytes[16 + n])
    if (listed !== bytes.length || !isSame)
      throw new BucketError('bucket/nonsense', 'the bucket does not give back what was put there: it is no S3 bucket that reads in parts')
  } finally {
    await objects.remove(name)
  }
}
