import * as z from 'zod'
import { fromBase64Url, fromUtf8, toBase64Url, utf8 } from '../base/bytes.ts'
import { parseDeviceId } from '../base/ids.ts'
import { SALT_BYTES, type Argon2Params } from './crypto.ts'
import { IdentityError } from './identity-error.ts'

/** Least work a passphrase costs, whatever the machine: 64 MiB, 3 passes, about 0.15 s (RFC 9106, second choice). */
export const ARGON2_FLOOR: Argon2Params = { passes: 3, memoryBytes: 64 * 1024 * 1024 }
/** Most that a vault may ask for: a tampered file must not hang or fill the machine. */
export const ARGON2_CEILING: Argon2Params = { passes: 64, memoryBytes: 1024 * 1024 * 1024 }
/** A vault is about 1 kB and grows by 48 bytes an epoch. */
const MAX_VAULT_BYTES = 256 * 1024

const bytes = z
  .string()
  .max(128 * 1024)
  .transform((text, issues) => {
    try {
      return fromBase64Url(text)
    } catch {
      issues.addIssue('not URL-safe base64')
      return z.NEVER
    }
  })

/** One lock: a random key sealed under the passphrase, and the keys sealed under that random key. */
const sealedPart = z.object({ lock: bytes, keys: bytes })
export type SealedPart = z.infer<typeof sealedPart>

const vaultFile = z.object({
  format: z.literal('elsewhere-vault'),
  version: z.literal(1),
  deviceId: z.string().max(64).transform(parseDeviceId),
  /** Shown before unlocking; not secret, not authenticated. */
  deviceName: z.string().min(1).max(80),
  personName: z.string().min(1).max(80),
  kdf: z.object({
    name: z.literal('argon2id'),
    passes: z.number().int().min(ARGON2_FLOOR.passes).max(ARGON2_CEILING.passes),
    memoryBytes: z.number().int().min(ARGON2_FLOOR.memoryBytes).max(ARGON2_CEILING.memoryBytes),
    salt: bytes.refine((salt) => salt.length === SALT_BYTES),
  }),
  device: sealedPart,
  /** Only on the device where the person was made. */
  person: sealedPart.nullable(),
  /** Wrong tries since the last right one, and when the last was (ms since epoch, this machine's clock). */
  tries: z.object({ failed: z.number().int().min(0), lastAtMs: z.number() }),
})
export type VaultRecord = z.infer<typeof vaultFile>

/** @throws IdentityError `vault/newer`, `vault/damaged` */
export function decodeVault(file: Uint8Array): VaultRecord {
  let json: unknown
  try {
    if (file.length > MAX_VAULT_BYTES) throw new RangeError(`longer than ${MAX_VAULT_BYTES} bytes`)
    json = JSON.parse(fromUtf8(file))
  } catch (cause) {
    throw damaged('it is not the JSON that this program writes', cause)
  }
  const head = z.object({ format: z.literal('elsewhere-vault'), version: z.number() }).safeParse(json)
  if (head.success && head.data.version > 1) {
    throw new IdentityError(
      'vault/newer',
      `vault.json has version ${head.data.version}, this program reads 1; update Elsewhere on this device`,
    )
  }
  let parsed: ReturnType<typeof vaultFile.safeParse>
  try {
    parsed = vaultFile.safeParse(json)
  } catch (cause) {
    throw damaged('the device id cannot be read', cause)
  }
  if (!parsed.success)
    throw damaged(`wrong at ${parsed.error.issues.map((issue) => issue.path.join('.') || 'the top').join(', ')}`, parsed.error)
  return parsed.data
}

export function encodeVault(record: VaultRecord): Uint8Array {
  const part = (sealed: SealedPart) => ({ lock: toBase64Url(sealed.lock), keys: toBase64Url(sealed.keys) })
  const { kdf, device, person, ...rest } = record
  const json = { ...rest, kdf: { ...kdf, salt: toBase64Url(kdf.salt) }, device: part(device), person: person && part(person) }
  return utf8(`${JSON.stringify(json, undefined, 2)}\n`)
}

const damaged = (why: string, cause: unknown) =>
  new IdentityError(
    'vault/damaged',
    `vault.json is damaged (${why}); restore it from a backup, or move it away to start anew and pair again`,
    { cause },
  )
