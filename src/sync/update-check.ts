import * as Y from 'yjs'
import { MAX_UPDATE_BYTES } from './envelope.ts'
import type { SyncErrorCode } from './sync-error.ts'

/** Clocks one update may use up. Text takes a byte or more each; only emptied ranges are cheaper, and 14 bytes of those once muted an author for ever. */
export const MAX_CLOCK_JUMP = 2 * MAX_UPDATE_BYTES

/** The rules of this file, one name each, so that a test can leave one out and see what it was good for. */
export const UPDATE_RULES = ['size', 'decode', 'client', 'gap', 'jump', 'dependency', 'future-delete', 'content'] as const
export type UpdateRule = (typeof UPDATE_RULES)[number]

export interface Violation {
  readonly code: SyncErrorCode
  readonly message: string
}

/** What an update is held against. */
export interface UpdateBounds {
  /** May this author write under that Yjs client id? */
  readonly mayWrite: (clientId: number) => boolean
  readonly maxBytes?: number
  readonly maxJump?: number
  /** A rule to leave out; tests only. */
  readonly without?: UpdateRule | undefined
}

const violation = (code: SyncErrorCode, message: string): Violation => ({ code, message })

/**
 * What keeps `update` from being applied to `doc`, or undefined when nothing does (rules SY20-SY27). Changes nothing.
 *
 * Clocks that `doc` has already are no violation: a display that lost its device sends again what it is not sure of, and
 * Yjs skips them. A gap is one: the rest would lie in memory, unseen, for ever.
 */
export function findViolation(doc: Y.Doc, update: Uint8Array, bounds: UpdateBounds): Violation | undefined {
  const holds = (rule: UpdateRule): boolean => rule !== bounds.without
  const { maxBytes = MAX_UPDATE_BYTES, maxJump = MAX_CLOCK_JUMP } = bounds
  if (holds('size') && update.length > maxBytes) {
    return violation('sync/too-large', `an update of ${update.length} bytes is over the ${maxBytes} allowed`)
  }
  let decoded: ReturnType<typeof Y.decodeUpdate>
  try {
    decoded = Y.decodeUpdate(update)
  } catch (error) {
    if (!holds('decode')) return undefined
    return violation('sync/malformed', `not a Yjs update: ${error instanceof Error ? error.message : error}`)
  }
  const queues = new Map<number, (Y.Item | Y.GC | Y.Skip)[]>()
  const [looksAtContent, looksForGaps] = [holds('content'), holds('gap')]
  let jump = 0
  /** Structs of one client follow each other: what is asked of the client is asked once. */
  let current: { readonly client: number; readonly queue: (Y.Item | Y.GC | Y.Skip)[] } | undefined
  for (const struct of decoded.structs) {
    const { client, clock } = struct.id
    if (current?.client !== client) {
      if (holds('client') && !bounds.mayWrite(client)) {
        return violation('sync/foreign-client', `changes under client id ${client}, which its author was not given`)
      }
      const queue = queues.get(client) ?? []
      queues.set(client, queue)
      current = { client, queue }
    }
    if (looksAtContent) {
      const reason = forbiddenContent(struct)
      if (reason) return violation('sync/forbidden-content', reason)
    }
    const { queue } = current
    const previous = queue[queue.length - 1]
    const expected = previous ? previous.id.clock + previous.length : Y.getState(doc.store, client)
    if (looksForGaps && (previous ? clock !== expected : clock > expected)) {
      return violation('sync/clock-gap', `client id ${client} goes on at clock ${clock}, but ${expected} is the next`)
    }
    jump += struct.length
    queue.push(struct)
  }
  if (holds('jump') && jump > maxJump) {
    return violation('sync/clock-jump', `uses ${jump} clocks at once; ${maxJump} are allowed`)
  }
  return (
    (holds('dependency') ? missingDependency(doc, queues) : undefined) ??
    (holds('future-delete') ? futureDelete(doc, decoded, queues) : undefined)
  )
}

