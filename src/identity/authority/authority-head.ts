import { concatBytes, fromHex, utf8 } from '../../base/bytes.ts'
import type { Crypto } from '../crypto.ts'
import type { AuthorityState } from './authority-state.ts'

const HASH_BYTES = 32
const COUNT_BYTES = 8
/** A hash over the heads, then how many operations there are. */
export const AUTHORITY_HEAD_BYTES = HASH_BYTES + COUNT_BYTES

/**
 * What a log says, in 40 bytes that a device proves when it links: equal heads are equal logs (rule ID82). Zeros where there is
 * no log yet.
 */
export function headOf(crypto: Pick<Crypto, 'sha256'>, state: AuthorityState | undefined): Uint8Array {
  if (!state || state.count === 0) return new Uint8Array(AUTHORITY_HEAD_BYTES)
  const heads = [...state.heads.keys()].sort().map(fromHex)
  const count = new Uint8Array(COUNT_BYTES)
  new DataView(count.buffer).setBigUint64(0, BigInt(state.count))
  return concatBytes(crypto.sha256(concatBytes(utf8('elsewhere/authority-head/1\0'), ...heads)), count)
}

/** How many operations the device that proved this head holds; undefined: it has no log, or what it proved is no head. */
export function countOfHead(head: Uint8Array): number | undefined {
  if (head.length !== AUTHORITY_HEAD_BYTES) return undefined
  const count = new DataView(head.buffer, head.byteOffset + HASH_BYTES, COUNT_BYTES).getBigUint64(0)
  return count > 0n && count < 2n ** 40n ? Number(count) : undefined
}
