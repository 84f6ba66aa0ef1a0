import { toBase58 } from '../../base/base58.ts'

const KEY_BYTES = 32
const SIGNATURE_BYTES = 64
/** Longest transaction a Solana cluster takes: one IPv6 packet. */
export const MAX_TRANSACTION_BYTES = 1_232
/** Set in the first byte of every message that names a version; the rest of it is the version. */
const VERSIONED = 0x80

export interface SolanaInstruction {
  readonly program: string
  readonly data: Uint8Array
}

/** What is signed of a Solana transaction, as far as this project looks at it. Addresses are base58. */
export interface SolanaMessage {
  readonly version: 'legacy' | 0
  /** Who must sign, in the order of the signatures; the first pays. */
  readonly signers: readonly string[]
  readonly blockhash: string
  readonly instructions: readonly SolanaInstruction[]
}

export interface SolanaTransaction {
  readonly signatures: readonly Uint8Array[]
  /** The bytes that the signatures are over. */
  readonly messageBytes: Uint8Array
  readonly message: SolanaMessage
}

/** The message, or undefined: not one, cut short, or longer than it says. Never throws. */
export function readSolanaMessage(bytes: Uint8Array): SolanaMessage | undefined {
  return whole(bytes, readMessage)
}

/** A transaction as it goes over the wire: signatures, then the message. Says nothing of whether they are right. Never throws. */
export function readSolanaTransaction(wire: Uint8Array): SolanaTransaction | undefined {
  return whole(wire, (reader) => {
    const signatures = reader.many(() => reader.take(SIGNATURE_BYTES))
    const messageBytes = reader.rest()
    const message = readMessage(reader)
    if (signatures.length !== message.signers.length) throw new RangeError('signatures and signers differ')
    return { signatures, messageBytes, message }
  })
}

function readMessage(reader: Reader): SolanaMessage {
  const first = reader.byte()
  const isVersioned = (first & VERSIONED) !== 0
  if (isVersioned && first !== VERSIONED) throw new RangeError('a version that is not known here')
  const signerCount = isVersioned ? reader.byte() : first
  const readOnlySigners = reader.byte()
  reader.byte() // read-only accounts that do not sign
  const accounts = reader.many(() => toBase58(reader.take(KEY_BYTES)))
  if (signerCount === 0 || signerCount > accounts.length || readOnlySigners >= signerCount) throw new RangeError('a header that cannot be')
  const blockhash = toBase58(reader.take(KEY_BYTES))
  const instructions = reader.many(() => {
    const program = accounts[reader.byte()]
    reader.take(reader.length())
    const data = reader.take(reader.length())
    if (program === undefined) throw new RangeError('an instruction without a program')
    return { program, data }
  })
  if (isVersioned) {
    reader.many(() => {
      reader.take(KEY_BYTES)
      reader.take(reader.length())
      reader.take(reader.length())
    })
  }
  return { version: isVersioned ? 0 : 'legacy', signers: accounts.slice(0, signerCount), blockhash, instructions }
}

function whole<T>(bytes: Uint8Array, read: (reader: Reader) => T): T | undefined {
  if (bytes.length > MAX_TRANSACTION_BYTES) return undefined
  try {
    const reader = new Reader(bytes)
    const result = read(reader)
    return reader.isAtEnd ? result : undefined
  } catch {
    return undefined // cut short, or what cannot be: not a transaction
  }
}

/** Reads forward; throws RangeError past the end. */
class Reader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  byte(): number {
    return this.take(1)[0] as number
  }

  take(length: number): Uint8Array {
    if (this.#at + length > this.#bytes.length) throw new RangeError('cut short')
    return this.#bytes.subarray(this.#at, (this.#at += length))
  }

  /** What is left, without going there. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at)
  }

  /** Solana's compact length: 7 bits a byte, low ones first, at most 16 bits. */
  length(): number {
    let value = 0
    for (let shift = 0; shift < 21; shift += 7) {
      const byte = this.byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) break // a longer way to write it
        if (value > 0xffff) break
        return value
      }
    }
    throw new RangeError('a length that cannot be')
  }

  many<T>(each: () => T): T[] {
    return Array.from({ length: this.length() }, each)
  }
}
