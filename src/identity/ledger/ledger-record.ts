import * as z from 'zod'
import { concatBytes, fromUtf8, toBase64Url, utf8 } from '../../base/bytes.ts'
import { type DeviceId, publicKeyOf } from '../../base/ids.ts'
import { type Crypto, SIGNATURE_BYTES } from '../crypto.ts'
import type { DeviceSigner } from '../device-keys.ts'
import type { LedgerEvent } from './ledger-event.ts'

/** What goes before the body when it is signed, so that no other signature of a device passes for an entry. */
const SIGNED_AS = utf8('elsewhere/ledger/1\0')
/** Longest record: entries are some 300 bytes. */
export const MAX_RECORD_BYTES = 4_096
/** `prev` of the first record. */
export const NO_RECORD = new Uint8Array(32)
/** So that a root confirms no guess of what happened. */
export const LEDGER_SALT_BYTES = 16

const body = z.object({
  v: z.literal(1),
  device: z.string().min(32).max(44),
  seq: z.number().int().nonnegative(),
  /** base64url SHA-256 of the record before. */
  prev: z.string().length(43),
  salt: z.string().length(22),
  /** Clock of the device; shown, never trusted. */
  atMs: z.number().int().nonnegative(),
  /** Kinds of newer versions are kept and shown by name. */
  event: z.looseObject({ kind: z.string().max(32) }),
})
export type LedgerBody = z.infer<typeof body>

/** One entry: 64 bytes of signature, then the body as JSON in UTF-8, exactly as it was signed. */
export interface LedgerRecord {
  readonly bytes: Uint8Array
  readonly body: LedgerBody
}

export interface NewRecord {
  readonly seq: number
  readonly prev: Uint8Array
  readonly atMs: number
  readonly event: LedgerEvent
}

/** @throws IdentityError `identity/key-wiped` */
export function signRecord(crypto: Crypto, signer: DeviceSigner, { seq, prev, atMs, event }: NewRecord): Uint8Array {
  const salt = toBase64Url(crypto.bytes(LEDGER_SALT_BYTES))
  const text = utf8(JSON.stringify({ v: 1, device: signer.device, seq, prev: toBase64Url(prev), salt, atMs, event }))
  return concatBytes(signer.sign(concatBytes(SIGNED_AS, text)), text)
}

/** The record, or undefined: not signed by `device`, cut, or nothing this format says. Never throws. */
export function readRecord(crypto: Crypto, device: DeviceId, bytes: Uint8Array): LedgerRecord | undefined {
  if (bytes.length <= SIGNATURE_BYTES || bytes.length > MAX_RECORD_BYTES) return undefined
  const text = bytes.subarray(SIGNATURE_BYTES)
  if (!crypto.verify(publicKeyOf(device), concatBytes(SIGNED_AS, text), bytes.subarray(0, SIGNATURE_BYTES))) return undefined
  const parsed = parseBody(text)
  return parsed?.device === device ? { bytes, body: parsed } : undefined
}

/** What a record of this device's own store says, signature aside. */
export function parseBody(text: Uint8Array): LedgerBody | undefined {
  try {
    return body.safeParse(JSON.parse(fromUtf8(text))).data
  } catch {
    return undefined // not UTF-8, or not JSON
  }
}
