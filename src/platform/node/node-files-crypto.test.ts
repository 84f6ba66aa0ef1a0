import { expect, it } from 'vitest'
import { NodeFilesCrypto } from './node-files-crypto.ts'

it('[FC8] what a long write leaves outside the heap is collected every 8 MiB, before V8 goes through all of the heap for it', () => {
  let collected = 0
  const crypto = new NodeFilesCrypto(() => collected++)
  const [key, nonce, plain] = [new Uint8Array(32).fill(1), new Uint8Array(12), new Uint8Array(128 * 1024)]
  for (let n = 0; n < 63; n++) crypto.encryptGcm(key, nonce, plain)
  expect(collected).toBe(0)
  for (let n = 63; n < 3 * 64; n++) crypto.encryptGcm(key, nonce, plain)
  expect(collected).toBe(3)
})
