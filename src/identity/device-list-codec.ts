import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'
import type { PersonId } from '../base/ids.ts'
import type { Crypto } from './crypto.ts'
import { decodeStatement, type DeviceStatement } from './device-statement.ts'
import { IdentityError } from './identity-error.ts'

/* The encoding of the list of signed statements, as it was before the authority log and still opens. */

const FORMAT = 1
/** More devices than any person has; a list beyond it is refused, not cut. */
export const MAX_DEVICES = 128
/** One add per device and signer, one rename and one remove per device, and room to spare. */
export const MAX_STATEMENTS = 8 * MAX_DEVICES
export const MAX_LIST_BYTES = 48 * 1024

/** Length of the encoding, at most. */
export function listBytes(statements: Iterable<DeviceStatement>): number {
  let bytes = 64
  for (const statement of statements) bytes += statement.bytes.length + 2
  return bytes
}

export function encodeList(person: PersonId, statements: Iterable<DeviceStatement>): Uint8Array {
  const encoder = encoding.createEncoder()
  const lines = [...statements].sort((a, b) => (a.id < b.id ? -1 : 1))
  encoding.writeUint8(encoder, FORMAT)
  encoding.writeVarString(encoder, person)
  encoding.writeVarUint(encoder, lines.length)
  for (const { bytes } of lines) encoding.writeVarUint8Array(encoder, bytes)
  return encoding.toUint8Array(encoder)
}

/** @throws IdentityError `devices/malformed`, `devices/refused` */
export function decodeList(crypto: Crypto, person: PersonId, encoded: Uint8Array): DeviceStatement[] {
  const malformed = (why: string, cause?: unknown) =>
    new IdentityError('devices/malformed', `this device list cannot be read (${why}); the one held here stays`, { cause })
  if (encoded.length > MAX_LIST_BYTES) throw malformed('too long')
  try {
    const decoder = decoding.createDecoder(encoded)
    if (decoding.readUint8(decoder) !== FORMAT) throw malformed('another version')
    if (decoding.readVarString(decoder) !== person) {
      throw new IdentityError('devices/refused', "this is another person's device list; it is not taken in")
    }
    const count = decoding.readVarUint(decoder)
    if (count > MAX_STATEMENTS) throw malformed('too many lines')
    const statements: DeviceStatement[] = []
    for (let i = 0; i < count; i++) statements.push(decodeStatement(crypto, decoding.readVarUint8Array(decoder).slice()))
    if (decoding.hasContent(decoder)) throw malformed('bytes left over')
    return statements
  } catch (cause) {
    throw cause instanceof IdentityError ? cause : malformed('it ends early', cause)
  }
}
