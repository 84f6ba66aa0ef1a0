import { concatBytes, fromBase64Url, toBase64Url, utf8 } from '../base/bytes.ts'
import type { RandomSource } from '../base/random.ts'
import type { Crypto } from './crypto.ts'
import { IdentityError } from './identity-error.ts'
import type { PairingCode } from './pairing-code.ts'

/** Out of reach of guessing: what a camera reads need not be short. */
const SECRET_BYTES = 16
/** What a link is for: to become a device of whoever shows it, or a contact. */
export type LinkKind = 'join' | 'contact'
const FOR: Readonly<Record<LinkKind, string>> = { join: 'join by', contact: 'become contacts by' }
/** Longer is no link of ours, and no camera reads it. */
export const MAX_LINK_LETTERS = 640
/** Places to meet that a link names; the LAN is looked at anyway. */
const MAX_PLACES = 4
const MAX_PLACE_LETTERS = 128

/** What one device shows as a QR code and the other opens: a secret and where to meet. Good once, as a code is. */
export interface JoinLink {
  /** 22 letters of URL-safe base64. */
  readonly secret: string
  /** URLs of rendezvous. */
  readonly places: readonly string[]
}

export const createJoinSecret = (random: RandomSource): string => toBase64Url(random.bytes(SECRET_BYTES))

export function formatJoinLink({ secret, places }: JoinLink, kind: LinkKind = 'join'): string {
  const named = places.filter(({ length }) => length <= MAX_PLACE_LETTERS).slice(0, MAX_PLACES)
  return (
    `elsewhere://${kind}/1?` + new URLSearchParams([['s', secret], ...named.map((place): [string, string] => ['at', place])]).toString()
  )
}

/** Is this a link rather than a typed code? */
export const isJoinLink = (text: string): boolean => text.trim().toLowerCase().startsWith('elsewhere:')

/** @throws IdentityError `pairing/bad-code`, `pairing/version` */
export function parseJoinLink(text: string, kind: LinkKind = 'join'): JoinLink {
  const link = text.trim()
  const badLink = (why: string) =>
    new IdentityError(
      'pairing/bad-code',
      `this is not a link to ${FOR[kind]}: ${why}; copy the whole of it from the other device, or type the code`,
    )
  if (link.length > MAX_LINK_LETTERS) throw badLink('it is too long')
  const [, named, version] = /^elsewhere:\/\/(join|contact)\/(\d{1,4})\?/i.exec(link) ?? []
  if (named !== undefined && named.toLowerCase() !== kind) {
    throw badLink(kind === 'join' ? 'it makes two persons contacts' : 'it makes a device one of somebody’s own')
  }
  if (version !== undefined && version !== '1') {
    throw new IdentityError(
      'pairing/version',
      `this link has version ${version}, this program reads 1; update the older of the two devices`,
    )
  }
  if (version === undefined) throw badLink('it does not begin as one')
  const values = new URLSearchParams(link.slice(link.indexOf('?') + 1))
  const secret = values.get('s') ?? ''
  if (!/^[A-Za-z0-9_-]{22}$/.test(secret) || toBase64Url(fromBase64Url(secret)) !== secret) throw badLink('part of it is missing')
  const places = values.getAll('at')
  if (places.length > MAX_PLACES || places.some((place) => place.length > MAX_PLACE_LETTERS || !/^wss?:\/\//.test(place))) {
    throw badLink('it names places that are none')
  }
  return { secret, places }
}

/** The link as the pairing takes it: where to meet is derived, so that neither a rendezvous nor a LAN learns the secret (rule ID161). */
export function codeOfLink(crypto: Pick<Crypto, 'sha256'>, { secret }: Pick<JoinLink, 'secret'>, kind: LinkKind = 'join'): PairingCode {
  const digest = crypto.sha256(concatBytes(utf8(`elsewhere/${kind}-link/1\0`), fromBase64Url(secret)))
  return { number: `link-${toBase64Url(digest.subarray(0, 16))}`, secret }
}
