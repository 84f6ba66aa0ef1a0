import * as z from 'zod'
import { method, type Contract } from '../../rpc/contract.ts'
import { doorState, seatHow } from '../desk/desk-contract.ts'

/** base64url of 32 bytes: HKDF of what the authenticator answered. */
const answer = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const base64Url = (min: number, max: number) =>
  z
    .string()
    .min(min)
    .max(max)
    .regex(/^[A-Za-z0-9_-]+$/)
    .refine((text) => text.length % 4 !== 1)

/** The way in by a passkey (WebAuthn PRF) of the device's own host name. What to ask it is in the door's state. */
export const passkeyContract = {
  /** As `unlock`. Errors: vault/wrong-passkey, vault/too-many-tries (one count with wrong passphrases). */
  unlockByPasskey: method({ needs: 'door:run', parseInput: z.object({ answer, how: seatHow }).parse, parseOutput: doorState.parse }),
  /** Takes the place of the one before. Errors: vault/wrong-passphrase, vault/too-many-tries. */
  setPasskey: method({
    needs: 'desk:write',
    parseInput: z.object({
      passphrase: z.string().min(1).max(1024),
      credentialId: base64Url(2, 1364),
      salt: base64Url(43, 43),
      answer,
    }).parse,
    parseOutput: z.object({}).parse,
  }),
  forgetPasskey: method({ needs: 'desk:write', parseInput: z.object({}).parse, parseOutput: z.object({}).parse }),
} satisfies Contract
