import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  address,
  getBase58Decoder,
  getCompiledTransactionMessageDecoder,
  getSignatureFromTransaction,
  getTransactionDecoder,
  lamports,
} from '@solana/kit'
import { FailedTransactionMetadata, LiteSVM } from 'litesvm'

/** As Solana keeps them. */
const RECENT_BLOCKHASHES = 150
const MAX_BODY_BYTES = 1_048_576
const LAMPORTS_PER_SIGNATURE = 5_000

interface Kept {
  readonly wire: string
  readonly slot: number
  readonly err: unknown
  readonly accounts: readonly string[]
}

/**
 * A Solana cluster of one: the real runtime (litesvm) in this process, behind the JSON-RPC methods that anchors use, on
 * loopback. Blocks come when `roll` says so; sending makes one. For tests.
 */
export class SolanaFacade {
  readonly svm: LiteSVM
  readonly genesis: string
  /** Calls by name, in order. */
  readonly calls: string[] = []
  /** Changes the answer of a method, as a server that lies would; undefined leaves it. */
  lie: ((method: string, answer: unknown) => unknown) | undefined
  /** Takes transactions and never runs them, as a server that swallows them would. */
  swallows = false
  readonly #blockhashes = new Map<string, number>()
  readonly #kept = new Map<string, Kept>()
  readonly #server = createServer((request, response) => void this.#serve(request, response))
  #slot = 1

  constructor(genesis = 'LoopbackLedger1111111111111111111111111111111') {
    this.genesis = genesis
    this.svm = new LiteSVM()
    this.svm.withBlockhashCheck(false) // it knows one blockhash only; ours are checked here
    this.svm.withTransactionHistory(1_000_000n)
    this.roll()
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get transactions(): number {
    return this.#kept.size
  }

  give(owner: string, amount: number): void {
    this.svm.airdrop(address(owner), lamports(BigInt(amount)))
  }

  balance(owner: string): number {
    return Number(this.svm.getBalance(address(owner)) ?? 0n)
  }

  /** Blocks go by. */
  roll(blocks = 1): void {
    for (let block = 0; block < blocks; block++) {
      this.#slot++
      this.svm.expireBlockhash()
      this.#blockhashes.set(this.svm.latestBlockhash(), this.#slot)
    }
    for (const [hash] of this.#blockhashes) if (this.#blockhashes.size > RECENT_BLOCKHASHES) this.#blockhashes.delete(hash)
  }

  dispose(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of request as AsyncIterable<Uint8Array>) {
      bytes += chunk.length
      if (bytes > MAX_BODY_BYTES) return void response.writeHead(413).end()
      chunks.push(chunk)
    }
    const {
      id,
      method,
      params = [],
    } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { id: unknown; method: string; params?: unknown[] }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...this.#answer(method, params) }))
  }

  #answer(method: string, params: readonly unknown[]): object {
    this.calls.push(method)
    const [first] = params
    const value = (result: unknown) => ({ context: { slot: this.#slot }, value: result })
    const methods: Readonly<Record<string, () => unknown>> = {
      getGenesisHash: () => this.genesis,
      getBlockHeight: () => this.#slot,
      getBalance: () => value(this.balance(String(first))),
      getLatestBlockhash: () => value({ blockhash: this.svm.latestBlockhash(), lastValidBlockHeight: this.#slot + RECENT_BLOCKHASHES }),
      getFeeForMessage: () => {
        const message = getCompiledTransactionMessageDecoder().decode(Buffer.from(String(first), 'base64'))
        return value(message.header.numSignerAccounts * LAMPORTS_PER_SIGNATURE)
      },
      sendTransaction: () => this.#send(String(first)),
      getSignatureStatuses: () => value((first as string[]).map((signature) => this.#status(signature))),
      getTransaction: () => {
        const kept = this.#kept.get(String(first))
        return kept ? { slot: kept.slot, blockTime: null, meta: null, version: 0, transaction: [kept.wire, 'base64'] } : null
      },
      getSignaturesForAddress: () =>
        [...this.#kept]
          .filter(([, { accounts }]) => accounts.includes(String(first)))
          .map(([signature, { slot, err }]) => ({ signature, slot, err, memo: null, blockTime: null, confirmationStatus: 'confirmed' }))
          .reverse(),
    }
    if (!Object.hasOwn(methods, method)) return { error: { code: -32601, message: `Method not found: ${method}` } }
    try {
      const result = methods[method]?.()
      return { result: this.lie ? (this.lie(method, result) ?? result) : result }
    } catch (error) {
      const data = { accounts: null, err: 'BlockhashNotFound', logs: [], returnData: null, unitsConsumed: 0 } // as a preflight says it
      return { error: { code: -32002, message: error instanceof Error ? error.message : String(error), data } }
    }
  }

  #status(signature: string) {
    const kept = this.#kept.get(signature)
    if (!kept) return null
    const { slot, err } = kept
    return { slot, err, confirmations: 1, confirmationStatus: 'confirmed', status: err ? { Err: err } : { Ok: null } }
  }

  #send(encoded: string): string {
    const wire = new Uint8Array(Buffer.from(encoded, 'base64'))
    const transaction = getTransactionDecoder().decode(wire)
    const signature = getSignatureFromTransaction(transaction)
    const message = getCompiledTransactionMessageDecoder().decode(transaction.messageBytes)
    if (this.swallows) return signature
    if (this.#kept.get(signature)?.wire === encoded) return signature // the very same bytes
    if (!('lifetimeToken' in message) || !this.#blockhashes.has(String(message.lifetimeToken)))
      throw new Error('Transaction simulation failed: Blockhash not found')
    const result = this.svm.sendTransaction(transaction)
    if (result instanceof FailedTransactionMetadata) throw new Error(`Transaction simulation failed: ${result.toString().slice(0, 200)}`)
    this.#kept.set(getBase58Decoder().decode(result.signature()), {
      wire: encoded,
      slot: this.#slot,
      err: null,
      accounts: message.staticAccounts,
    })
    this.roll()
    return signature
  }
}
