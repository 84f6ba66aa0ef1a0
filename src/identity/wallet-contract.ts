import * as z from 'zod'
import { method, type Contract } from '../rpc/contract.ts'

const nothing = z.object({})
const address = z.string().min(32).max(44)
const sig = z.string().length(86)

/** Whose a wallet is: signed by the device and by the wallet. Formats of `elsewhere wallet --json` and of anchors. */
export const walletCertificate = z.strictObject({
  format: z.literal('elsewhere-wallet'),
  version: z.literal(1),
  /** base58 of the device's key. */
  device: address,
  /** base58 of the wallet's own key: a Solana address. */
  address,
  /** base64url, by the device. */
  sig,
  /** base64url, by the wallet. */
  proof: sig,
})
export type WalletCertificate = z.infer<typeof walletCertificate>

export const walletContract = {
  /** The device's wallet; made at the first call. Errors: vault/locked, store/disk-full. */
  readWallet: method({ needs: 'desk:read', parseInput: nothing.parse, parseOutput: walletCertificate.parse }),
} satisfies Contract

const signed = z.object({
  address,
  /** base64 of the bytes that were signed. */
  signedMessage: z.string().max(8_192),
  /** base58, as Solana writes signatures. */
  signature: z.string().min(64).max(90),
})

/** Signing is for whoever holds the device's 0600 socket; a page never asks for it. */
export const walletControlContract = {
  /** Errors: wallet/refused  the text is a transaction, a sign-in, or what devices sign. */
  signWalletMessage: method({
    needs: 'local:run',
    parseInput: z.object({ text: z.string().min(1).max(4_096) }).parse,
    parseOutput: signed.parse,
  }),
  /** Answers a sign-in of the wallet standard (`solana:signIn`). Errors: wallet/refused. */
  signInWithWallet: method({
    needs: 'local:run',
    parseInput: z.object({
      domain: z.string().min(1).max(255),
      nonce: z.string().min(8).max(128),
      statement: z.string().min(1).max(400).optional(),
      uri: z.string().max(512).optional(),
      issuedAt: z.iso.datetime().optional(),
      expirationTime: z.iso.datetime().optional(),
    }).parse,
    parseOutput: signed.parse,
  }),
} satisfies Contract