/** Content that this product never makes and that would do harm: sub-documents, gaps, keys that replace a prototype. */
function forbiddenContent(struct: Y.Item | Y.GC | Y.Skip): string | undefined {
  if (struct instanceof Y.Skip) return 'leaves out a range'
  if (struct.length < 1 || !Number.isSafeInteger(struct.id.clock + struct.length)) return 'has an impossible length'
  if (!(struct instanceof Y.Item)) return undefined
  if (struct.parentSub === '__proto__' || (struct.parent as unknown) === '__proto__') return 'uses the name __proto__'
  if (struct.content instanceof Y.ContentDoc) return 'holds a sub-document'
  if (struct.content instanceof Y.ContentAny && struct.content.arr.some((value) => replacesPrototype(value, 0)))
    return 'replaces a prototype'
  return undefined
}

/** Deeper than any record of ours; refuses what would exhaust the stack of a reader. */
const MAX_DEPTH = 64

function replacesPrototype(value: unknown, depth: number): boolean {
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return false
  if (depth > MAX_DEPTH) return true
  if (Array.isArray(value)) return value.some((part) => replacesPrototype(part, depth + 1))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return true
  return Object.values(value).some((part) => replacesPrototype(part, depth + 1))
}

/**
 * Plays the order in which Yjs would integrate: every struct needs its neighbours and its parent first. What stays over
 * would wait for ever inside Yjs and be sent again with every state.
 */
function missingDependency(doc: Y.Doc, queues: ReadonlyMap<number, readonly (Y.Item | Y.GC | Y.Skip)[]>): Violation | undefined {
  const reached = new Map<number, number>()
  const state = (client: number): number => reached.get(client) ?? Y.getState(doc.store, client)
  const known = (id: unknown, client: number, own: number): boolean =>
    !(id instanceof Y.ID) || id.clock < (id.client === client ? own : state(id.client))
  const open = new Map([...queues].map(([client, structs]) => [client, { structs, next: 0 }]))
  for (let progressed = true; progressed && open.size > 0; ) {
    progressed = false
    for (const [client, queue] of open) {
      const first = queue.next
      let own = state(client)
      for (; queue.next < queue.structs.length; queue.next++) {
        const struct = queue.structs[queue.next] as Y.Item | Y.GC | Y.Skip
        if (struct instanceof Y.Item) {
          const { origin, rightOrigin, parent } = struct
          if (!(known(origin, client, own) && known(rightOrigin, client, own) && known(parent, client, own))) break
        }
        own = Math.max(own, struct.id.clock + struct.length)
      }
      if (queue.next > first) {
        reached.set(client, own)
        progressed = true
      }
      if (queue.next === queue.structs.length) open.delete(client)
    }
  }
  if (open.size === 0) return undefined
  return violation('sync/missing-dependency', `${open.size} author(s) build on changes that are not here`)
}

function futureDelete(
  doc: Y.Doc,
  decoded: ReturnType<typeof Y.decodeUpdate>,
  queues: ReadonlyMap<number, readonly (Y.Item | Y.GC | Y.Skip)[]>,
): Violation | undefined {
  for (const [client, ranges] of decoded.ds.clients) {
    const last = queues.get(client)?.at(-1)
    const end = Math.max(Y.getState(doc.store, client), last ? last.id.clock + last.length : 0)
    for (const range of ranges) {
      // an empty range at the end makes Yjs throw in the middle of a transaction (found by the fuzz, seed 5003)
      if (range.len < 1) return violation('sync/deletes-the-future', `deletes an empty range of client id ${client}`)
      if (range.clock + range.len > end) {
        return violation(
          'sync/deletes-the-future',
          `deletes clocks of client id ${client} up to ${range.clock + range.len}; only ${end} exist`,
        )
      }
    }
  }
  return undefined
}
