import { beforeEach, describe, expect, it } from 'vitest'
import { type Logger, silentLogger } from '../base/logger.ts'
import { toBase58 } from '../base/base58.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import type { PersonId } from '../base/ids.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemoryVaultStore } from './memory-vault-store.ts'
import { DatasetKeys } from './dataset-keys.ts'
import { DeviceKeys } from './device-keys.ts'
import { DeviceList } from './device-list.ts'
import { DeviceListCopy } from './device-list-copy.ts'

const crypto = new SodiumCrypto()

describe('DeviceListCopy', () => {
  const clock = new ManualClock()
  const root = crypto.signingKey(crypto.bytes(32))
  const person = toBase58(root.publicKey) as PersonId
  const keys = DeviceKeys.create(crypto, person)
  const server = DeviceKeys.create(crypto, person)
  const introduce = (of: DeviceKeys, name: string) => ({ device: of.device, boxKey: of.box.publicKey, name, platform: 'linux' })
  const openList = () => DeviceList.open({ crypto, clock, person, store: new MemoryKeyValueStore() })
  let store: MemoryVaultStore
  let list: DeviceList

  beforeEach(async () => {
    store = new MemoryVaultStore()
    list = openList()
    list.found(introduce(keys, 'laptop'), root)
    await new DeviceListCopy(store, keys).follow(list)
    list.add(introduce(server, 'server'), keys.signer)
    await new Promise((resolve) => setImmediate(resolve))
  })

  it('[ID25] a device whose store is lost knows its peers again, also those added last', async () => {
    const lost = openList()
    expect(lost.isMember(keys.device)).toBe(false)
    await new DeviceListCopy(store, keys).follow(lost)
    expect(lost.encode()).toEqual(list.encode())
  })

  it('[ID25] says nothing to whoever reads the file', () => {
    const file = Buffer.from(store.files.get('devices') as Uint8Array).toString('latin1')
    for (const name of ['laptop', 'server', person]) expect(file).not.toContain(name)
  })

  it('[ID25] a damaged copy, and one of another person, is left out and written anew', async () => {
    const other = keys.adopt(toBase58(crypto.bytes(32)) as PersonId, DatasetKeys.create(crypto))
    const otherList = DeviceList.open({ crypto, clock, person: other.person, store: new MemoryKeyValueStore() })
    await new DeviceListCopy(store, other).follow(otherList)
    expect(otherList.members).toHaveLength(0)
    store.files.set('devices', new Uint8Array(99))
    await new DeviceListCopy(store, keys).follow(list)
    const lost = openList()
    await new DeviceListCopy(store, keys).follow(lost)
    expect(lost.members).toHaveLength(2)
  })

  it('[ID25] a device that joins another person leaves no copy behind that would look damaged', async () => {
    const warnings: string[] = []
    const logger: Logger = { ...silentLogger, warn: (message) => warnings.push(message) }
    const other = keys.adopt(toBase58(crypto.bytes(32)) as PersonId, DatasetKeys.create(crypto))
    const otherList = () => DeviceList.open({ crypto, clock, person: other.person, store: new MemoryKeyValueStore() })
    await new DeviceListCopy(store, other, logger).follow(otherList())
    expect(warnings).toEqual(['the kept copy of the device list cannot be read'])
    await new DeviceListCopy(store, keys, logger).follow(list)
    warnings.length = 0
    await DeviceListCopy.forget(store, logger)
    await new DeviceListCopy(store, other, logger).follow(otherList())
    expect(warnings).toEqual([])
  })

  it('[ID25] a full disk stops nothing, and the next change is kept', async () => {
    store.failWith = new Error('no space left on device')
    list.rename(server.device, 'attic', keys.signer)
    await new Promise((resolve) => setImmediate(resolve))
    store.failWith = undefined
    list.rename(server.device, 'cellar', keys.signer)
    await new Promise((resolve) => setImmediate(resolve))
    const lost = openList()
    await new DeviceListCopy(store, keys).follow(lost)
    expect(lost.devices.get(server.device)?.name).toBe('cellar')
  })
})
