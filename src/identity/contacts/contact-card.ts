import * as encoding from 'lib0/encoding'
import { concatBytes, utf8 } from '../../base/bytes.ts'
import type { PersonId } from '../../base/ids.ts'
import { malformedOperation } from '../authority/authority-error.ts'
import { readName } from '../authority/body-codec.ts'
import { ByteReader } from '../authority/byte-reader.ts'
import { KEY_BYTES } from '../crypto.ts'
import type { DatasetKeys } from '../dataset-keys.ts'

const FORMAT = 1
/** As a link names them. */
export const MAX_CARD_PLACES = 4
export const MAX_CARD_PLACE_LETTERS = 128
const MAX_EPOCH = 2 ** 32 - 1
const MAX_SEALED_BYTES = 2048

/** What a person's own devices keep of a contact; nobody else reads it, contacts to whom the log is shown included. */
export interface ContactCard {
  /** As this person calls them. */
  readonly name: string
  /** Agreed on when both became contacts: where the devices of the two meet is derived from it. 32 bytes. */
  readonly meeting: Uint8Array
  /** Rendezvous that the contact named, as URLs. */
  readonly places: readonly string[]
}

/** @throws IdentityError `authority/malformed`  a name that cannot be shown, too many places */
export function encodeContactCard({ name, meeting, places }: ContactCard): Uint8Array {
  const encoded = encoding.encode((encoder) => {
    encoding.writeUint8(encoder, FORMAT)
    encoding.writeUint8Array(encoder, meeting)
    encoding.writeVarUint8Array(encoder, utf8(name))
    encoding.writeVarUint(encoder, places.length)
    for (const place of places) encoding.writeVarUint8Array(encoder, utf8(place))
  })
  decodeContactCard(encoded)
  return encoded
}

/** @throws IdentityError `authority/malformed` */
export function decodeContactCard(bytes: Uint8Array): ContactCard {
  const reader = new ByteReader(bytes)
  if (reader.u8() !== FORMAT) throw malformedOperation('a contact is written in a way this version does not know')
  const meeting = reader.raw(KEY_BYTES)
  const name = readName(reader)
  const places = reader.list(MAX_CARD_PLACES, () => reader.text(MAX_CARD_PLACE_LETTERS))
  reader.end()
  if (places.some((place) => !/^wss?:\/\/\S+$/.test(place))) throw malformedOperation('a contact is to be met at a place that is none')
  return { name, meeting, places }
}

/** Sealed under the workspace's key of now, and bound to the person it is about. */
export function sealContactCard(keys: Pick<DatasetKeys, 'epoch' | 'seal'>, person: PersonId, card: ContactCard): Uint8Array {
  const epoch = encoding.encode((encoder) => encoding.writeVarUint(encoder, keys.epoch))
  return concatBytes(epoch, keys.seal(encodeContactCard(card), contextOf(person)))
}

/** @throws IdentityError `keys/unknown-epoch`, `vault/unsealable`, `authority/malformed` */
export function openContactCard(keys: Pick<DatasetKeys, 'open'>, person: PersonId, sealed: Uint8Array): ContactCard {
  const reader = new ByteReader(sealed.subarray(0, MAX_SEALED_BYTES))
  const epoch = reader.uint(MAX_EPOCH)
  const head = encoding.encode((encoder) => encoding.writeVarUint(encoder, epoch)).length
  return decodeContactCard(keys.open(epoch, sealed.subarray(head), contextOf(person)))
}

const contextOf = (person: PersonId): string => `contact/${person}`
