import type { ChunkId } from '../chunk-id.ts'
import { MAX_CHUNK_BYTES } from '../chunk-cipher.ts'
import { badCheckpoint, ByteSink, ByteSource } from './byte-io.ts'

/** Where a row lies in its tree: lower-case hex of an even length, compared as text. */
export type RowKey = string

/** One entry of a checkpoint: what it means is row-codec's. */
export interface Row {
  readonly key: RowKey
  readonly value: Uint8Array
}

/** A page as its parent names it: its content is its id, so that nobody can give another one. */
export interface PageRef {
  /** Key of its first row. */
  readonly first: RowKey
  readonly id: ChunkId
  /** Rows under it. */
  readonly rows: number
}

/** A value that would make its page too long lies in chunks of its own. */
export interface SplitValue {
  readonly key: RowKey
  readonly parts: readonly { readonly id: ChunkId; readonly length: number }[]
}

export type LeafEntry = Row | SplitValue
export type Page =
  | { readonly level: 0; readonly entries: readonly LeafEntry[] }
  | { readonly level: number; readonly children: readonly PageRef[] }

/** 16 levels of 100 pages are more than any disk. A page of level n names pages of level n - 1 only: no depth is endless, nothing goes round. */
export const MAX_PAGE_LEVEL = 16
const FORMAT = 1
const MAX_KEY_BYTES = 64
/** Longest value, whatever it lies in: 4,096 heads of 64 pieces, and attributes. */
export const MAX_VALUE_BYTES = 16 * 1024 * 1024
/** No page of ours is longer: one ends at 64 KiB, and its last entry is a value of 16 KiB or a list of parts. */
const MAX_PAGE_BYTES = 128 * 1024
/** Nor has more entries: each counts as nine bytes at least of those 64 KiB. */
const MAX_ENTRIES = 8_192
const ID_BYTES = 32

export const isSplit = (entry: LeafEntry): entry is SplitValue => 'parts' in entry

/**
 * Format 1: version, level, number of entries; per entry how many bytes of its key it shares with the one before, the rest of the
 * key, and then: of a leaf's, twice the value's length and the value (or, odd, how many parts, each an id and a length); of others,
 * the id and the rows of a page.
 */
export function encodePage(page: Page): Uint8Array {
  const sink = new ByteSink()
  sink.byte(FORMAT)
  sink.byte(page.level)
  let before: RowKey = ''
  const key = (next: RowKey) => {
    let shared = 0
    while (shared < before.length && shared < next.length && before[shared] === next[shared]) shared++
    shared -= shared % 2
    sink.uint(shared / 2)
    sink.uint((next.length - shared) / 2)
    sink.hex(next.slice(shared))
    before = next
  }
  if ('children' in page) {
    sink.uint(page.children.length)
    for (const { first, id, rows } of page.children) {
      key(first)
      sink.hex(id)
      sink.uint(rows)
    }
    return sink.take()
  }
  sink.uint(page.entries.length)
  for (const entry of page.entries) {
    key(entry.key)
    if (isSplit(entry)) {
      sink.uint(2 * entry.parts.length + 1)
      for (const { id, length } of entry.parts) {
        sink.hex(id)
        sink.uint(length)
      }
    } else {
      sink.uint(2 * entry.value.length)
      sink.raw(entry.value)
    }
  }
  return sink.take()
}

/** @throws ContentError `checkpoint/malformed` */
export function decodePage(bytes: Uint8Array): Page {
  if (bytes.length > MAX_PAGE_BYTES) throw badCheckpoint('a page is longer than any can be')
  const source = new ByteSource(bytes)
  if (source.byte() !== FORMAT) throw badCheckpoint('a page is of a later version')
  const level = source.byte()
  if (level > MAX_PAGE_LEVEL) throw badCheckpoint('its pages lie too deep')
  // An entry takes three bytes at least: what a page says it holds is never believed further than that.
  const count = source.uint(Math.min(MAX_ENTRIES, Math.floor(bytes.length / 3)))
  if (count === 0) throw badCheckpoint('a page is empty')
  let before: RowKey = ''
  const key = (): RowKey => {
    const shared = source.uint(before.length / 2)
    const rest = source.hex(source.uint(MAX_KEY_BYTES - shared))
    const next = before.slice(0, 2 * shared) + rest
    if (next <= before) throw badCheckpoint('rows of a page are out of order')
    before = next
    return next
  }
  if (level > 0) {
    const children: PageRef[] = []
    for (let n = 0; n < count; n++) children.push({ first: key(), id: source.hex(ID_BYTES) as ChunkId, rows: source.uint() })
    source.end()
    return { level, children }
  }
  const entries: LeafEntry[] = []
  for (let n = 0; n < count; n++) entries.push(leafEntry(key(), source))
  source.end()
  return { level: 0, entries }
}

function leafEntry(key: RowKey, source: ByteSource): LeafEntry {
  const said = source.uint(MAX_CHUNK_BYTES)
  if (said % 2 === 0) return { key, value: source.raw(said / 2) }
  const parts: SplitValue['parts'][number][] = []
  let bytes = 0
  for (let n = 0; n < (said - 1) / 2; n++) {
    const part = { id: source.hex(ID_BYTES) as ChunkId, length: source.uint(MAX_CHUNK_BYTES) }
    bytes += part.length
    if (bytes > MAX_VALUE_BYTES) throw badCheckpoint('a value in it is too long')
    parts.push(part)
  }
  return { key, parts }
}
