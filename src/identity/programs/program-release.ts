import { fromBase58 } from '../../base/base58.ts'
import { fromBase64Url, toBase64Url, utf8 } from '../../base/bytes.ts'
import { type Crypto, KEY_BYTES } from '../crypto.ts'
import { IdentityError } from '../identity-error.ts'
import { programRelease, type ProgramRelease } from '../releases-contract.ts'

export type { ProgramRelease } from '../releases-contract.ts'

/** What a publisher signs, as UTF-8. No part of it holds a line end, so there is one reading. */
export const programReleaseText = ({ publisher, name, release, ids }: Omit<ProgramRelease, 'sig'>): string =>
  `elsewhere/program-release/1\0${[publisher, name, release, ...ids].join('\n')}`

/** @param sign  64 bytes of Ed25519 by the key whose base58 is `publisher` @throws IdentityError `release/malformed` */
export function signProgramRelease(
  said: Pick<ProgramRelease, 'publisher' | 'name' | 'release' | 'ids'>,
  sign: (message: Uint8Array) => Uint8Array,
): ProgramRelease {
  const whole = { format: 'elsewhere-program-release', version: 1, ...said, ids: [...new Set(said.ids)].sort() } as const
  return parse({ ...whole, sig: toBase64Url(sign(utf8(programReleaseText(whole)))) })
}

/** A release as a file or a display gives it. @throws IdentityError `release/malformed`, `release/refused` (its publisher did not sign it) */
export function readProgramRelease(crypto: Pick<Crypto, 'verify'>, value: unknown): ProgramRelease {
  const release = parse(value)
  const isSorted = release.ids.every((id, n) => n === 0 || (release.ids[n - 1] as string) < id)
  const key = keyOf(release.publisher)
  if (!isSorted || !key) throw malformed()
  if (crypto.verify(key, utf8(programReleaseText(release)), fromBase64Url(release.sig))) return release
  throw new IdentityError('release/refused', 'this release was not signed by the publisher that it names; nothing was taken in')
}

function keyOf(publisher: string): Uint8Array | undefined {
  try {
    const key = fromBase58(publisher)
    return key.length === KEY_BYTES ? key : undefined
  } catch {
    return undefined // not base58
  }
}

function parse(value: unknown): ProgramRelease {
  const release = programRelease.safeParse(value).data
  if (release) return release
  throw malformed()
}

const malformed = () => new IdentityError('release/malformed', 'this is no release of a program, as "elsewhere program release" writes it')
