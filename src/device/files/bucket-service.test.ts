import { expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { DomainError } from '../../base/errors.ts'
import { silentLogger } from '../../base/logger.ts'
import type { BucketAccess } from '../../files/bucket/bucket-contract.ts'
import { BucketError } from '../../files/bucket/bucket-error.ts'
import { DeviceKeys } from '../../identity/device-keys.ts'
import { MemoryVaultStore } from '../../identity/memory-vault-store.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { BucketService, type BucketServiceOptions } from './bucket-service.ts'

const ACCESS: BucketAccess = {
  ...{ endpoint: 'https://s3.example.org', region: 'eu', bucket: 'copies', prefix: 'a/' },
  ...{ accessKeyId: 'key-of-ada', secretAccessKey: 'a-kept-secret' },
}
const PLACE = { endpoint: ACCESS.endpoint, region: 'eu', bucket: 'copies', prefix: 'a/' }

class Closed extends DomainError<'device/locked'> {
  readonly code = 'device/locked'
}

/** A device and what its files process answers. */
const crypto = new SodiumCrypto()

function serviceWith(vaultStore = new MemoryVaultStore()) {
  const keys = DeviceKeys.create(crypto, 'ada' as never)
  const device = { isOpen: true, reopened: 0, tried: [] as BucketAccess[], refuses: false, asked: [] as string[] }
  const client = {
    tryBucket: async (access: BucketAccess) => {
      device.tried.push(access)
      if (device.refuses) throw new BucketError('bucket/refused', 'for this test')
      return {}
    },
    listDatasets: async () => [{ dataset: 'd1', name: 'Home' }],
    bucketStatus: async ({ dataset }: { dataset: string }) => {
      device.asked.push(`status ${dataset}`)
      return null
    },
    syncBucket: async ({ dataset }: { dataset: string }) => {
      device.asked.push(`sync ${dataset}`)
      return null
    },
  }
  const options = {
    vault: { keys },
    vaultStore,
    local: { client: async () => client },
    log: silentLogger,
    requireOpen: () => {
      if (!device.isOpen) throw new Closed('locked')
    },
    reopen: async () => void device.reopened++,
  } as unknown as BucketServiceOptions
  const service = new BucketService(options)
  return { service, handlers: service.handlers() as Handlers, device, keys, vaultStore }
}

type Handlers = Record<'addBucket' | 'listBuckets' | 'syncBuckets' | 'removeBucket', (input: unknown) => Promise<unknown>>

it('[DV78] a bucket is kept when it was tried, sealed, and the files are opened with it; a second one is refused', async () => {
  const { service, handlers, device, vaultStore } = serviceWith()
  device.refuses = true
  await expect(handlers.addBucket(ACCESS)).rejects.toMatchObject({ code: 'bucket/refused' })
  expect([vaultStore.files.size, device.reopened, await service.access()]).toEqual([0, 0, undefined])
  device.refuses = false
  expect(await handlers.addBucket(ACCESS)).toEqual({})
  expect([device.reopened, await service.access()]).toEqual([1, ACCESS])
  const kept = Buffer.from(vaultStore.files.get('buckets') ?? []).toString('latin1')
  for (const told of ['s3.example', 'copies', 'key-of-ada', 'a-kept-secret']) expect(kept.includes(told)).toBe(false)
  await expect(handlers.addBucket({ ...ACCESS, bucket: 'others' })).rejects.toMatchObject({
    code: 'bucket/exists',
    message: expect.stringContaining('copies at https://s3.example.org'),
  })
  expect([device.tried.length, device.reopened, await service.access()]).toEqual([2, 1, ACCESS])
})

it('[DV78] no display is told what opens it; of each dataset it says how far it is, or looks first', async () => {
  const { handlers, device } = serviceWith()
  expect(await handlers.listBuckets({})).toEqual([])
  await expect(handlers.syncBuckets({})).rejects.toMatchObject({ code: 'bucket/unknown' })
  await handlers.addBucket(ACCESS)
  const shown = [{ ...PLACE, dataset: 'd1', datasetName: 'Home', status: null }]
  expect([await handlers.listBuckets({}), await handlers.syncBuckets({})]).toEqual([shown, shown])
  expect(device.asked).toEqual(['status d1', 'sync d1'])
})

it('[DV78] a bucket that is removed is forgotten and the files are opened without it; without one that is refused', async () => {
  const { service, handlers, device, vaultStore } = serviceWith()
  await expect(handlers.removeBucket({})).rejects.toMatchObject({ code: 'bucket/unknown' })
  await handlers.addBucket(ACCESS)
  expect(await handlers.removeBucket({})).toEqual({})
  expect([vaultStore.files.size, device.reopened, await service.access()]).toEqual([0, 2, undefined])
})

it('[DV78] while the device is locked nothing is told or changed', async () => {
  const { handlers, device, vaultStore } = serviceWith()
  await handlers.addBucket(ACCESS)
  device.isOpen = false
  for (const name of ['addBucket', 'listBuckets', 'syncBuckets', 'removeBucket'] as const)
    await expect((async () => handlers[name](ACCESS))(), name).rejects.toMatchObject({ code: 'device/locked' })
  expect([vaultStore.files.size, device.reopened, device.tried.length]).toEqual([1, 1, 1])
})

it('[DV78] what cannot be opened, of another device or damaged, is no bucket, and another one can be added', async () => {
  const { vaultStore, handlers: others } = serviceWith()
  await others.addBucket(ACCESS)
  const { service, handlers } = serviceWith(vaultStore)
  expect(await service.access()).toBe(undefined)
  vaultStore.files.set('buckets', utf8('{}'))
  expect([await service.access(), await handlers.listBuckets({})]).toEqual([undefined, []])
  await handlers.addBucket({ ...ACCESS, bucket: 'another' })
  expect((await service.access())?.bucket).toBe('another')
})

it('[DV78] a device that has not been opened yet is given one by a recovery kit', async () => {
  const { service, keys, vaultStore } = serviceWith()
  await BucketService.put(vaultStore, keys, ACCESS)
  expect(await service.access()).toEqual(ACCESS)
})
