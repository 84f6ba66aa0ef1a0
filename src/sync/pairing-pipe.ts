import type { Disposable } from '../base/disposable.ts'
import type { Event } from '../base/emitter.ts'

/**
 * An ordered, reliable pipe of small messages between two devices that do not know each other yet. Encrypted by DTLS but
 * authenticated by nobody: whoever uses it must bind both fingerprints into its own proof (CPace's associated data),
 * otherwise someone in the middle can read and change everything.
 */
export interface PairingPipe extends Disposable {
  /** `offer`: this device shows the code. `join`: this device types it. */
  readonly role: 'offer' | 'join'
  /** SHA-256 of our DTLS certificate, 32 bytes. */
  readonly localFingerprint: Uint8Array
  /** SHA-256 of the certificate the other end really used (read from the connection, not from signaling), 32 bytes. */
  readonly remoteFingerprint: Uint8Array
  /** At most MAX_PAIRING_MESSAGE_BYTES. @throws LinkError `link/message-too-large`, `link/closed` */
  send(message: Uint8Array): void
  readonly onDidReceive: Event<Uint8Array>
  readonly onDidClose: Event<{ readonly reason: string }>
}

/** A whole authority log of some thousand operations; nothing longer is said while pairing. */
export const MAX_PAIRING_MESSAGE_BYTES = 1024 * 1024
