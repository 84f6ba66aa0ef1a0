import { concatBytes, equalBytes, utf8 } from '../base/bytes.ts'
import { type DeviceId, deviceIdOf, publicKeyOf } from '../base/ids.ts'
import type { RandomSource } from '../base/random.ts'
import type { DeviceCheck, DeviceSigner } from './device-check.ts'
import { LinkError } from './link-error.ts'
import { encodeWire, HEAD_BYTES, MAX_LINK_VERSION, MIN_LINK_VERSION, NONCE_BYTES, type WireMessage } from './link-wire.ts'

/** `knock`: made the offer and knows whom it wants. `door`: was called and names itself only to a proven member. */
export type HelloRole = 'knock' | 'door'

/** DTLS certificates as each end of both connections really uses them, 32 bytes each. */
export interface LinkFingerprints {
  readonly live: { readonly local: Uint8Array; readonly remote: Uint8Array }
  readonly bulk: { readonly local: Uint8Array; readonly remote: Uint8Array }
}

export interface HelloOptions {
  readonly role: HelloRole
  readonly signer: DeviceSigner
  readonly check: DeviceCheck
  readonly random: RandomSource
  readonly fingerprints: LinkFingerprints
  /** What this device knows of who belongs, read when it proves itself. Absent: zeros. */
  readonly head?: (() => Uint8Array) | undefined
  /** Between devices of two persons: names both, and is covered by the proof. Absent between devices of one (SY73). */
  readonly scope?: Uint8Array | undefined
  /** Whom signaling said this is. At the knock the only one we name ourselves to; at the door the only one we let in. */
  readonly peer: DeviceId
  readonly versions?: { readonly min: number; readonly max: number }
}

type Phase = 'start' | 'hello' | 'proof' | 'ready' | 'proven'

/** From this version on a proof covers what its device knows of who belongs. */
const HEAD_VERSION = 3
const NO_HEAD = new Uint8Array(HEAD_BYTES)

const PROOF_DOMAIN = utf8('elsewhere/link/proof/1\0')
const SCOPED_DOMAIN = utf8('elsewhere/link/scoped-proof/1\0')

/**
 * How two devices prove their keys to each other before a link exists (SY51, SY52). Pure: messages in, messages out.
 *
 *   both   > hello {versions, nonce}
 *   knock  > proof {device, signature}      the door checks: member? the expected one? signature over everything below?
 *   door   > proof {device, signature}      only now does the door name itself
 *   knock  > ready
 *
 * A signature covers role, both hellos (versions and nonces), all four fingerprints and both device ids, so nobody in
 * the middle, no replay and no downgrade fits it. From version 3 on it covers what its signer knows of who belongs (SY70).
 */
export class LinkHello {
  readonly #options: HelloOptions
  readonly #own: Uint8Array
  #theirs: Uint8Array | undefined
  #phase: Phase = 'start'
  #version: number | undefined
  #peerHead: Uint8Array | undefined

  constructor(options: HelloOptions) {
    this.#options = options
    const { min, max } = options.versions ?? { min: MIN_LINK_VERSION, max: MAX_LINK_VERSION }
    this.#own = encodeWire({ type: 'hello', min, max, nonce: options.random.bytes(NONCE_BYTES) })
  }

  /** The peer has proved its key. Nothing it sends is handed on before. */
  get isPeerProven(): boolean {
    return this.#phase === 'proven' || this.#phase === 'ready'
  }

  /** Both know that both have proved: lanes may be used. */
  get isDone(): boolean {
    return this.#phase === 'proven'
  }

  /** What the peer proved it knows of who belongs; undefined before its proof, and of a peer that speaks an older version. */
  get peerHead(): Uint8Array | undefined {
    return this.#peerHead
  }

  /** The version both speak; there once `isPeerProven`. */
  get version(): number | undefined {
    return this.#version
  }

  /** What to send first. */
  begin(): readonly Uint8Array[] {
    this.#phase = 'hello'
    return [this.#own]
  }

  /**
   * @param raw  the message as it came, since the proof covers its bytes
   * @throws LinkError `link/bad-hello`, `link/version`, `link/refused`: close without a word
   */
  receive(message: WireMessage, raw: Uint8Array): readonly Uint8Array[] {
    const { role } = this.#options
    if (message.type === 'hello' && this.#phase === 'hello') {
      this.#theirs = raw.slice()
      this.#version = this.#agreeVersion(message)
      this.#phase = 'proof'
      return role === 'knock' ? [this.#prove()] : []
    }
    if (message.type === 'proof' && this.#phase === 'proof') {
      this.#checkProof(message)
      this.#phase = role === 'knock' ? 'proven' : 'ready'
      return [role === 'knock' ? encodeWire({ type: 'ready' }) : this.#prove()]
    }
    if (message.type === 'ready' && this.#phase === 'ready') {
      this.#phase = 'proven'
      return []
    }
    throw LinkError.badHello(`${message.type} does not belong here`)
  }

  #agreeVersion(theirs: { min: number; max: number }): number {
    const { min, max } = this.#options.versions ?? { min: MIN_LINK_VERSION, max: MAX_LINK_VERSION }
    const version = Math.min(max, theirs.max)
    if (version < min || version < theirs.min) throw LinkError.version(`${theirs.min}-${theirs.max}`, `${min}-${max}`)
    return version
  }

  #prove(): Uint8Array {
    const { signer, role } = this.#options
    const head = this.#coversHead ? (this.#options.head?.() ?? NO_HEAD) : undefined
    const signature = signer.sign(this.#statement(role, head))
    return encodeWire({ type: 'proof', device: publicKeyOf(signer.device), signature, ...(head ? { head } : {}) })
  }

  get #coversHead(): boolean {
    return (this.#version ?? 0) >= HEAD_VERSION
  }

  #checkProof(proof: { device: Uint8Array; signature: Uint8Array; head?: Uint8Array }): void {
    const { peer, check, role, signer } = this.#options
    const named = deviceIdOf(proof.device)
    if (named !== peer || named === signer.device || !check.isMember(named)) throw LinkError.refused()
    if (this.#coversHead !== (proof.head !== undefined)) throw LinkError.badHello('a proof of another version')
    if (!check.verify(named, this.#statement(role === 'knock' ? 'door' : 'knock', proof.head), proof.signature)) throw LinkError.refused()
    this.#peerHead = proof.head
  }

  /** What the device in that role signs. Fixed-length fields but for the hellos, which carry their length. */
  #statement(signedBy: HelloRole, head: Uint8Array = new Uint8Array()): Uint8Array {
    const { role, fingerprints, signer, peer, scope } = this.#options
    const theirs = this.#theirs as Uint8Array
    const { live, bulk } = fingerprints
    if (equalBytes(live.local, live.remote) || equalBytes(bulk.local, bulk.remote)) throw LinkError.refused()
    const ours = { hello: this.#own, key: publicKeyOf(signer.device), live: live.local, bulk: bulk.local }
    const other = { hello: theirs, key: publicKeyOf(peer), live: live.remote, bulk: bulk.remote }
    const [knock, door] = role === 'knock' ? [ours, other] : [other, ours]
    return concatBytes(
      ...(scope ? [SCOPED_DOMAIN, Uint8Array.of(scope.length), scope] : [PROOF_DOMAIN]),
      utf8(`${signedBy}\0`),
      ...[knock, door].flatMap(({ hello, key, live, bulk }) => [Uint8Array.of(hello.length), hello, key, live, bulk]),
      head,
    )
  }
}
