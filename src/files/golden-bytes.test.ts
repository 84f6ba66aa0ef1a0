import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { fromHex, toHex } from '../base/bytes.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'
import { testSegmentSigner } from '../testkit/file-device.ts'
import { testDatasetKeys } from '../testkit/file-parts.ts'
import { openReceipt, signReceipt } from './receipt.ts'

const golden = (name: string) => readFileSync(new URL(`golden/${name}`, import.meta.url), 'utf8').trim()

it.each([
  [1, {}],
  [2, { missing: [0, 7, 999] }],
  [3, { missing: [3], generation: 5, departures: 2, order: 1 }],
] as const)('[RP1] a receipt of version %i, written long ago, is read as it was written, and is written so today', (version, terms) => {
  const signer = testSegmentSigner(1)
  const { dataset } = testDatasetKeys()
  const segment = '5'.repeat(64)
  const bytes = fromHex(golden(`receipt-${version}.hex`))
  expect(openReceipt(new NodeFilesCrypto(), dataset, bytes)).toEqual({
    ...{ device: signer.device, segment, missing: [], generation: 0, departures: 0, order: 2 },
    ...terms,
  })
  // Ed25519 has no chance in it.
  expect(toHex(signReceipt(dataset, segment, signer, terms))).toBe(golden(`receipt-${version}.hex`))
  for (const at of [0, 40, 70, 110, 170, bytes.length - 1]) {
    const changed = bytes.slice()
    changed[at] = (changed[at] as number) ^ 1
    expect(() => openReceipt(new NodeFilesCrypto(), dataset, changed)).toThrow()
  }
})
