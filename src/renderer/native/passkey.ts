import { fromBase64Url, toBase64Url, utf8 } from '../../base/bytes.ts'
import { DomainError } from '../../base/errors.ts'
import type { DoorState } from '../../device/desk/desk-contract.ts'

export type PasskeyErrorCode = 'passkey/unsupported' | 'passkey/declined' | 'passkey/no-secret'

/** What an authenticator could not do, for a person. */
export class PasskeyError extends DomainError<PasskeyErrorCode> {
  override readonly name = 'PasskeyError'
  readonly code: PasskeyErrorCode

  constructor(code: PasskeyErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** What the door says of the passkey that is set up, in base64url. */
export type PasskeyQuestion = NonNullable<DoorState['passkey']>

export interface MadePasskey extends PasskeyQuestion {
  readonly answer: string
}

const SECRET_BYTES = 32
/** A person looks for a phone or a key; browsers cut what is longer. */
const PATIENCE_MS = 120_000

/** Can this page ask for passkeys at all? Whether an authenticator knows PRF shows only when it is used. */
export const knowsPasskeys = (): boolean => typeof PublicKeyCredential === 'function' && isSecureContext

/**
 * Makes a passkey of this host name and asks it once: some authenticators answer only after they were made. The user handle is
 * random, so that it tells nobody who this is. @throws PasskeyError
 */
export async function makePasskey(personName: string, deviceName: string): Promise<MadePasskey> {
  const made = await ask(() =>
    navigator.credentials.create({
      publicKey: {
        challenge: random(),
        rp: { id: location.hostname, name: 'Elsewhere' },
        user: { id: random(), name: `${personName} on ${deviceName}`, displayName: personName },
        pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: 'public-key' as const, alg })),
        authenticatorSelection: { residentKey: 'discouraged', userVerification: 'required' },
        timeout: PATIENCE_MS,
        extensions: { prf: {} },
      },
    }),
  )
  if (made.getClientExtensionResults().prf?.enabled !== true) throw noSecret()
  const question = { credentialId: toBase64Url(new Uint8Array(made.rawId)), salt: toBase64Url(random()) }
  return { ...question, answer: await askPasskey(question) }
}

/** What the authenticator answers, derived once more: the raw answer leaves this function with nobody. @throws PasskeyError */
export async function askPasskey({ credentialId, salt }: PasskeyQuestion): Promise<string> {
  const got = await ask(() =>
    navigator.credentials.get({
      publicKey: {
        challenge: random(),
        rpId: location.hostname,
        allowCredentials: [{ type: 'public-key', id: copied(fromBase64Url(credentialId)) }],
        userVerification: 'required',
        timeout: PATIENCE_MS,
        extensions: { prf: { eval: { first: copied(fromBase64Url(salt)) } } },
      },
    }),
  )
  const first = got.getClientExtensionResults().prf?.results?.first
  if (!first) throw noSecret()
  const key = await crypto.subtle.importKey('raw', first, 'HKDF', false, ['deriveBits'])
  const info = new Uint8Array(utf8('elsewhere/passkey/1'))
  const algorithm = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info }
  return toBase64Url(new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, 8 * SECRET_BYTES)))
}

/** Tells the authenticator, where the browser can, that this passkey opens nothing any more. Never rejects. */
export async function dropPasskey({ credentialId }: PasskeyQuestion): Promise<void> {
  const signal = (PublicKeyCredential as { signalUnknownCredential?: (options: object) => Promise<void> }).signalUnknownCredential
  await signal?.call(PublicKeyCredential, { rpId: location.hostname, credentialId }).catch(() => undefined) // only a courtesy
}

async function ask(question: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const credential = await question()
    if (credential instanceof PublicKeyCredential) return credential
    throw new PasskeyError('passkey/unsupported', 'this browser gave no passkey; use your passphrase')
  } catch (cause) {
    if (cause instanceof PasskeyError) throw cause
    const name = cause instanceof DOMException ? cause.name : ''
    if (name === 'NotAllowedError' || name === 'AbortError') {
      throw new PasskeyError(
        'passkey/declined',
        'the passkey was not used: it was cancelled, took too long, or is not at hand; use your passphrase, or try again',
        { cause },
      )
    }
    throw new PasskeyError(
      'passkey/unsupported',
      `this browser cannot use a passkey here (${name || 'no reason given'}); use your passphrase`,
      { cause },
    )
  }
}

const random = () => crypto.getRandomValues(new Uint8Array(SECRET_BYTES))
const copied = (bytes: Uint8Array) => new Uint8Array(bytes)

const noSecret = () =>
  new PasskeyError(
    'passkey/no-secret',
    'this passkey can sign you in to web sites, but keeps no secret to unlock with (WebAuthn PRF); take another one, such as a newer security key or phone',
  )
