/** How well a passphrase would stand a patient guesser, in words a person can act on. */
export interface PassphraseStrength {
  readonly level: 'none' | 'weak' | 'fair' | 'good'
  readonly hint: string
}

/** The device refuses what is shorter (vault/weak-passphrase says so too). */
export const SHORTEST_PASSPHRASE = 8

const COMMON = ['password', 'passwort', 'qwerty', 'letmein', 'iloveyou', 'elsewhere', 'welcome', 'admin', 'dragon', 'monkey']

/**
 * A rough, honest estimate: bits by length and kinds of characters, less for runs, repeats and common words. It only
 * advises; nothing is sent anywhere.
 *
 * @param personal  name and device name: not to be counted on
 */
export function passphraseStrength(text: string, personal: readonly string[] = []): PassphraseStrength {
  if (text === '') return { level: 'none', hint: 'Four or more unrelated words are easy to keep and hard to guess.' }
  if (text.length < SHORTEST_PASSPHRASE) return { level: 'weak', hint: `At least ${SHORTEST_PASSPHRASE} characters.` }
  const lower = text.toLowerCase()
  const known = [...COMMON, ...personal.map((word) => word.toLowerCase()).filter((word) => word.length > 2)]
  const leaning = known.find((word) => lower.includes(word))
  const bits = effectiveLength(lower.replaceAll(leaning ?? '\0', '')) * bitsPerCharacter(text)
  if (bits < 40)
    return { level: 'weak', hint: leaning ? `Too easy to guess: it leans on “${leaning}”.` : 'Easy to guess: add a word or two.' }
  if (bits < 64) return { level: 'fair', hint: 'Fair. One more word makes it strong.' }
  return { level: 'good', hint: 'Strong.' }
}

/** Characters that are neither a repeat of nor a neighbour to the one before. */
function effectiveLength(text: string): number {
  let length = 0
  for (let i = 0; i < text.length; i++) {
    const step = i === 0 ? 99 : Math.abs(text.charCodeAt(i) - text.charCodeAt(i - 1))
    length += step <= 1 ? 0.25 : 1
  }
  return length * Math.min(1, new Set(text).size / 5)
}

/** Words of small letters carry about 2.3 bits a letter, mixed characters more. */
function bitsPerCharacter(text: string): number {
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^A-Za-z0-9\s]/].filter((kind) => kind.test(text)).length
  return [2.3, 2.3, 3.2, 4, 4.6][kinds] ?? 2.3
}
