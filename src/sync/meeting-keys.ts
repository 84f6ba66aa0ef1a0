import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, fromBase64Url, fromUtf8, toBase64Url, toHex, utf8 } from '../base/bytes.ts'
import type { RandomSource } from '../base/random.ts'

/*
 * Names and keys under which devices meet (SY63, SY64). All derive from the workspace's rendezvous secret and a period, so
 * neither a rendezvous nor a LAN can follow a person over time; pairing derives from the public meeting number only.
 */

export const DAY_MS = 24 * 3600 * 1000
export const HOUR_MS = 3600 * 1000
export const RENDEZVOUS_SECRET_BYTES = 32
const NONCE_BYTES = 12

/** Days whose topics a device is in: a clock that is a day off still meets the others. */
export const meetingDays = (nowMs: number): readonly number[] => [-1, 0, 1].map((offset) => Math.floor(nowMs / DAY_MS) + offset)

/** Hours whose LAN tags a device recognises. */
export const tagHours = (nowMs: number): readonly number[] => [-1, 0, 1].map((offset) => Math.floor(nowMs / HOUR_MS) + offset)

export interface MeetingKeys {
  /** 32 bytes in URL-safe base64. */
  readonly topic: string
  /** For sealing what goes through the rendezvous. */
  readonly key: Uint8Array
}

const derive = (secret: Uint8Array, what: string): Uint8Array => hkdf(sha256, secret, utf8('elsewhere/rendezvous/1'), utf8(what), 32)

export function workspaceMeeting(rendezvousSecret: Uint8Array, day: number): MeetingKeys {
  if (rendezvousSecret.length !== RENDEZVOUS_SECRET_BYTES) throw new RangeError('a rendezvous secret has 32 bytes')
  return { topic: toBase64Url(derive(rendezvousSecret, `topic/${day}`)), key: derive(rendezvousSecret, `key/${day}`) }
}

/** Public: whoever guesses the number can be there. CPace inside the connection decides. */
export function pairingMeeting(meetingNumber: string): MeetingKeys {
  const root = sha256(utf8(`elsewhere/pairing/1/${meetingNumber}`))
  return { topic: toBase64Url(derive(root, 'topic')), key: derive(root, 'key') }
}

/** What a device is called on a LAN in that hour: 16 hex digits, the same for all devices of one person. */
export const lanTag = (rendezvousSecret: Uint8Array, hour: number): string =>
  toHex(hmac(sha256, rendezvousSecret, utf8(`elsewhere/lan/1/${hour}`)).subarray(0, 8))

/** What a device that shows a pairing code is called on a LAN meanwhile. */
export const pairingLanTag = (meetingNumber: string): string =>
  toHex(sha256(utf8(`elsewhere/lan-pairing/1/${meetingNumber}`)).subarray(0, 8))

const importKey = (key: Uint8Array) => crypto.subtle.importKey('raw', new Uint8Array(key), 'AES-GCM', false, ['encrypt', 'decrypt'])

/** AES-256-GCM with a random nonce, bound to its topic; a few hundred messages a day and key. */
export class MeetingSeal {
  readonly #topic: Uint8Array<ArrayBuffer>
  readonly #key: ReturnType<typeof importKey>
  readonly #random: RandomSource

  constructor({ topic, key }: MeetingKeys, random: RandomSource) {
    this.#topic = new Uint8Array(utf8(topic))
    this.#random = random
    this.#key = importKey(key)
  }

  async seal(text: string): Promise<string> {
    const iv = new Uint8Array(this.#random.bytes(NONCE_BYTES))
    const options = { name: 'AES-GCM', iv, additionalData: this.#topic }
    const sealed = await crypto.subtle.encrypt(options, await this.#key, new Uint8Array(utf8(text)))
    return toBase64Url(concatBytes(iv, new Uint8Array(sealed)))
  }

  /** Undefined when it was not sealed under this key and topic. */
  async open(data: string): Promise<string | undefined> {
    try {
      const bytes = new Uint8Array(fromBase64Url(data))
      const options = { name: 'AES-GCM', iv: bytes.subarray(0, NONCE_BYTES), additionalData: this.#topic }
      return fromUtf8(new Uint8Array(await crypto.subtle.decrypt(options, await this.#key, bytes.subarray(NONCE_BYTES))))
    } catch {
      return undefined // somebody else's, or nobody's: a topic may be known to who was removed
    }
  }
}
