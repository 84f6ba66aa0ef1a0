import { Emitter } from '../base/emitter.ts'
import type { DeviceId, DocId } from '../base/ids.ts'
import { refKeyOf, type EnvelopeRef } from './envelope.ts'
import type { EnvelopeLog, LogPage, LogRow } from './envelope-log.ts'
import type { Frontier } from './frontier.ts'

interface Row extends LogRow {
  readonly ref: EnvelopeRef
  readonly atMs: number
}

interface Held {
  rows: Row[]
  readonly byRef: Map<string, Row>
  state?: Uint8Array
  snapshot?: Uint8Array
}

/** A log that ends with the process; for tests and for a device whose disk cannot be written. */
export class MemoryEnvelopeLog implements EnvelopeLog {
  readonly #docs = new Map<DocId, Held>()
  readonly #tombstones = new Map<DocId, { readonly bytes: Uint8Array; readonly atMs: number }>()
  readonly #setAside = new Emitter<{ readonly path: string; readonly reason: string }>()
  readonly onDidSetAside = this.#setAside.event
  #position = 0

  docs(): readonly DocId[] {
    return [...this.#docs.keys()]
  }

  append(doc: DocId, ref: EnvelopeRef, bytes: Uint8Array, atMs: number): number {
    const held = this.#held(doc)
    const known = held.byRef.get(refKeyOf(ref))
    if (known) return known.position
    const row: Row = { position: ++this.#position, ref, bytes: bytes.slice(), atMs }
    held.rows.push(row)
    held.byRef.set(refKeyOf(ref), row)
    return row.position
  }

  find(doc: DocId, ref: EnvelopeRef): Uint8Array | undefined {
    return this.#docs.get(doc)?.byRef.get(refKeyOf(ref))?.bytes
  }

  positionOf(doc: DocId, ref: EnvelopeRef): number | undefined {
    return this.#docs.get(doc)?.byRef.get(refKeyOf(ref))?.position
  }

  page(doc: DocId, request: { readonly after: number; readonly have: Frontier; readonly maxBytes: number }): LogPage {
    const rows: LogRow[] = []
    let bytes = 0
    let next = request.after
    for (const row of this.#docs.get(doc)?.rows ?? []) {
      if (row.position <= request.after) continue
      if (!request.have.covers(row.ref)) {
        if (rows.length > 0 && bytes + row.bytes.length > request.maxBytes) return { rows, next, isLast: false }
        rows.push({ position: row.position, bytes: row.bytes })
        bytes += row.bytes.length
      }
      next = row.position
    }
    return { rows, next, isLast: true }
  }

  loadState(doc: DocId): Uint8Array | undefined {
    return this.#docs.get(doc)?.state
  }

  saveState(doc: DocId, state: Uint8Array): void {
    this.#held(doc).state = state.slice()
  }

  loadSnapshot(doc: DocId): Uint8Array | undefined {
    return this.#docs.get(doc)?.snapshot
  }

  saveSnapshot(doc: DocId, snapshot: Uint8Array): void {
    this.#held(doc).snapshot = snapshot.slice()
  }

  forgetStates(doc: DocId): void {
    const held = this.#docs.get(doc)
    if (!held) return
    delete held.state
    delete held.snapshot
  }

  firstSince(doc: DocId, device: DeviceId, sinceMs: number): readonly EnvelopeRef[] {
    const first = new Map<string, EnvelopeRef>()
    for (const { ref, atMs } of this.#docs.get(doc)?.rows ?? []) {
      const known = first.get(ref.start)
      if (ref.device === device && atMs >= sinceMs && (!known || ref.seq < known.seq)) first.set(ref.start, ref)
    }
    return [...first.values()]
  }

  prune(doc: DocId, covered: Frontier, beforeMs: number): number {
    const held = this.#docs.get(doc)
    if (!held) return 0
    const gone = held.rows.filter((row) => row.atMs < beforeMs && covered.covers(row.ref))
    for (const row of gone) held.byRef.delete(refKeyOf(row.ref))
    held.rows = held.rows.filter((row) => held.byRef.has(refKeyOf(row.ref)))
    return gone.length
  }

  drop(doc: DocId, tombstone: Uint8Array, atMs: number): void {
    this.#docs.delete(doc)
    this.#tombstones.delete(doc)
    this.#tombstones.set(doc, { bytes: tombstone.slice(), atMs })
  }

  tombstone(doc: DocId): Uint8Array | undefined {
    return this.#tombstones.get(doc)?.bytes
  }

  pruneTombstones(keep: number, beforeMs: number): void {
    const newestFirst = [...this.#tombstones].sort(([, a], [, b]) => b.atMs - a.atMs)
    newestFirst.forEach(([doc, { atMs }], index) => {
      if (index >= keep || atMs < beforeMs) this.#tombstones.delete(doc)
    })
  }

  size(doc: DocId): { readonly envelopes: number; readonly bytes: number } {
    const rows = this.#docs.get(doc)?.rows ?? []
    return { envelopes: rows.length, bytes: rows.reduce((sum, row) => sum + row.bytes.length, 0) }
  }

  #held(doc: DocId): Held {
    let held = this.#docs.get(doc)
    if (!held) this.#docs.set(doc, (held = { rows: [], byRef: new Map() }))
    return held
  }
}
