import { describe, expect, it } from 'vitest'
import { fromBase64Url, toBase64Url, utf8 } from '../../base/bytes.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import vectors from '../../../docs/vectors/anchor-v1.json' with { type: 'json' }
import { readAnchor } from './anchor.ts'
import { auditLedger } from './audit-ledger.ts'
import { readReceipt } from './ledger-receipt.ts'
import { ledgerSentence } from './ledger-words.ts'
import { rootOfProof } from './merkle.ts'

const crypto = new SodiumCrypto()
const { proof, export: file, transaction, otherTransaction } = vectors
type Check = (file: unknown, kept?: unknown, transaction?: unknown) => string | undefined

describe('the shipped vectors (docs/vectors/anchor-v1.json)', () => {
  it('[ID121] are read as they were written', () => {
    const anchor = readAnchor(crypto, proof.anchor)
    const steps = proof.path.map(({ side, hash }) => ({ side: side as 'left' | 'right', hash: fromBase64Url(hash) }))
    const record = new Uint8Array([...fromBase64Url(proof.record.sig), ...utf8(proof.record.body)])
    expect(toBase64Url(rootOfProof((bytes) => crypto.sha256(bytes), record, steps))).toBe(anchor.receipt.root)
    const records = file.records.map(({ body, sig }) => new Uint8Array([...fromBase64Url(sig), ...utf8(body)]))
    const receipts = file.anchors.map((each) => readReceipt(crypto, readAnchor(crypto, each).receipt))
    expect(auditLedger(crypto, file.device as never, records, { receipts })).toBeUndefined()
    expect(auditLedger(crypto, file.device as never, records.slice(0, 4), { receipts })).toEqual({ fault: 'truncated', at: 4 })
  })

  it('[ID122] docs/verify.mjs says the same of them, given the transaction, and of every way they can be wrong', async () => {
    const script = new URL('../../../docs/verify.mjs', import.meta.url).href
    const { checkLedger } = (await import(/* @vite-ignore */ script)) as { checkLedger: Check }
    expect([checkLedger(proof), checkLedger(proof, undefined, transaction), checkLedger(file)]).toEqual([undefined, undefined, undefined])
    expect(checkLedger(proof, undefined, transaction.result)).toBeUndefined()
    expect(checkLedger(file, undefined, otherTransaction)).toBeUndefined()
    expect(checkLedger(proof, undefined, otherTransaction)).toBe('the network holds another transaction')
    expect(checkLedger(proof, undefined, { result: null })).toBe('the network holds another transaction')
    const moved = { ...proof, anchor: { ...proof.anchor, slot: 1 } }
    expect(checkLedger(moved, undefined, transaction)).toBe('the network holds it in another slot')
    expect(checkLedger({ ...proof, anchor: undefined }, undefined, transaction)).toBe('there is no anchor in this file')
    const { anchor } = proof
    const [, later] = file.anchors
    const salt = toBase64Url(new Uint8Array(32))
    expect(checkLedger({ ...proof, anchor: { ...anchor, salt } })).toBe('the memo says something else than this root')
    expect(checkLedger({ ...proof, anchor: { ...anchor, transaction: later?.transaction } })).toBe('the transaction has another signature')
    expect(checkLedger({ ...proof, anchor: { ...anchor, wallet: { ...anchor.wallet, address: anchor.receipt.device } } })).toBe(
      'the wallet is of another device',
    )
    expect(checkLedger({ ...proof, anchor: later })).toBe('the anchor is of another root')
    expect(checkLedger({ ...file, records: file.records.slice(0, 4), receipt: undefined })).toBe('truncated at 4')
  })
})

it('[ID122] docs/verify.mjs comes to an end with whatever a stranger wrote: cut, too long, garbage', async () => {
  const script = new URL('../../../docs/verify.mjs', import.meta.url).href
  const { checkLedger } = (await import(/* @vite-ignore */ script)) as { checkLedger: Check }
  const bytes = fromBase64Url(proof.anchor.transaction)
  const cuts = [0, 1, 65, 70, bytes.length - 1].map((length) => bytes.subarray(0, length))
  for (const cut of [...cuts, new Uint8Array(200).fill(255)]) {
    expect(checkLedger({ ...proof, anchor: { ...proof.anchor, transaction: toBase64Url(cut) } })).toBeTypeOf('string')
  }
  for (const file of [{}, { ...proof, record: undefined }, { ...proof, device: '0' }, { ...proof, path: 7 }]) {
    expect(checkLedger(file)).toBeTypeOf('string')
  }
})

it('[ID120] an anchor is said in words', () => {
  expect(ledgerSentence({ kind: 'anchored', count: 7, feeLamports: 5_000 }, String)).toBe(
    'The 7 entries before were anchored on Solana for 5000 lamports',
  )
})
