import type { RandomSource } from '../base/random.ts'
import { IdentityError } from './identity-error.ts'
import { wordsOf } from './safety-words.ts'
import { WORD_BITS, WORDS } from './words.ts'

/**
 * What one device shows and the other types: `4217-guitar-ozone`. The *number* is public and says where to meet. The
 * *secret* enters CPace and nothing else: no topic, hash, record or log (rule ID30).
 */
export interface PairingCode {
  /** Four digits. */
  readonly number: string
  /** Two words joined by `-`, or six digits. */
  readonly secret: string
}

const SECRET_WORDS = 2
/** A number below this range of 16 random bits is taken modulo 10,000 without favouring any. */
const FAIR_LIMIT = 60_000
const KNOWN_WORDS: ReadonlySet<string> = new Set(WORDS)

/** A fresh code: 20 bits of secret, one try. */
export function createPairingCode(random: RandomSource): PairingCode {
  let number: number
  do {
    const [high, low] = random.bytes(2) as unknown as [number, number]
    number = (high << 8) | low
  } while (number >= FAIR_LIMIT)
  const secret = wordsOf(random.bytes(Math.ceil((SECRET_WORDS * WORD_BITS) / 8)), SECRET_WORDS).join('-')
  return { number: String(number % 10_000).padStart(4, '0'), secret }
}

export const formatPairingCode = ({ number, secret }: PairingCode): string => `${number}-${secret}`

/**
 * Reads what a person typed: any case, blanks or dashes between the parts. A slip that is no code at all is told at once
 * and costs no try. @throws IdentityError `pairing/bad-code`
 */
export function parsePairingCode(typed: string): PairingCode {
  const parts = typed
    .trim()
    .toLowerCase()
    .split(/[\s\-–—_.,]+/)
  const [number, ...secret] = parts.length === 1 ? splitDigits(parts[0] as string) : parts
  if (!number || !/^\d{4}$/.test(number)) throw badCode('it starts with four digits')
  if (secret.length === 1 && /^\d{6}$/.test(secret[0] as string)) return { number, secret: secret[0] as string }
  if (secret.length !== SECRET_WORDS) throw badCode('after the four digits come two words, or six digits')
  const unknown = secret.find((word) => !KNOWN_WORDS.has(word))
  if (unknown !== undefined) throw badCode(`"${unknown.slice(0, 20)}" is none of the words that codes are made of`)
  return { number, secret: secret.join('-') }
}

/** Ten digits typed in one go. */
const splitDigits = (text: string): string[] => (/^\d{10}$/.test(text) ? [text.slice(0, 4), text.slice(4)] : [text])

const badCode = (why: string) =>
  new IdentityError('pairing/bad-code', `this is not a pairing code: ${why}, as in 4217-guitar-oasis; look at the other screen again`)
