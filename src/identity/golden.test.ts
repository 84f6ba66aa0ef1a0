import { describe, expect, it } from 'vitest'
import { fromHex, toHex, utf8 } from '../base/bytes.ts'
import { silentLogger } from '../base/logger.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import type { DeviceId, PersonId } from '../base/ids.ts'
import { SodiumCrypto } from '../platform/node/sodium-crypto.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { introductionOf, type PairingRecording, ReplayedSide } from '../testkit/pairing-recording.ts'
import { DatasetKeys } from './dataset-keys.ts'
import { DeviceKeys } from './device-keys.ts'
import { DeviceList } from './device-list.ts'
import formats from './golden/formats-v1.json' with { type: 'json' }
import passkey from './golden/passkey-v1.json' with { type: 'json' }
import kit from './golden/recovery-kit-v1.json' with { type: 'json' }
import kitWithBucket from './golden/recovery-kit-v2.json' with { type: 'json' }
import kitWithDatasets from './golden/recovery-kit-v3.json' with { type: 'json' }
import recorded from './golden/pairing-v1.json' with { type: 'json' }
import { safetyWords } from './safety-words.ts'
import { openRecoveryKit } from './recovery/recovery-kit.ts'
import { readRecoveryWords } from './recovery/recovery-words.ts'
import { decodeSeatClaim } from './seat-claim.ts'
import { VaultPasskey } from './vault-passkey.ts'
import { MemoryVaultStore } from './memory-vault-store.ts'

/*
 * What version 1 wrote and said stays readable (style guide R24). These files are never changed; a new format gets new ones.
 */

const crypto = new SodiumCrypto()
const recording: PairingRecording = recorded

describe('formats of version 1', () => {
  it('[ID20] a device list with a founding, adds, a rename and a removal', () => {
    const person = formats.person as PersonId
    const list = DeviceList.open({ crypto, clock: new ManualClock(), person, store: new MemoryKeyValueStore() })
    list.merge(fromHex(formats.list))
    expect([...list.devices.values()].map((record) => ({ ...record, boxKey: toHex(record.boxKey) }))).toEqual(formats.devices)
    expect(toHex(list.encode())).toBe(formats.list)
  })

  it.each([
    { format: 1, kit },
    { format: 2, kit: kitWithBucket },
    { format: 3, kit: kitWithDatasets },
  ])('[ID158] a recovery kit of format $format, by its words', async ({ kit }) => {
    const opened = await openRecoveryKit(utf8(kit.file), readRecoveryWords(crypto, kit.words.join(' ')))
    const { personSeed, datasetKeys, deviceList, ...rest } = opened
    const plain = { ...rest, personSeed: toHex(personSeed), datasetKeys: toHex(datasetKeys), deviceList: toHex(deviceList) }
    expect(plain).toEqual({ buckets: [], datasets: '', ...kit.kit })
  })

  it('[ID29] a passkey, by the answer of its authenticator', async () => {
    const store = new MemoryVaultStore()
    await store.write('passkey', utf8(JSON.stringify(passkey.file)))
    const slot = await VaultPasskey.load(crypto, store, silentLogger)
    const locks = slot.open(passkey.device as DeviceId, crypto.secret(fromHex(passkey.answer)))
    expect([locks?.device, locks?.person].map((lock) => lock && toHex(lock.bytes))).toEqual([passkey.deviceLock, passkey.personLock])
  })

  it('[ID35] a seat claim', () => {
    const { bytes, ...said } = formats.claim
    expect(decodeSeatClaim(crypto, fromHex(bytes))).toMatchObject(said)
  })

  it('[ID12] keys after a removal: two of one epoch, the one in use last', () => {
    const { bytes, epoch, current, rendezvousSecret, sealed } = formats.epochKeys
    const keys = DatasetKeys.decode(crypto, fromHex(bytes))
    expect([keys.epoch, keys.current, toHex(keys.rendezvousSecret)]).toEqual([epoch, current, rendezvousSecret])
    expect(keys.open(epoch, fromHex(sealed), 'c')).toEqual(new TextEncoder().encode('golden'))
    expect(toHex(keys.encode())).toBe(bytes)
  })

  it("[ID12] a dataset's keys", () => {
    const keys = DatasetKeys.decode(crypto, fromHex(formats.datasetKeys.bytes))
    expect([keys.epoch, toHex(keys.rendezvousSecret)]).toEqual([formats.datasetKeys.epoch, formats.datasetKeys.rendezvousSecret])
  })

  it('[ID110] device keys, without a wallet and with one', () => {
    const hex = (byte: string) => byte.repeat(32)
    const seeds = `${hex('11').repeat(3)}${hex('22')}`
    const without = DeviceKeys.decode(crypto, fromHex(`01${seeds}${formats.datasetKeys.bytes}`))
    const written = `02${seeds}${hex('33')}${formats.datasetKeys.bytes}`
    const keys = DeviceKeys.decode(crypto, fromHex(written))
    expect([without.wallet, without.device]).toEqual([undefined, keys.device])
    expect(keys.wallet?.address).toBe('2btLJAAb1S3x6hZYdVyAePjqtQYi2ZBSRGy4569RZu8h')
    expect([toHex(without.encode()).slice(0, 2), toHex(keys.encode())]).toEqual(['01', written])
  })

  it('[ID33] safety words', () => {
    expect(safetyWords(crypto, formats.safetyWords.keys.map(fromHex))).toEqual(formats.safetyWords.words)
  })
})

describe('a recorded pairing of version 1', () => {
  const replay = (role: 'offer' | 'join', heard: readonly string[]) => {
    const side = new ReplayedSide(recording, role)
    for (const message of heard) {
      if (side.run.phase === 'decide' && side.run.answer === undefined) side.input({ type: 'answer', accept: true })
      side.input({ type: 'message', bytes: fromHex(message) })
    }
    return side
  }

  it('[ID30] the offering side still understands what the joining one said, to the end', () => {
    const { run } = replay('offer', recording.join.sent)
    expect(run).toMatchObject({ phase: 'done', guess: 'right', peer: introductionOf(recording.join) })
  })

  it('[ID30] the joining side still understands what the offering one said, and adopts it', () => {
    const { run, adopted } = replay('join', recording.offer.sent)
    expect(run).toMatchObject({ phase: 'done', guess: 'right', peer: introductionOf(recording.offer) })
    expect(adopted).toHaveLength(1)
    expect(adopted[0]?.person).toBe(recording.grant.person)
    expect(toHex(adopted[0]?.datasetKeys as Uint8Array)).toBe(recording.grant.datasetKeys)
  })

  it('[ID30] says the same words up to what is sealed', () => {
    const offer = replay('offer', recording.join.sent)
    const join = replay('join', recording.offer.sent)
    expect(join.sent.slice(0, 2)).toEqual(recording.join.sent.slice(0, 2))
    expect(offer.sent.slice(0, 2)).toEqual(recording.offer.sent.slice(0, 2))
  })

  it('[ID32] to another secret, the same recording proves nothing', () => {
    const side = new ReplayedSide({ ...recording, secret: 'guitar-oboe' }, 'offer')
    for (const message of recording.join.sent) side.input({ type: 'message', bytes: fromHex(message) })
    expect(side.run).toMatchObject({ phase: 'failed', guess: 'wrong' })
  })
})
