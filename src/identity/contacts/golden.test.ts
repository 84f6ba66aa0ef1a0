import { describe, expect, it } from 'vitest'
import { fromHex, toHex } from '../../base/bytes.ts'
import type { PersonId } from '../../base/ids.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { foldAuthority } from '../authority/fold-authority.ts'
import { decodeOperation } from '../authority/operation-codec.ts'
import { decodeState, encodeState } from '../authority/state-codec.ts'
import golden from '../golden/contacts-v1.json' with { type: 'json' }
import { decodeContactCard, encodeContactCard } from './contact-card.ts'

const crypto = new SodiumCrypto()

describe('contacts of version 1', () => {
  it('[ID53] their operations still read, under the ids they had, and fold to the state that was kept', () => {
    const read = golden.operations.map(({ bytes }) => decodeOperation(crypto, fromHex(bytes)))
    expect(read.map(({ id, body }) => ({ id, kind: body.kind }))).toEqual(golden.operations.map(({ id, kind }) => ({ id, kind })))
    const { state, voided } = foldAuthority(golden.person as PersonId, read.toReversed())
    expect(voided.size).toBe(0)
    expect(toHex(encodeState(state))).toBe(golden.state)
    expect(decodeState(fromHex(golden.state))).toEqual(state)
    expect([state.contacts.size, state.grants.size]).toEqual([1, 0])
  })

  it('[ID151] a card still reads, and is written the same way', () => {
    const { bytes, meeting, ...rest } = golden.card
    const card = { ...rest, meeting: fromHex(meeting) }
    expect(decodeContactCard(fromHex(bytes))).toEqual(card)
    expect(toHex(encodeContactCard(card))).toBe(bytes)
  })
})
