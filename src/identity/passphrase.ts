import { utf8 } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import type { Argon2Params, Crypto } from './crypto.ts'
import { IdentityError } from './identity-error.ts'
import { ARGON2_CEILING, ARGON2_FLOOR } from './vault-format.ts'

/** Shortest passphrase taken, in bytes of UTF-8. Argon2id makes guesses slow, not short passphrases long. */
export const MIN_PASSPHRASE_BYTES = 8
/** What one try should cost on the machine that made the vault. */
export const ARGON2_TARGET_MS = 500
/** Memory grows to here before passes do: more keeps a small server from opening its own vault. */
const CALIBRATED_MEMORY_BYTES = 256 * 1024 * 1024
/** First wait after a wrong try; doubles with each. */
const FIRST_WAIT_MS = 1000
/** Longest wait: a person who errs ten times is kept from their desk for minutes, not days. */
export const MAX_WAIT_MS = 5 * 60_000

/** The bytes of a passphrase as typed: composed (NFKC), so that two keyboards give the same. The callee wipes them. */
export const passphraseBytes = (text: string): Uint8Array => utf8(text.normalize('NFKC'))

/** @throws IdentityError `vault/weak-passphrase`  too short, or one character over and over */
export function requireStrongEnough(passphrase: Uint8Array): void {
  if (passphrase.length < MIN_PASSPHRASE_BYTES || new Set(passphrase).size < 4) {
    throw new IdentityError(
      'vault/weak-passphrase',
      `this passphrase is too easy to guess; take at least ${MIN_PASSPHRASE_BYTES} characters, best four or more random words`,
    )
  }
}

/** How long to wait after `failed` wrong tries in a row: 0, 1 s, 2 s, 4 s ... (rule ID16). */
export const waitAfterMs = (failed: number): number => (failed === 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (failed - 1), MAX_WAIT_MS))

/**
 * Milliseconds still to wait at `nowMs`. A clock set back counts as no time gone by, so that a wrong clock never locks a
 * person out for longer than the wait itself.
 */
export function remainingWaitMs(tries: { failed: number; lastAtMs: number }, nowMs: number): number {
  const waitMs = waitAfterMs(tries.failed)
  const elapsedMs = Math.max(0, nowMs - tries.lastAtMs)
  return Math.max(0, waitMs - elapsedMs)
}

/** Scales the floor so that one try costs about `targetMs`, given what the floor costs: memory first, then passes. */
export function scaleArgon2(floorMs: number, targetMs: number): Argon2Params {
  const ratio = Math.max(1, targetMs / Math.max(floorMs, 1))
  const memoryFactor = Math.min(2 ** Math.floor(Math.log2(ratio)), CALIBRATED_MEMORY_BYTES / ARGON2_FLOOR.memoryBytes)
  const passes = Math.round((ARGON2_FLOOR.passes * ratio) / memoryFactor)
  return {
    passes: Math.min(Math.max(passes, ARGON2_FLOOR.passes), ARGON2_CEILING.passes),
    memoryBytes: ARGON2_FLOOR.memoryBytes * memoryFactor,
  }
}

/** Measures this machine once and returns the work a passphrase shall cost on it; never below the floor. */
export async function calibrateArgon2(crypto: Crypto, clock: Clock, targetMs: number = ARGON2_TARGET_MS): Promise<Argon2Params> {
  const startedMs = clock.monotonicMs()
  const key = await crypto.argon2id(new Uint8Array(MIN_PASSPHRASE_BYTES), new Uint8Array(16), ARGON2_FLOOR)
  key.dispose()
  return scaleArgon2(clock.monotonicMs() - startedMs, targetMs)
}
