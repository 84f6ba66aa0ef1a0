#!/usr/bin/env node
/*
 * Checks a ledger of Elsewhere without Elsewhere: node docs/verify.mjs FILE [RECEIPT]
 *
 * FILE is what `elsewhere ledger export`, `prove` or `receipt` wrote; RECEIPT is one that was kept from earlier, by you or by
 * somebody else: with it a history that was written anew is found, even when the device's own key signed it. Exit code 0: all
 * holds. Nothing is imported but Node 24 itself.
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

function fromBase58(text) {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
  let number = 0n
  for (const character of text) {
    const value = alphabet.indexOf(character)
    if (value < 0) throw new Error('not base58')
    number = number * 58n + BigInt(value)
  }
  return Buffer.from(number.toString(16).padStart(64, '0'), 'hex')
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

/** What is wrong with an export, a proof or a receipt, or undefined. */
export function checkLedger(file, kept) {
  const { device } = file
  const receipts = [file.format === 'elsewhere-ledger-receipt' ? file : file.receipt, kept].filter(Boolean)
  for (const receipt of receipts) {
    const wrong = checkReceipt(device, receipt)
    if (wrong) return wrong
  }
  if (file.format === 'elsewhere-ledger-receipt') return undefined
  if (file.format === 'elsewhere-ledger-proof') {
    const wrong = checkRecord(device, file.record)
    if (wrong) return wrong
    const step = (below, { side, hash }) => (side === 'left' ? nodeOf(bytesOf(hash), below) : nodeOf(below, bytesOf(hash)))
    const root = file.path.reduce(step, leafOf(recordOf(file.record)))
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
  const [file, kept] = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')))
  const wrong = file ? checkLedger(file, kept) : 'usage: node docs/verify.mjs FILE [RECEIPT]'
  console.log(wrong ?? `All holds: ${file.format} of device ${file.device}`)
  process.exitCode = wrong ? 1 : 0
}
