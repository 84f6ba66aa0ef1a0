#!/usr/bin/env node
/*
 * Checks a ledger of Elsewhere without Elsewhere: node docs/verify.mjs FILE [RECEIPT] [TRANSACTION]
 *
 * FILE is what `elsewhere ledger export`, `prove` or `receipt` wrote; RECEIPT is one that was kept from earlier, by you or by
 * somebody else: with it a history that was written anew is found, even when the device's own key signed it. Exit code 0: all
 * holds. Nothing is imported but Node 24 itself.
 *
 * TRANSACTION is what a Solana server that you trust answers to getTransaction (encoding base64) about the anchor in FILE, whose
 * signature is told: with it nobody, the device's owner included, can have changed the history since that slot. The anchor's
 * memo is "elsewhere-anchor/1 " and SHA-256 over "elsewhere/anchor/1\0", device, count, root (each with a line end) and the salt.
 *
 * An entry is signed text: Ed25519 over "elsewhere/ledger/1\0" and the body. A record is the 64 bytes of signature, then the
 * body; `prev` in the body is SHA-256 of the record before. The root is RFC 6962's Merkle tree over the records.
 */
import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest()
const bytesOf = (text) => Buffer.from(text, 'base64url')
const leafOf = (record) => sha256(Buffer.of(0), record)
const nodeOf = (left, right) => sha256(Buffer.of(1), left, right)

function fromBase58(text, bytes = 32) {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  let number = 0n
  for (const character of text) {
    const value = alphabet.indexOf(character)
    if (value < 0) throw new Error('not base58')
    number = number * 58n + BigInt(value)
  }
  return Buffer.from(number.toString(16).padStart(2 * bytes, '0'), 'hex')
}

function isSigned(device, text, sig) {
  const prefix = Buffer.from('302a300506032b6570032100', 'hex')
  const key = createPublicKey({ key: Buffer.concat([prefix, fromBase58(device)]), format: 'der', type: 'spki' })
  return verifySignature(null, Buffer.from(text), key, bytesOf(sig))
}

function rootOf(leaves) {
  if (leaves.length < 2) return leaves[0] ?? sha256()
  let half = 1
  while (half * 2 < leaves.length) half *= 2
  return nodeOf(rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half)))
}

const recordOf = ({ body, sig }) => Buffer.concat([bytesOf(sig), Buffer.from(body)])

function checkRecord(device, record) {
  if (!isSigned(device, `elsewhere/ledger/1\0${record.body}`, record.sig)) return 'edited'
  return JSON.parse(record.body).device === device ? undefined : 'edited'
}

function checkReceipt(device, { device: named, count, root, atMs, sig }) {
  if (named !== device) return 'the receipt is of another device'
  const text = `elsewhere/ledger-receipt/1\0${named}\n${count}\n${root}\n${atMs}`
  return isSigned(named, text, sig) ? undefined : 'the receipt was changed'
}

