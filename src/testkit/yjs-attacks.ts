import * as Y from 'yjs'
import { encoding } from '../sync/lib0.ts'

/*
 * The attacks on Yjs measured before this project began (ARCHITECTURE.md, section 4): what any peer could send to a bare
 * Y.Doc. Each makes bytes; what they do to a bare document is shown beside what the gate says, in yjs-attacks.test.ts.
 */

const bytesOf = (write: (encoder: encoding.Encoder) => void): Uint8Array => {
  const encoder = encoding.createEncoder()
  write(encoder)
  return encoding.toUint8Array(encoder)
}
const numbers = (...values: number[]): Uint8Array =>
  bytesOf((encoder) => {
    for (const value of values) encoding.writeVarUint(encoder, value)
  })

/** Deletes everything that exists: no structs, one delete range per client. */
export const eraseAll = (doc: Y.Doc): Uint8Array => {
  const state = [...Y.decodeStateVector(Y.encodeStateVector(doc))]
  return numbers(0, state.length, ...state.flatMap(([client, clock]) => [client, 1, 0, clock]))
}

/** One emptied range of 2^52 clocks under `client`: everything its owner does later is taken for known. */
export const burnClock = (client: number, clock = 0): Uint8Array =>
  bytesOf((encoder) => {
    for (const value of [1, 1, client, clock]) encoding.writeVarUint(encoder, value)
    encoding.writeUint8(encoder, 0)
    encoding.writeVarUint(encoder, 2 ** 52)
    encoding.writeVarUint(encoder, 0)
  })

/** Deletes clocks of `client` that do not exist yet: what it writes next is deleted as it arrives. */
export const deleteTheFuture = (client: number): Uint8Array => numbers(0, 1, client, 1, 0, 2 ** 40)

/** Deletes nothing at all, just behind what exists: Yjs throws in the middle of its transaction. */
export const deleteNothing = (client: number, clock: number): Uint8Array => numbers(0, 1, client, 1, clock, 0)

/** A change without the one it builds on. */
export function withholdFirst(author: Y.Doc): Uint8Array {
  author.getArray('queue').push(['first, withheld'])
  const before = Y.encodeStateVector(author)
  author.getArray('queue').push(['second'])
  return Y.encodeStateAsUpdate(author, before)
}

/** A change written under somebody else's client id. */
export function spoof(victim: number, from: Y.Doc): Uint8Array {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, Y.encodeStateAsUpdate(from))
  doc.clientID = victim
  const before = Y.encodeStateVector(doc)
  doc.getMap('records').set('spoofed', true)
  return Y.encodeStateAsUpdate(doc, before)
}

/** Sets a map key that is an object's prototype. */
export function setPrototype(author: Y.Doc): Uint8Array {
  const before = Y.encodeStateVector(author)
  author.getMap('records').set('__proto__', { polluted: true })
  return Y.encodeStateAsUpdate(author, before)
}

/** Counts far beyond the bytes that follow. */
export const hugeCounts = (): Uint8Array => numbers(2 ** 40, 2 ** 40, 1, 0)

/** Leaves out a range on purpose: a Skip struct in a client's own sequence. */
export const skipRange = (client: number): Uint8Array =>
  bytesOf((encoder) => {
    for (const value of [1, 1, client, 0]) encoding.writeVarUint(encoder, value)
    encoding.writeUint8(encoder, 10)
    encoding.writeVarUint(encoder, 1_000)
    encoding.writeVarUint(encoder, 0)
  })
