import { concatBytes, utf8 } from '../base/bytes.ts'
import { finishCpace, joinWithLengths, type CpaceRun } from './cpace.ts'
import { KEY_BYTES, type Crypto } from './crypto.ts'
import type { PairingKeys, PairingRole, PairingRun, PairingSetup } from './pairing-run.ts'
import { encodeIntroduction, PAIRING_VERSION } from './pairing-wire.ts'

/*
 * What one run of pairing derives, commits to and signs. CPace's associated data are protocol version, role, commitment and
 * the DTLS fingerprint as each end of the pipe sees them; its channel id is both fingerprints. Keys, names and fingerprints
 * are thus all bound before a proof can fit.
 */

/** All keys of the run from CPace's; the offering side is its initiator. */
export function keysOf(crypto: Crypto, run: PairingRun, cpace: CpaceRun, theirCommitment: Uint8Array, theirShare: Uint8Array): PairingKeys {
  const { role, localFingerprint, remoteFingerprint } = run.setup
  const own = associatedData(role, commitmentOf(crypto, run.blind, ownIntroduction(run)), localFingerprint)
  const theirs = associatedData(otherRole(role), theirCommitment, remoteFingerprint)
  const [initiator, responder] = role === 'offer' ? [own, theirs] : [theirs, own]
  const shared = finishCpace(cpace, role === 'offer' ? 'initiator' : 'responder', theirShare, { initiator, responder })
  const derive = (name: string) => {
    const derived = crypto.hkdf(shared, `elsewhere/pairing/${PAIRING_VERSION}/${name}`, KEY_BYTES)
    const key = derived.bytes.slice()
    derived.dispose()
    return key
  }
  const keys = {
    own: { seal: derive(`seal/${role}`), proof: derive(`proof/${role}`) },
    theirs: { seal: derive(`seal/${otherRole(role)}`), proof: derive(`proof/${otherRole(role)}`) },
    transcript: derive('transcript'),
    meeting: derive('meeting'),
  }
  crypto.wipe(shared)
  return keys
}

/** The side that is not this one. */
export const otherRole = (role: PairingRole): PairingRole => (role === 'offer' ? 'join' : 'offer')
/** As it is committed to, signed and sent. */
export const ownIntroduction = (run: PairingRun): Uint8Array => encodeIntroduction(run.setup.self)

/** What a side says first of who it is: binds it to names and key without telling them. */
export const commitmentOf = (crypto: Crypto, blind: Uint8Array, introduction: Uint8Array): Uint8Array =>
  crypto.sha256(joinWithLengths(utf8('elsewhere/pairing-introduction/1'), blind, introduction))

const associatedData = (role: PairingRole, commitment: Uint8Array, fingerprint: Uint8Array): Uint8Array =>
  joinWithLengths(Uint8Array.of(PAIRING_VERSION), utf8(role), commitment, fingerprint)

/** Both certificates, the offering side's first. */
export function channelIdOf({ role, purpose = 'device', localFingerprint, remoteFingerprint }: PairingSetup): Uint8Array {
  const [offer, join] = role === 'offer' ? [localFingerprint, remoteFingerprint] : [remoteFingerprint, localFingerprint]
  return joinWithLengths(
    utf8(purpose === 'contact' ? 'elsewhere/contact' : 'elsewhere/pairing'),
    Uint8Array.of(PAIRING_VERSION),
    offer,
    join,
  )
}

/** Shows that a side knows the code. */
export const proofOf = (crypto: Crypto, key: Uint8Array, transcript: Uint8Array): Uint8Array => crypto.hmacSha256(key, transcript)
/** Binds a sealed message to its sender and place in the run. */
export const sealContext = (role: PairingRole, index: number): Uint8Array => utf8(`elsewhere/pairing/${PAIRING_VERSION}/${role}/${index}`)

/** What the device key signs: this run, this side, this introduction. */
export const signedIntroduction = (transcript: Uint8Array, role: PairingRole, introduction: Uint8Array): Uint8Array =>
  concatBytes(utf8('elsewhere/pairing-introduction/1\0'), joinWithLengths(utf8(role), transcript, introduction))
