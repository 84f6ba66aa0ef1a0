import * as z from 'zod'
import { method, type Contract } from '../../rpc/contract.ts'
import { doorState, seatHow } from '../desk/desk-contract.ts'

const nothing = z.object({})
const address = z.string().min(32).max(44)
const base64Url = (min: number, max: number) =>
  z
    .string()
    .min(min)
    .max(max)
    .regex(/^[A-Za-z0-9_-]+$/)
    .refine((text) => text.length % 4 !== 1)

/** What is asked of a wallet, as `solana:signIn` takes it; every field must come back. */
const question = z.object({
  domain: z.string(),
  statement: z.string(),
  uri: z.string(),
  version: z.string(),
  nonce: z.string(),
  issuedAt: z.string(),
  expirationTime: z.string(),
})
export type WalletQuestion = z.infer<typeof question>

/** What the wallet gave back; `address` and `publicKey` as its account says them. */
const answer = z.strictObject({ address, publicKey: base64Url(43, 43), signedMessage: base64Url(2, 5_500), signature: base64Url(86, 86) })
export type WalletAnswer = z.infer<typeof answer>

const listedWallet = z.object({ address, name: z.string(), addedAtMs: z.number() })

/**
 * The way in by a browser wallet (wallet standard): it says who is there and opens a display, never a vault. A question is good
 * for the display that asked, once, for five minutes, and for one of the two purposes.
 */
export const walletSignInContract = {
  /** Errors: wallet/not-possible  the device is locked, or no wallet is listed here. */
  askWalletSignIn: method({ needs: 'door:run', parseInput: nothing.parse, parseOutput: question.parse }),
  /** Opens this display. Errors: wallet/not-possible, wallet/refused-sign-in, wallet/not-listed. */
  signInByWallet: method({ needs: 'door:run', parseInput: z.object({ answer, how: seatHow }).parse, parseOutput: doorState.parse }),
  listWallets: method({ needs: 'desk:read', parseInput: nothing.parse, parseOutput: z.object({ wallets: z.array(listedWallet) }).parse }),
  /** A question whose answer lists the wallet that gave it; it signs nobody in. */
  askWalletListing: method({ needs: 'desk:write', parseInput: nothing.parse, parseOutput: question.parse }),
  /** Errors: vault/wrong-passphrase, vault/too-many-tries, wallet/refused-sign-in, wallet/too-many. */
  addListedWallet: method({
    needs: 'desk:write',
    parseInput: z.object({ passphrase: z.string().min(1).max(1024), name: z.string().trim().min(1).max(64), answer }).parse,
    parseOutput: nothing.parse,
  }),
  /** Displays that it opened lock. One that is not listed is fine. */
  removeListedWallet: method({ needs: 'desk:write', parseInput: z.object({ address }).parse, parseOutput: nothing.parse }),
} satisfies Contract
