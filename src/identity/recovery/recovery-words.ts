import { concatBytes, utf8 } from '../../base/bytes.ts'
import type { Crypto } from '../crypto.ts'
import { IdentityError } from '../identity-error.ts'
import { wordsOf } from '../safety-words.ts'
import { WORD_BITS, WORDS } from '../words.ts'

/** Thirteen random words are 130 bits, out of reach of any guessing; the fourteenth tells a slip of the pen from wrong words. */
const RANDOM_WORDS = 13
export const RECOVERY_WORD_COUNT = RANDOM_WORDS + 1
/** No two words begin alike in so many letters, so that many are enough. */
const TELLING_LETTERS = 4

/** Fresh words for one kit (rule ID157). They are shown once and lie nowhere. */
export function createRecoveryWords(crypto: Pick<Crypto, 'bytes' | 'sha256'>): string[] {
  const words = wordsOf(crypto.bytes(Math.ceil((RANDOM_WORDS * WORD_BITS) / 8)), RANDOM_WORDS)
  return [...words, checkWord(crypto, words)]
}

/**
 * What a person typed from the page, as the passphrase of the age file: any case, numbers, blanks, commas or lines between
 * the words, each cut to its first four letters if they like.
 *
 * @throws IdentityError `recovery/bad-words`  a slip: no such word, too few, or two changed places
 */
export function readRecoveryWords(crypto: Pick<Crypto, 'sha256'>, typed: string): string {
  const given = typed
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((part) => part !== '')
  const words = given.map((part, index) => {
    const word = WORDS.find((known) => known === part) ?? WORDS.find((known) => isCutTo(known, part))
    if (!word) throw badWords(`word ${index + 1}, "${part.slice(0, 20)}", is none of the words that kits are made of`)
    return word
  })
  if (words.length !== RECOVERY_WORD_COUNT) throw badWords(`there are ${RECOVERY_WORD_COUNT} of them, you gave ${words.length}`)
  if (words.at(-1) !== checkWord(crypto, words.slice(0, RANDOM_WORDS))) throw badWords('one of them is wrong, or two have changed places')
  return words.join('-')
}

const isCutTo = (word: string, part: string): boolean => part.length >= TELLING_LETTERS && word.startsWith(part)

function checkWord(crypto: Pick<Crypto, 'sha256'>, words: readonly string[]): string {
  return wordsOf(crypto.sha256(concatBytes(utf8('elsewhere/recovery-words/1\0'), utf8(words.join('-')))), 1)[0] as string
}

const badWords = (why: string) =>
  new IdentityError('recovery/bad-words', `these are not the words of a recovery kit: ${why}; look at the page again`)