/** Signatures, signed bytes, accounts that sign, and the texts of all instructions of a Solana transaction. */
function readTransaction(wire) {
  let at = 0
  const take = (length) => {
    if (at + length > wire.length) throw new Error('cut short')
    return wire.subarray(at, (at += length))
  }
  const length = () => {
    let value = 0
    for (let shift = 0; shift < 21; shift += 7) {
      const [byte] = take(1)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new Error('a length that cannot be')
  }
  const many = (each) => Array.from({ length: length() }, each)
  const signatures = many(() => take(64))
  const message = wire.subarray(at)
  if (wire[at] === 0x80) at++ // version 0
  const [signerCount] = take(3)
  const accounts = many(() => take(32))
  take(32)
  const texts = many(() => {
    const program = accounts[take(1)[0]].toString('hex')
    take(length())
    return { program, text: take(length()).toString() }
  })
  return { signatures, message, signers: accounts.slice(0, signerCount), texts }
}

/** The SPL Memo program, third version, and fourth. */
const MEMO = ['MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr', 'Memo4c2pN8afCj432Lb7RMVKi9PbQnnW7ewFFaV3oAH'].map((each) =>
  fromBase58(each).toString('hex'),
)

/** An anchor by itself, and against what a server said of its transaction. */
function checkAnchor(device, anchor, transaction) {
  const { receipt, wallet, salt, signature } = anchor
  const wrong = checkReceipt(device, receipt)
  if (wrong) return wrong
  const isOwn = wallet.device === device && isSigned(device, `elsewhere/wallet/1\0${device}\n${wallet.address}`, wallet.sig)
  if (!isOwn || !isSigned(wallet.address, `elsewhere/wallet-proof/1\0${device}\n${wallet.address}`, wallet.proof))
    return 'the wallet is of another device'
  const wire = bytesOf(anchor.transaction)
  const { signatures, message, signers, texts } = readTransaction(wire)
  const payer = fromBase58(wallet.address)
  if (!signers[0]?.equals(payer) || !isSigned(wallet.address, message, signatures[0].toString('base64url')))
    return 'the wallet did not sign the transaction'
  if (fromBase58(signature, 64).compare(signatures[0]) !== 0) return 'the transaction has another signature'
  const hash = sha256(Buffer.from(`elsewhere/anchor/1\0${device}\n${receipt.count}\n${receipt.root}\n`), bytesOf(salt)).toString(
    'base64url',
  )
  const isMemo = texts.length === 1 && MEMO.includes(texts[0].program) && texts[0].text === `elsewhere-anchor/1 ${hash}`
  if (!isMemo) return 'the memo says something else than this root'
  const answer = transaction && (transaction.result ?? transaction)
  if (transaction && answer?.meta?.err) return 'the network refused the transaction'
  if (transaction && !wire.equals(Buffer.from(answer?.transaction?.[0] ?? '', 'base64'))) return 'the network holds another transaction'
  if (transaction && answer.slot !== anchor.slot) return 'the network holds it in another slot'
  return undefined
}

const anchorsOf = (file) => [...(file.anchors ?? []), ...(file.anchor ? [file.anchor] : [])]

/** What is wrong with an export, a proof or a receipt, or undefined. Files are a stranger's: whatever they hold, this ends. */
export function checkLedger(file, kept, transaction) {
  try {
    return check(file, kept, transaction)
  } catch (error) {
    return `this is no file of a ledger: ${error.message}`
  }
}

function check(file, kept, transaction) {
  const { device } = file
  const anchors = anchorsOf(file)
  const receipts = [
    file.format === 'elsewhere-ledger-receipt' ? file : file.receipt,
    kept,
    ...anchors.map(({ receipt }) => receipt),
  ].filter(Boolean)
  for (const receipt of receipts) {
    const wrong = checkReceipt(device, receipt)
    if (wrong) return wrong
  }
  for (const anchor of anchors) {
    const wrong = checkAnchor(device, anchor, anchor === anchors.at(-1) ? transaction : undefined)
    if (wrong) return wrong
  }
  if (transaction && anchors.length === 0) return 'there is no anchor in this file'
  if (file.format === 'elsewhere-ledger-receipt') return undefined
  if (file.format === 'elsewhere-ledger-proof') {
    const wrong = checkRecord(device, file.record)
    if (wrong) return wrong
    const step = (below, { side, hash }) => (side === 'left' ? nodeOf(bytesOf(hash), below) : nodeOf(below, bytesOf(hash)))
    const root = file.path.reduce(step, leafOf(recordOf(file.record)))
    if (file.anchor && file.anchor.receipt.root !== file.receipt.root) return 'the anchor is of another root'
    if (root.toString('base64url') !== file.receipt.root) return 'the entry is not under this root'
    return kept && kept.count === file.receipt.count && kept.root !== file.receipt.root ? 'rewritten' : undefined
  }
  if (file.format !== 'elsewhere-ledger') return 'this is no file of a ledger'
  let prev = Buffer.alloc(32)
  for (const [at, record] of file.records.entries()) {
    const wrong = checkRecord(device, record)
    if (wrong) return `${wrong} at ${at}`
    const body = JSON.parse(record.body)
    if (body.seq !== at || body.prev !== prev.toString('base64url')) return `broken at ${at}`
    prev = sha256(recordOf(record))
  }
  const leaves = file.records.map((record) => leafOf(recordOf(record)))
  for (const { count, root } of receipts) {
    if (leaves.length < count) return `truncated at ${leaves.length}`
    if (rootOf(leaves.slice(0, count)).toString('base64url') !== root) return `rewritten before ${count}`
  }
  return undefined
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [file, ...others] = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')))
  const kept = others.find(({ format }) => format === 'elsewhere-ledger-receipt')
  const transaction = others.find((other) => other !== kept)
  const wrong = file ? checkLedger(file, kept, transaction) : 'usage: node docs/verify.mjs FILE [RECEIPT] [TRANSACTION]'
  console.log(wrong ?? `All holds: ${file.format} of device ${file.device}`)
  const anchor = wrong ? undefined : anchorsOf(file).at(-1)
  if (anchor && transaction) console.log(`The server holds its anchor in slot ${anchor.slot}`)
  else if (anchor) {
    console.log(
      `Anchored in slot ${anchor.slot} of the Solana network whose genesis hash is ${anchor.network}. To be sure of that, ask a server of it`,
    )
    console.log(
      `getTransaction ["${anchor.signature}", {"encoding": "base64", "maxSupportedTransactionVersion": 0}] and give its answer as another file`,
    )
  }
  process.exitCode = wrong ? 1 : 0
}
