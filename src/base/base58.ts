const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const VALUE_OF = new Map([...ALPHABET].map((character, value) => [character, value]))

/** Longest text `fromBase58` reads: keys are 32 bytes (44 characters), signatures 64 (88). The work grows with the square. */
export const MAX_BASE58_LENGTH = 128

/** Bitcoin's base58, as Solana addresses use it. */
export function toBase58(bytes: Uint8Array): string {
  const digits: number[] = []
  for (const byte of bytes) {
    let carry = byte
    for (let i = 0; i < digits.length; i++) {
      carry += (digits[i] as number) << 8
      digits[i] = carry % 58
      carry = Math.floor(carry / 58)
    }
    for (; carry > 0; carry = Math.floor(carry / 58)) digits.push(carry % 58)
  }
  let text = ''
  for (let i = 0; i < bytes.length && bytes[i] === 0; i++) text += '1'
  for (const digit of digits.reverse()) text += ALPHABET[digit]
  return text
}

/** @throws RangeError  too long, or a character outside the alphabet */
export function fromBase58(text: string): Uint8Array {
  if (text.length > MAX_BASE58_LENGTH) throw new RangeError(`base58 text is longer than ${MAX_BASE58_LENGTH} characters`)
  const bytes: number[] = []
  for (const character of text) {
    const value = VALUE_OF.get(character)
    if (value === undefined) throw new RangeError('not base58')
    let carry = value
    for (let i = 0; i < bytes.length; i++) {
      carry += (bytes[i] as number) * 58
      bytes[i] = carry & 0xff
      carry >>= 8
    }
    for (; carry > 0; carry >>= 8) bytes.push(carry & 0xff)
  }
  for (let i = 0; i < text.length && text[i] === '1'; i++) bytes.push(0)
  return Uint8Array.from(bytes.reverse())
}
