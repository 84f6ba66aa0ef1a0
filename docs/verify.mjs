#!/usr/bin/env node
/*
 * Checks a ledger of Elsewhere without Elsewhere, with Node 24 alone: node docs/verify.mjs FILE [RECEIPT...] [TRANSACTION]
 *
 * FILE: what `elsewhere ledger export`, `prove` or `receipt` wrote. RECEIPT: kept from earlier, any number; with one a history written
 * anew, or told to others otherwise, is found, even when the device's own key signed it. TRANSACTION: what a Solana server that you
 * trust answers to getTransaction (base64) about the anchor in FILE: with it nobody, the owner included, can have changed the history
 * since. Exit code 0: all holds.
 *
 * An entry is Ed25519 over "elsewhere/ledger/1\0" and its body; a record is the signature and the body; `prev` is SHA-256 of the record
 * before; the root is RFC 6962's over the records; the memo is one hash over device, count, root and a salt.
 */
import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

class Wrong extends Error {}
const must = (holds, what) => {
  if (!holds) throw new Wrong(what)
}
const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest()
const bytesOf = (text) => Buffer.from(text, 'base64url')
const textOf = (bytes) => bytes.toString('base64url')
const recordOf = ({ body, sig }) => Buffer.concat([bytesOf(sig), Buffer.from(body)])
const leafOf = (record) => sha256(Buffer.of(0), recordOf(record))
const nodeOf = (left, right) => sha256(Buffer.of(1), left, right)

const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
function fromBase58(text, length = 32) {
  must(/^[1-9A-HJ-NP-Za-km-z]+$/.test(text), 'a key or signature is not base58')
  const number = [...text].reduce((sum, letter) => sum * 58n + BigInt(BASE58.indexOf(letter)), 0n)
  return Buffer.from(number.toString(16).padStart(2 * length, '0'), 'hex')
}
function isSigned(address, text, sig) {
  const key = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), fromBase58(address)])
  return verify(null, Buffer.from(text), createPublicKey({ key, format: 'der', type: 'spki' }), bytesOf(sig))
}
function rootOf(leaves) {
  if (leaves.length < 2) return leaves[0] ?? sha256()
  const half = 2 ** Math.floor(Math.log2(leaves.length - 1))
  return nodeOf(rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half)))
}

function checkRecord(device, { body, sig }, where = '') {
  must(isSigned(device, `elsewhere/ledger/1\0${body}`, sig) && JSON.parse(body).device === device, `edited${where}`)
  const { kind, wallet, text, sig: byWallet } = JSON.parse(body).event
  must(kind !== 'signed-in' || isSigned(wallet, text, byWallet), `edited${where}`)
}
function checkReceipt(device, { device: named, count, root, atMs, sig }) {
  must(named === device, 'the receipt is of another device')
  must(Number.isSafeInteger(count) && count >= 0, 'the receipt was changed')
  must(isSigned(named, `elsewhere/ledger-receipt/1\0${named}\n${count}\n${root}\n${atMs}`, sig), 'the receipt was changed')
}
function checkChain({ device, records }, receipts) {
  records.reduce((prev, record, at) => {
    checkRecord(device, record, ` at ${at}`)
    const body = JSON.parse(record.body)
    must(body.seq === at && body.prev === textOf(prev), `broken at ${at}`)
    return sha256(recordOf(record))
  }, Buffer.alloc(32))
  const leaves = records.map(leafOf)
  for (const { count, root } of receipts) {
    must(leaves.length >= count, `truncated at ${leaves.length}`)
    must(textOf(rootOf(leaves.slice(0, count))) === root, `rewritten before ${count}`)
  }
}
function checkProof({ device, record, path, receipt, anchor }) {
  checkRecord(device, record)
  const up = (below, { side, hash }) => (side === 'left' ? nodeOf(bytesOf(hash), below) : nodeOf(below, bytesOf(hash)))
  must(!anchor || anchor.receipt.root === receipt.root, 'the anchor is of another root')
  must(textOf(path.reduce(up, leafOf(record))) === receipt.root, 'the entry is not under this root')
}

