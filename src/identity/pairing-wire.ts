import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import { fromBase58, toBase58 } from '../base/base58.ts'
import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { DeviceId, PersonId } from '../base/ids.ts'
import { SHARE_BYTES } from './cpace.ts'
import { KEY_BYTES, SIGNATURE_BYTES } from './crypto.ts'
import { MAX_CARD_PLACE_LETTERS, MAX_CARD_PLACES } from './contacts/contact-card.ts'
import type { DeviceIntroduction } from './device-list.ts'
import { MAX_OPERATION_LIST_BYTES } from './authority/operation-list.ts'
import { hasControlCharacter, MAX_NAME_LENGTH } from './device-statement.ts'
import { IdentityError } from './identity-error.ts'

/** First byte of a hello; another one ends pairing with `pairing/version` on both sides. */
export const PAIRING_VERSION = 1
export const NONCE_BYTES = 16
export const COMMITMENT_BYTES = 32
export const PROOF_BYTES = 32
const MAX_DATASET_KEYS_BYTES = 12 * 1024

/** What each side shows of itself once the code has proved right. */
export interface PairingIntroduction extends DeviceIntroduction {
  /** Name of the person whose devices these are (offer), or of the one made on the joining device. */
  readonly personName: string
  /** Whose device it is, where two persons become contacts; absent where a device is added. */
  readonly person?: PersonId
}

/** What each of two persons gives the other who become contacts: the log that shows their devices, and where these can be met. */
export interface ContactOffer {
  /** The authority log in one piece. */
  readonly log: Uint8Array
  /** URLs of rendezvous. */
  readonly places: readonly string[]
}

/** What the joining device takes over. `datasetKeys` is secret: it travels under the pairing's key only. */
export interface PairingGrant {
  readonly person: PersonId
  readonly personName: string
  readonly deviceList: Uint8Array
  readonly datasetKeys: Uint8Array
}

/** Reasons one side may tell the other; anything else is `pairing/interrupted`. */
export const ABORT_CODES = [
  'pairing/interrupted',
  'pairing/wrong-code',
  'pairing/declined',
  'pairing/cancelled',
  'pairing/timeout',
  'pairing/version',
  'pairing/malformed',
  'pairing/refused',
  'pairing/too-many-tries',
] as const
export type AbortCode = (typeof ABORT_CODES)[number]

/** In the clear: nothing in it says who is speaking. `commitment` binds the introduction that follows under the key. */
export type PairingMessage =
  | { readonly kind: 'join-hello'; readonly version: number; readonly nonce: Uint8Array; readonly commitment: Uint8Array }
  | { readonly kind: 'offer-hello'; readonly nonce: Uint8Array; readonly commitment: Uint8Array; readonly share: Uint8Array }
  | { readonly kind: 'join-proof'; readonly share: Uint8Array; readonly proof: Uint8Array }
  | { readonly kind: 'offer-proof'; readonly proof: Uint8Array }
  | { readonly kind: 'sealed'; readonly bytes: Uint8Array }
  | { readonly kind: 'abort'; readonly code: AbortCode }

/** Under the pairing's key, one numbered stream each way. */
export type SealedMessage =
  | { readonly kind: 'introduce'; readonly blind: Uint8Array; readonly introduction: Uint8Array; readonly signature: Uint8Array }
  | { readonly kind: 'answer'; readonly accept: boolean }
  | { readonly kind: 'grant'; readonly grant: PairingGrant }
  | { readonly kind: 'done' }
  | { readonly kind: 'card'; readonly offer: ContactOffer }

const KINDS = ['join-hello', 'offer-hello', 'join-proof', 'offer-proof', 'sealed', 'abort'] as const
const SEALED_KINDS = ['introduce', 'answer', 'grant', 'done', 'card'] as const

export function encodePairingMessage(message: PairingMessage): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeUint8(encoder, KINDS.indexOf(message.kind))
    switch (message.kind) {
      case 'join-hello':
        encoding.writeUint8(encoder, message.version)
        encoding.writeUint8Array(encoder, message.nonce)
        return encoding.writeUint8Array(encoder, message.commitment)
      case 'offer-hello':
        encoding.writeUint8Array(encoder, message.nonce)
        encoding.writeUint8Array(encoder, message.commitment)
        return encoding.writeUint8Array(encoder, message.share)
      case 'join-proof':
        encoding.writeUint8Array(encoder, message.share)
        return encoding.writeUint8Array(encoder, message.proof)
      case 'offer-proof':
        return encoding.writeUint8Array(encoder, message.proof)
      case 'sealed':
        return encoding.writeUint8Array(encoder, message.bytes)
      case 'abort':
        return encoding.writeUint8(encoder, ABORT_CODES.indexOf(message.code))
    }
  })
}

/** @throws IdentityError `pairing/malformed` */
export function decodePairingMessage(bytes: Uint8Array): PairingMessage {
  return decodeWhole(bytes, (decoder) => {
    const kind = KINDS[decoding.readUint8(decoder)]
    const read = (length: number) => decoding.readUint8Array(decoder, length).slice()
    switch (kind) {
      case 'join-hello': {
        const version = decoding.readUint8(decoder)
        return { kind, version, nonce: read(NONCE_BYTES), commitment: read(COMMITMENT_BYTES) }
      }
      case 'offer-hello':
        return { kind, nonce: read(NONCE_BYTES), commitment: read(COMMITMENT_BYTES), share: read(SHARE_BYTES) }
      case 'join-proof':
        return { kind, share: read(SHARE_BYTES), proof: read(PROOF_BYTES) }
      case 'offer-proof':
        return { kind, proof: read(PROOF_BYTES) }
      case 'sealed':
        return { kind, bytes: decoding.readTailAsUint8Array(decoder).slice() }
      case 'abort':
        return { kind, code: ABORT_CODES[decoding.readUint8(decoder)] ?? 'pairing/interrupted' }
      default:
        throw malformed()
    }
  })
}

