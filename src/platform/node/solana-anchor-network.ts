import { LEGACY_MEMO_PROGRAM_ADDRESS_V3, getAddMemoInstruction } from '@solana-program/memo'
import {
  address,
  appendTransactionMessageInstruction,
  type Base64EncodedWireTransaction,
  compileTransaction,
  createSolanaRpcFromTransport,
  createTransactionMessage,
  isSolanaError,
  pipe,
  type RpcTransport,
  setTransactionMessageFeePayer,
  setTransactionMessageLifetimeUsingBlockhash,
  signature as signatureOf,
  type TransactionMessageBytesBase64,
} from '@solana/kit'
import { errorMessage } from '../../base/errors.ts'
import { IdentityError } from '../../identity/identity-error.ts'
import type { AnchorNetwork } from '../../identity/ledger/anchor-network.ts'

/** What we use of fetch. */
export type RpcFetch = (
  url: string,
  init: { method: 'POST'; headers: Record<string, string>; body: string; redirect: 'error'; signal: AbortSignal },
) => Promise<Response>

const TIMEOUT_MS = 20_000
/** 1,000 signatures are some 250 kB. */
const MAX_ANSWER_BYTES = 1_048_576
/** Signatures of one answer: as many as a server gives at once. */
const MAX_SIGNATURES = 1_000

/**
 * Solana through a JSON-RPC server, by @solana/kit. Memos go to the program that all clusters and the in-process runtime
 * have. The server is not trusted: answers are bounded in size and time, redirects are not followed, and what it says is
 * checked by whoever uses it. `url` may hold a key of its provider, so it is in no error.
 */
export function createSolanaAnchorNetwork(url: string, fetch: RpcFetch): AnchorNetwork {
  const rpc = createSolanaRpcFromTransport(boundedTransport(url, fetch))
  const ask = async <T>(what: Promise<T>): Promise<T> => {
    try {
      return await what
    } catch (cause) {
      if (cause instanceof IdentityError) throw cause
      throw new IdentityError(
        'anchor/unreachable',
        `the Solana server gave no good answer (${errorMessage(cause).slice(0, 200)}); nothing is lost, try again later`,
        { cause },
      )
    }
  }
  const options = (signal?: AbortSignal) => (signal ? { abortSignal: signal } : {})
  return {
    genesis: (signal) => ask(rpc.getGenesisHash().send(options(signal))),
    balance: async (owner, signal) => Number((await ask(rpc.getBalance(address(owner), CONFIRMED).send(options(signal)))).value),
    async prepare(payer, memo, signal) {
      const { value: blockhash } = await ask(rpc.getLatestBlockhash(CONFIRMED).send(options(signal)))
      const message = pipe(
        createTransactionMessage({ version: 0 }),
        (draft) => setTransactionMessageFeePayer(address(payer), draft),
        (draft) => setTransactionMessageLifetimeUsingBlockhash(blockhash, draft),
        (draft) =>
          appendTransactionMessageInstruction(getAddMemoInstruction({ memo }, { programAddress: LEGACY_MEMO_PROGRAM_ADDRESS_V3 }), draft),
      )
      const bytes = new Uint8Array(compileTransaction(message).messageBytes)
      const encoded = Buffer.from(bytes).toString('base64') as TransactionMessageBytesBase64
      const { value: fee } = await ask(rpc.getFeeForMessage(encoded, CONFIRMED).send(options(signal)))
      if (fee === null) throw new IdentityError('anchor/unreachable', 'the Solana server does not know its own newest block; try again')
      return { message: bytes, feeLamports: Number(fee), lastValidHeight: Number(blockhash.lastValidBlockHeight) }
    },
    async send(wire, signal) {
      const encoded = Buffer.from(wire).toString('base64') as Base64EncodedWireTransaction
      try {
        await rpc.sendTransaction(encoded, { encoding: 'base64', preflightCommitment: 'confirmed' }).send(options(signal))
      } catch (cause) {
        if (!isSolanaError(cause)) return await ask(Promise.reject(cause))
        throw new IdentityError('anchor/refused', `the network did not take the anchor: ${errorMessage(cause).slice(0, 200)}`, { cause })
      }
    },
    async status(signature, signal) {
      const { value } = await ask(
        rpc.getSignatureStatuses([signatureOf(signature)], { searchTransactionHistory: true }).send(options(signal)),
      )
      const [status] = value
      if (!status) return { kind: 'unknown' }
      if (status.err)
        return { kind: 'failed', why: JSON.stringify(status.err, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part)) }
      return status.confirmationStatus === 'processed' ? { kind: 'seen' } : { kind: 'kept', slot: Number(status.slot) }
    },
    // Final, not confirmed: behind one URL are many servers, and one that is a little behind must not look as if it never came.
    height: async (signal) => Number(await ask(rpc.getBlockHeight({ commitment: 'finalized' }).send(options(signal)))),
    async transaction(signature, signal) {
      const config = { encoding: 'base64', maxSupportedTransactionVersion: 0, commitment: 'confirmed' } as const
      const found = await ask(rpc.getTransaction(signatureOf(signature), config).send(options(signal)))
      return found ? new Uint8Array(Buffer.from(found.transaction[0], 'base64')) : undefined
    },
    async signaturesOf(owner, signal) {
      const config = { limit: MAX_SIGNATURES, commitment: 'confirmed' } as const
      const rows = await ask(rpc.getSignaturesForAddress(address(owner), config).send(options(signal)))
      return rows.slice(0, MAX_SIGNATURES).map(({ signature }) => signature)
    },
  }
}

const CONFIRMED = { commitment: 'confirmed' } as const

function boundedTransport(url: string, fetch: RpcFetch): RpcTransport {
  return async <T>({ payload, signal }: Parameters<RpcTransport>[0]): Promise<T> => {
    const late = AbortSignal.timeout(TIMEOUT_MS)
    const body = JSON.stringify(payload, (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part))
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      redirect: 'error',
      signal: signal ? AbortSignal.any([late, signal]) : late,
    })
    const text = await readBounded(response)
    if (!response.ok) throw new Error(`status ${response.status}`)
    return JSON.parse(text) as T
  }
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) throw new Error('an answer larger than any there should be')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
