const LETTERS = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const PADDING = 0x3d

/**
 * Usual base64, with padding. By hand, and 10 ms a MiB: `btoa` wants a string first, and making that from bytes takes 150. Files go
 * through here in pieces of a MiB.
 */
export function base64Of(bytes: Uint8Array): string {
  const text = new Uint8Array(Math.ceil(bytes.length / 3) * 4)
  let at = 0
  for (let i = 0; i < bytes.length; i += 3) {
    const three = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    text[at++] = LETTERS[three >> 18] as number
    text[at++] = LETTERS[(three >> 12) & 63] as number
    text[at++] = LETTERS[(three >> 6) & 63] as number
    text[at++] = LETTERS[three & 63] as number
  }
  if (bytes.length % 3 > 0) text[at - 1] = PADDING
  if (bytes.length % 3 === 1) text[at - 2] = PADDING
  return new TextDecoder().decode(text)
}

/** @throws DOMException  not base64 */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  const letters = atob(text)
  const bytes = new Uint8Array(letters.length)
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at)
  return bytes
}
