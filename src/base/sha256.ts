import { sha256 as portable } from '@noble/hashes/sha2.js'
import { equalBytes, fromHex, utf8 } from './bytes.ts'

const OF_ABC = fromHex('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')

let current: (bytes: Uint8Array) => Uint8Array = portable

/** 32 bytes, in JavaScript until a host has offered its own. */
export const sha256 = (bytes: Uint8Array): Uint8Array => current(bytes)

/** Lets a host's faster SHA-256 do the work from now on: half the time for an envelope. @throws RangeError  it is none */
export function offerSha256(faster: (bytes: Uint8Array) => Uint8Array): void {
  if (!equalBytes(faster(utf8('abc')), OF_ABC)) throw new RangeError('what was offered does not give SHA-256')
  current = faster
}
