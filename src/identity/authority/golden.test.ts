import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../base/bytes.ts'
import type { PersonId } from '../../base/ids.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import golden from '../golden/authority-v1.json' with { type: 'json' }
import { foldAuthority } from './fold-authority.ts'
import { decodeOperation, genesisIdOf } from './operation-codec.ts'
import { decodeState, encodeState } from './state-codec.ts'

const crypto = new SodiumCrypto()

describe('the authority log of version 1', () => {
  it('[ID53] every kind of operation still reads, under the id it had', () => {
    const read = golden.operations.map(({ bytes }) => decodeOperation(crypto, fromHex(bytes)))
    expect(read.map(({ id, body }) => ({ id, kind: body.kind }))).toEqual(golden.operations.map(({ id, kind }) => ({ id, kind })))
    expect(read[0]?.id).toBe(genesisIdOf(crypto, golden.person as PersonId))
  })

  it('[ID54] and folds to the state that was kept as a checkpoint', () => {
    const operations = golden.operations.map(({ bytes }) => decodeOperation(crypto, fromHex(bytes)))
    const { state, voided } = foldAuthority(golden.person as PersonId, operations.toReversed())
    expect(Object.fromEntries(voided)).toEqual(golden.voided)
    expect(toHex(encodeState(state))).toBe(golden.state)
    expect(decodeState(fromHex(golden.state))).toEqual(state)
  })
})
