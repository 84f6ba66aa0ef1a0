import { fromUtf8, toHex, utf8 } from '../../base/bytes.ts'
import type { Event } from '../../base/emitter.ts'
import type { DeviceId, DocId } from '../../base/ids.ts'
import { chainKeyOf, decodeEnvelope, type EnvelopeRef } from '../../sync/envelope.ts'
import type { EnvelopeLog, LogPage, LogRow } from '../../sync/envelope-log.ts'
import type { Frontier } from '../../sync/frontier.ts'
import type { SetAside, SqliteStore } from './sqlite-store.ts'

/** Look-up keys kept in memory; an HMAC each, and every envelope needs two. */
const MAX_KEPT_KEYS = 20_000

/**
 * EnvelopeLog in a SqliteStore. Values are sealed with the row they lie in as context; documents, devices and starts are
 * only there as HMACs. In plain: how many rows, how long, when, and their order.
 */
export class SqliteEnvelopeLog implements EnvelopeLog {
  readonly onDidSetAside: Event<SetAside>
  readonly #store: SqliteStore
  readonly #keys = new Map<string, Uint8Array>()

  constructor(store: SqliteStore) {
    this.#store = store
    this.onDidSetAside = store.onDidSetAside
  }

  docs(): readonly DocId[] {
    return this.#store.run(() => {
      const rows = this.#store.statement("select doc, bytes from item where kind = 'name'").all() as {
        doc: Uint8Array
        bytes: Uint8Array
      }[]
      return rows.map(({ doc, bytes }) => fromUtf8(this.#store.sealer.open(bytes, itemContext(doc, 'name'))) as DocId)
    })
  }

  append(doc: DocId, ref: EnvelopeRef, bytes: Uint8Array, atMs: number): number {
    const docKey = this.#docKey(doc)
    const chain = this.#chainKey(doc, chainKeyOf(ref))
    return this.#store.write(() => {
      const known = this.#store
        .statement('select position from envelope where doc = ? and chain = ? and seq = ?')
        .get(docKey, chain, ref.seq)
      if (known) return (known as { position: number }).position
      this.#nameDocument(doc, docKey)
      const sealed = this.#store.sealer.seal(bytes, envelopeContext(chain, ref.seq))
      const { lastInsertRowid } = this.#store
        .statement('insert into envelope (doc, chain, seq, at_ms, length, bytes) values (?, ?, ?, ?, ?, ?)')
        .run(docKey, chain, ref.seq, Math.floor(atMs), bytes.length, sealed)
      return Number(lastInsertRowid)
    })
  }

  find(doc: DocId, ref: EnvelopeRef): Uint8Array | undefined {
    return this.#store.run(() => {
      const chain = this.#chainKey(doc, chainKeyOf(ref))
      const row = this.#store
        .statement('select bytes from envelope where doc = ? and chain = ? and seq = ?')
        .get(this.#docKey(doc), chain, ref.seq) as { bytes: Uint8Array } | undefined
      return row && this.#store.sealer.open(row.bytes, envelopeContext(chain, ref.seq))
    })
  }

  positionOf(doc: DocId, ref: EnvelopeRef): number | undefined {
    return this.#store.run(() => {
      const row = this.#store
        .statement('select position from envelope where doc = ? and chain = ? and seq = ?')
        .get(this.#docKey(doc), this.#chainKey(doc, chainKeyOf(ref)), ref.seq)
      return (row as { position: number } | undefined)?.position
    })
  }

  page(doc: DocId, request: { readonly after: number; readonly have: Frontier; readonly maxBytes: number }): LogPage {
    return this.#store.run(() => {
      const held = new Map([...request.have.refs()].map((ref) => [toHex(this.#chainKey(doc, chainKeyOf(ref))), ref.seq]))
      const wanted: { position: number; context: string }[] = []
      let size = 0
      let next = request.after
      let isLast = true
      const scan = this.#store.statement(
        'select position, chain, seq, length from envelope where doc = ? and position > ? order by position',
      )
      for (const row of scan.iterate(this.#docKey(doc), request.after)) {
        const { position, chain, seq, length } = row as { position: number; chain: Uint8Array; seq: number; length: number }
        if ((held.get(toHex(chain)) ?? 0) < seq) {
          if (wanted.length > 0 && size + length > request.maxBytes) {
            isLast = false
            break
          }
          wanted.push({ position, context: envelopeContext(chain, seq) })
          size += length
        }
        next = position
      }
      return { rows: wanted.map((row) => this.#read(row)), next, isLast }
    })
  }

  loadState(doc: DocId): Uint8Array | undefined {
    return this.#loadItem(doc, 'state')
  }

  saveState(doc: DocId, state: Uint8Array): void {
    this.#saveItem(doc, 'state', state)
  }

  loadSnapshot(doc: DocId): Uint8Array | undefined {
    return this.#loadItem(doc, 'snapshot')
  }

  saveSnapshot(doc: DocId, snapshot: Uint8Array): void {
    this.#saveItem(doc, 'snapshot', snapshot)
  }

  forgetStates(doc: DocId): void {
    this.#store.write(() => {
      this.#store.statement("delete from item where doc = ? and kind in ('state', 'snapshot')").run(this.#docKey(doc))
    })
  }

  firstSince(doc: DocId, device: DeviceId, sinceMs: number): readonly EnvelopeRef[] {
    return this.#store.run(() => {
      const scan = this.#store.statement('select chain, min(seq) as seq from envelope where doc = ? and at_ms >= ? group by chain')
      const rows = scan.all(this.#docKey(doc), Math.floor(sinceMs)) as { chain: Uint8Array; seq: number }[]
      const refs = rows.map(({ chain, seq }) => {
        const row = this.#store.statement('select bytes from envelope where doc = ? and chain = ? and seq = ?')
        const { bytes } = row.get(this.#docKey(doc), chain, seq) as { bytes: Uint8Array }
        const { device: by, start } = decodeEnvelope(this.#store.sealer.open(bytes, envelopeContext(chain, seq)))
        return { device: by, start, seq }
      })
      return refs.filter((ref) => ref.device === device)
    })
  }

  prune(doc: DocId, covered: Frontier, beforeMs: number): number {
    return this.#store.write(() => {
      const remove = this.#store.statement('delete from envelope where doc = ? and chain = ? and seq <= ? and at_ms < ?')
      let removed = 0
      for (const ref of covered.refs()) {
        const chain = this.#chainKey(doc, chainKeyOf(ref))
        removed += Number(remove.run(this.#docKey(doc), chain, ref.seq, Math.floor(beforeMs)).changes)
      }
      return removed
    })
  }

  drop(doc: DocId, tombstone: Uint8Array, atMs: number): void {
    const docKey = this.#docKey(doc)
    this.#store.write(() => {
      this.#store.statement('delete from envelope where doc = ?').run(docKey)
      this.#store.statement('delete from item where doc = ?').run(docKey)
      const sealed = this.#store.sealer.seal(tombstone, itemContext(docKey, 'tombstone'))
      this.#store.statement('insert or replace into tombstone (doc, at_ms, bytes) values (?, ?, ?)').run(docKey, Math.floor(atMs), sealed)
    })
  }

  tombstone(doc: DocId): Uint8Array | undefined {
    return this.#store.run(() => {
      const docKey = this.#docKey(doc)
      const row = this.#store.statement('select bytes from tombstone where doc = ?').get(docKey) as { bytes: Uint8Array } | undefined
      return row && this.#store.sealer.open(row.bytes, itemContext(docKey, 'tombstone'))
    })
  }

  pruneTombstones(keep: number, beforeMs: number): void {
    this.#store.write(() => {
      this.#store
        .statement('delete from tombstone where at_ms < ? or doc not in (select doc from tombstone order by at_ms desc limit ?)')
        .run(Math.floor(beforeMs), keep)
    })
  }

  size(doc: DocId): { readonly envelopes: number; readonly bytes: number } {
    return this.#store.run(() => {
      const row = this.#store.statement('select count(*) as envelopes, coalesce(sum(length), 0) as bytes from envelope where doc = ?')
      const { envelopes, bytes } = row.get(this.#docKey(doc)) as { envelopes: number; bytes: number }
      return { envelopes, bytes }
    })
  }

  #read({ position, context }: { readonly position: number; readonly context: string }): LogRow {
    const row = this.#store.statement('select bytes from envelope where position = ?').get(position) as { bytes: Uint8Array }
    return { position, bytes: this.#store.sealer.open(row.bytes, context) }
  }

  #loadItem(doc: DocId, kind: 'state' | 'snapshot'): Uint8Array | undefined {
    return this.#store.run(() => {
      const docKey = this.#docKey(doc)
      const row = this.#store.statement('select bytes from item where doc = ? and kind = ?').get(docKey, kind)
      return row && this.#store.sealer.open((row as { bytes: Uint8Array }).bytes, itemContext(docKey, kind))
    })
  }

  #saveItem(doc: DocId, kind: 'state' | 'snapshot', bytes: Uint8Array): void {
    const docKey = this.#docKey(doc)
    const sealed = this.#store.sealer.seal(bytes, itemContext(docKey, kind))
    this.#store.write(() => {
      this.#nameDocument(doc, docKey)
      this.#store.statement('insert or replace into item (doc, kind, bytes) values (?, ?, ?)').run(docKey, kind, sealed)
    })
  }

  #nameDocument(doc: DocId, docKey: Uint8Array): void {
    if (this.#store.statement("select 1 from item where doc = ? and kind = 'name'").get(docKey)) return
    const sealed = this.#store.sealer.seal(utf8(doc), itemContext(docKey, 'name'))
    this.#store.statement("insert into item (doc, kind, bytes) values (?, 'name', ?)").run(docKey, sealed)
  }

  #docKey(doc: DocId): Uint8Array {
    return this.#key(`doc\n${doc}`)
  }

  #chainKey(doc: DocId, chain: string): Uint8Array {
    return this.#key(`chain\n${doc}\n${chain}`)
  }

  #key(name: string): Uint8Array {
    let key = this.#keys.get(name)
    if (!key) {
      if (this.#keys.size >= MAX_KEPT_KEYS) this.#keys.clear()
      this.#keys.set(name, (key = this.#store.sealer.lookupKey(name)))
    }
    return key
  }
}

const envelopeContext = (chain: Uint8Array, seq: number): string => `envelope ${toHex(chain)} ${seq}`
const itemContext = (doc: Uint8Array, kind: string): string => `item ${kind} ${toHex(doc)}`
