const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** By character code; -1 is no letter. */
const VALUES = new Int8Array(128).fill(-1)
for (let value = 0; value < ALPHABET.length; value++) VALUES[ALPHABET.charCodeAt(value)] = value
const FIVE_LETTERS = 58 ** 5

/** Longest text `fromBase58` reads: keys are 32 bytes (44 characters), signatures 64 (88). The work grows with the square. */
export const MAX_BASE58_LENGTH = 128

/** Bitcoin's base58, as Solana addresses use it. */
export function toBase58(bytes: Uint8Array): string {
  // Lowest first. Five letters and two bytes at a time: their products stay exact, and a key takes a tenth of the steps.
  const limbs: number[] = []
  for (let at = bytes.length % 2 === 0 ? 0 : -1; at < bytes.length; at += 2) {
    let carry = ((at < 0 ? 0 : (bytes[at] as number)) << 8) | (bytes[at + 1] as number)
    for (let i = 0; i < limbs.length; i++) {
      carry += (limbs[i] as number) * 0x1_0000
      const over = Math.floor(carry / FIVE_LETTERS)
      limbs[i] = carry - over * FIVE_LETTERS
      carry = over
    }
    if (carry > 0) limbs.push(carry)
  }
  let letters = ''
  for (let i = 0; i < limbs.length; i++) {
    let limb = limbs[i] as number
    for (let n = 0; n < 5 && (limb > 0 || i < limbs.length - 1); n++) {
      letters = (ALPHABET[limb % 58] as string) + letters
      limb = Math.floor(limb / 58)
    }
  }
  for (let i = 0; i < bytes.length && bytes[i] === 0; i++) letters = `1${letters}`
  return letters
}

/** @throws RangeError  too long, or a character outside the alphabet */
export function fromBase58(text: string): Uint8Array {
  if (text.length > MAX_BASE58_LENGTH) throw new RangeError(`base58 text is longer than ${MAX_BASE58_LENGTH} characters`)
  const limbs: number[] = [] // two bytes each, lowest first
  for (let at = 0; at < text.length; ) {
    let carry = 0
    let scale = 1
    for (; scale < FIVE_LETTERS && at < text.length; at++) {
      const value = VALUES[text.charCodeAt(at)] ?? -1
      if (value < 0) throw new RangeError('not base58')
      carry = carry * 58 + value
      scale *= 58
    }
    for (let i = 0; i < limbs.length; i++) {
      carry += (limbs[i] as number) * scale
      const over = Math.floor(carry / 0x1_0000)
      limbs[i] = carry - over * 0x1_0000
      carry = over
    }
    for (; carry > 0; carry = Math.floor(carry / 0x1_0000)) limbs.push(carry % 0x1_0000)
  }
  let zeros = 0
  while (zeros < text.length && text[zeros] === '1') zeros++
  const highest = limbs.at(-1) ?? 0
  const length = zeros + 2 * limbs.length - (limbs.length > 0 && highest < 0x100 ? 1 : 0)
  const bytes = new Uint8Array(length)
  for (let at = length - 1, i = 0; i < limbs.length; i++) {
    bytes[at--] = (limbs[i] as number) & 0xff
    if (at >= zeros) bytes[at--] = (limbs[i] as number) >> 8
  }
  return bytes
}
