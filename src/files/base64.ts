/** Bytes per step: String.fromCharCode takes them as arguments, of which there may not be too many. A multiple of 3. */
const STEP = 0x6000

/** Usual base64, with padding. */
export function base64Of(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += STEP) text += btoa(String.fromCharCode(...bytes.subarray(at, at + STEP)))
  return text
}

/** @throws DOMException  not base64 */
export function bytesOfBase64(text: string): Uint8Array {
  const letters = atob(text)
  const bytes = new Uint8Array(letters.length)
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at)
  return bytes
}