export function encodeSealedMessage(message: SealedMessage): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeUint8(encoder, SEALED_KINDS.indexOf(message.kind))
    if (message.kind === 'introduce') {
      encoding.writeUint8Array(encoder, message.blind)
      encoding.writeUint8Array(encoder, message.signature)
      encoding.writeUint8Array(encoder, message.introduction)
    } else if (message.kind === 'answer') {
      encoding.writeUint8(encoder, message.accept ? 1 : 0)
    } else if (message.kind === 'grant') {
      const { person, personName, deviceList, datasetKeys } = message.grant
      encoding.writeUint8Array(encoder, fromBase58(person))
      encoding.writeVarString(encoder, personName)
      encoding.writeVarUint8Array(encoder, deviceList)
      encoding.writeVarUint8Array(encoder, datasetKeys)
    } else if (message.kind === 'card') {
      const { log, places } = message.offer
      encoding.writeVarUint8Array(encoder, log)
      encoding.writeVarUint(encoder, places.length)
      for (const place of places) encoding.writeVarUint8Array(encoder, utf8(place))
    }
  })
}

/** @throws IdentityError `pairing/malformed` */
export function decodeSealedMessage(bytes: Uint8Array): SealedMessage {
  return decodeWhole(bytes, (decoder) => {
    const kind = SEALED_KINDS[decoding.readUint8(decoder)]
    const read = (length: number) => decoding.readUint8Array(decoder, length).slice()
    switch (kind) {
      case 'introduce': {
        const blind = read(KEY_BYTES)
        const signature = read(SIGNATURE_BYTES)
        return { kind, blind, signature, introduction: decoding.readTailAsUint8Array(decoder).slice() }
      }
      case 'answer': {
        const answer = decoding.readUint8(decoder)
        if (answer > 1) throw malformed()
        return { kind, accept: answer === 1 }
      }
      case 'grant': {
        const person = toBase58(read(KEY_BYTES)) as PersonId
        const personName = readName(decoder)
        const deviceList = readBounded(decoder, MAX_OPERATION_LIST_BYTES)
        return { kind, grant: { person, personName, deviceList, datasetKeys: readBounded(decoder, MAX_DATASET_KEYS_BYTES) } }
      }
      case 'done':
        return { kind }
      case 'card': {
        const log = readBounded(decoder, MAX_OPERATION_LIST_BYTES)
        const count = decoding.readVarUint(decoder)
        if (count > MAX_CARD_PLACES) throw malformed()
        const places = Array.from({ length: count }, () => fromUtf8(readBounded(decoder, MAX_CARD_PLACE_LETTERS)))
        if (places.some((place) => !/^wss?:\/\/\S+$/.test(place))) throw malformed()
        return { kind, offer: { log, places } }
      }
      default:
        throw malformed()
    }
  })
}

/** What is committed to before, and signed and shown after, the code has proved right. */
export function encodeIntroduction(introduction: PairingIntroduction): Uint8Array {
  return encoding.encode((encoder) => {
    encoding.writeUint8Array(encoder, fromBase58(introduction.device))
    encoding.writeUint8Array(encoder, introduction.boxKey)
    for (const name of [introduction.name, introduction.platform, introduction.personName]) {
      encoding.writeVarUint8Array(encoder, utf8(name.slice(0, MAX_NAME_LENGTH)))
    }
    if (introduction.person) encoding.writeUint8Array(encoder, fromBase58(introduction.person))
  })
}

/** @throws IdentityError `pairing/malformed` */
export function decodeIntroduction(bytes: Uint8Array): PairingIntroduction {
  return decodeWhole(bytes, (decoder) => {
    const device = toBase58(decoding.readUint8Array(decoder, KEY_BYTES)) as DeviceId
    const boxKey = decoding.readUint8Array(decoder, KEY_BYTES).slice()
    const introduction = { device, boxKey, name: readName(decoder), platform: readName(decoder), personName: readName(decoder) }
    if (!decoding.hasContent(decoder)) return introduction
    return { ...introduction, person: toBase58(decoding.readUint8Array(decoder, KEY_BYTES)) as PersonId }
  })
}

function decodeWhole<T>(bytes: Uint8Array, read: (decoder: decoding.Decoder) => T): T {
  try {
    const decoder = decoding.createDecoder(bytes)
    const value = read(decoder)
    if (decoding.hasContent(decoder)) throw malformed()
    return value
  } catch (cause) {
    throw cause instanceof IdentityError ? cause : malformed(cause)
  }
}

function readName(decoder: decoding.Decoder): string {
  const name = fromUtf8(readBounded(decoder, 4 * MAX_NAME_LENGTH))
  if (name.length < 1 || name.length > MAX_NAME_LENGTH || hasControlCharacter(name)) throw malformed()
  return name
}

function readBounded(decoder: decoding.Decoder, maxBytes: number): Uint8Array {
  const bytes = decoding.readVarUint8Array(decoder).slice()
  if (bytes.length > maxBytes) throw malformed()
  return bytes
}

const malformed = (cause?: unknown) =>
  new IdentityError('pairing/malformed', 'the other side sent something that is not part of pairing; pairing stopped, start it again', {
    cause,
  })