/** Of a Solana transaction: signatures, what they sign, accounts that sign, and what is told to which program. */
function readTransaction(wire, at = 0) {
  const take = (length) => {
    must(at + length <= wire.length, 'the transaction is cut short')
    return wire.subarray(at, (at += length))
  }
  const length = (shift = 0) => {
    must(shift < 21, 'the transaction has a length that cannot be')
    const [byte] = take(1)
    return byte < 0x80 ? byte << shift : ((byte & 0x7f) << shift) | length(shift + 7)
  }
  const many = (each) => Array.from({ length: length() }, each)
  const signatures = many(() => take(64))
  const message = wire.subarray(at)
  if (wire[at] === 0x80) at++ // version 0
  const [signerCount] = take(3)
  const accounts = many(() => take(32))
  take(32)
  const told = many(() => ({ program: accounts[take(1)[0]], text: (take(length()), take(length())).toString() }))
  return { signatures, message, signers: accounts.slice(0, signerCount), told }
}
const MEMOS = ['MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr', 'Memo4c2pN8afCj432Lb7RMVKi9PbQnnW7ewFFaV3oAH']

/** An anchor by itself, and against what a server said of its transaction. */
function checkAnchor(device, { receipt, wallet: { address, proof, ...wallet }, salt, signature, slot, transaction }, said) {
  checkReceipt(device, receipt)
  const isOwn = wallet.device === device && isSigned(device, `elsewhere/wallet/1\0${device}\n${address}`, wallet.sig)
  must(isOwn && isSigned(address, `elsewhere/wallet-proof/1\0${device}\n${address}`, proof), 'the wallet is of another device')
  const { signatures, message, signers, told } = readTransaction(bytesOf(transaction))
  const isPaid = signers[0]?.equals(fromBase58(address)) && isSigned(address, message, textOf(signatures[0]))
  must(isPaid, 'the wallet did not sign the transaction')
  must(fromBase58(signature, 64).equals(signatures[0]), 'the transaction has another signature')
  const memo = sha256(Buffer.from(`elsewhere/anchor/1\0${device}\n${receipt.count}\n${receipt.root}\n`), bytesOf(salt))
  const isMemo = told.length === 1 && MEMOS.some((each) => fromBase58(each).equals(told[0].program))
  must(isMemo && told[0].text === `elsewhere-anchor/1 ${textOf(memo)}`, 'the memo says something else than this root')
  if (!said) return
  const answer = said.result ?? said
  must(!answer.meta?.err, 'the network refused the transaction')
  must(bytesOf(transaction).equals(Buffer.from(answer.transaction?.[0] ?? '', 'base64')), 'the network holds another transaction')
  must(answer.slot === slot, 'the network holds it in another slot')
}

const anchorsOf = ({ anchors = [], anchor }) => [...anchors, ...(anchor ? [anchor] : [])]

/** What is wrong with an export, a proof or a receipt, or undefined. Files are a stranger's: whatever they hold, this ends. */
export function checkLedger(file, kept, transaction) {
  try {
    const anchors = anchorsOf(file)
    const own = file.format === 'elsewhere-ledger-receipt' ? file : file.receipt
    const receipts = [own, ...[kept].flat(), ...anchors.map(({ receipt }) => receipt)].filter(Boolean)
    for (const receipt of receipts) checkReceipt(file.device, receipt)
    for (const anchor of anchors) checkAnchor(file.device, anchor, anchor === anchors.at(-1) ? transaction : undefined)
    must(!transaction || anchors.length > 0, 'there is no anchor in this file')
    if (file.format === 'elsewhere-ledger-proof') checkProof(file)
    else if (file.format === 'elsewhere-ledger') checkChain(file, receipts)
    else must(file === own, 'this is no file of a ledger')
    const isTold = ({ count, root }) => receipts.every((other) => other.count !== count || other.root === root)
    must(receipts.every(isTold), 'fork: of as many entries two different histories were signed')
  } catch (error) {
    return error instanceof Wrong ? error.message : `this is no file of a ledger: ${error.message}`
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [file, ...others] = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')))
  const kept = others.filter(({ format }) => format === 'elsewhere-ledger-receipt')
  const [said, ...more] = others.filter((other) => !kept.includes(other))
  const wrong = file && more.length === 0 ? checkLedger(file, kept, said) : 'usage: node docs/verify.mjs FILE [RECEIPT...] [TRANSACTION]'
  console.log(wrong ?? `All holds: ${file.format} of device ${file.device}`)
  const { slot, network, signature } = (!wrong && anchorsOf(file).at(-1)) || {}
  if (signature && said) console.log(`The server holds its anchor in slot ${slot}`)
  else if (signature)
    console.log(`Anchored in slot ${slot} of the Solana network with genesis hash ${network}. To be sure, ask a server of it
getTransaction ["${signature}", {"encoding": "base64", "maxSupportedTransactionVersion": 0}]: its answer is the third file`)
  process.exitCode = wrong ? 1 : 0
}
