import { concatBytes, toHex, utf8 } from '../base/bytes.ts'
import type { Crypto } from './crypto.ts'
import { WORD_BITS, WORDS } from './words.ts'

/** Words two people read to each other: 50 bits, more than can be ground out for a look-alike within one pairing. */
export const SAFETY_WORD_COUNT = 5

/**
 * Words that stand for public keys, in whatever order the keys are given: the same on two screens exactly when both mean
 * the same keys (rule ID33). For one device, its own key alone.
 */
export function safetyWords(crypto: Crypto, publicKeys: readonly Uint8Array[]): string[] {
  const sorted = [...publicKeys].sort((a, b) => (toHex(a) < toHex(b) ? -1 : 1))
  const digest = crypto.sha256(concatBytes(utf8('elsewhere/safety-words/1\0'), ...sorted))
  return wordsOf(digest, SAFETY_WORD_COUNT)
}

/** The first `count` words that `bytes` spell, ten bits each, most significant first. */
export function wordsOf(bytes: Uint8Array, count: number): string[] {
  const words: string[] = []
  for (let i = 0; i < count; i++) {
    let index = 0
    for (let bit = i * WORD_BITS; bit < (i + 1) * WORD_BITS; bit++) {
      index = (index << 1) | (((bytes[bit >> 3] as number) >> (7 - (bit & 7))) & 1)
    }
    words.push(WORDS[index] as string)
  }
  return words
}
