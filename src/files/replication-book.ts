import { utf8 } from '../base/bytes.ts'
import type { DatasetId, DeviceId } from '../base/ids.ts'
import { type BookedContent, type BookedSegment, BookedSegments } from './booked-segments.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { FilesCrypto } from './files-crypto.ts'
import type { OpId } from './op.ts'
import type { Segment, SegmentSigner } from './op-segment.ts'
import { openReceipt, signReceipt } from './receipt.ts'

export interface ReplicationBookOptions {
  readonly crypto: FilesCrypto
  readonly dataset: DatasetId
  readonly store: DatasetStore
  readonly signer: SegmentSigner
  /** Devices whose receipts count: those that have not left. */
  readonly isMember: (device: DeviceId) => boolean
  /** Other devices that must hold a content before its author may let go of it. */
  readonly copies: number
  /** A holder that is no device: does a bucket hold what an op of this segment names? */
  readonly isInBucket?: (segment: string, number: number) => boolean
}

interface KeptReceipt {
  readonly bytes: Uint8Array
  readonly missing: ReadonlySet<number>
}

const RECEIPT = 'receipt'

/**
 * Who is known to hold what (rules RP1-RP3). *Unsafe*: own segments of which too few others have signed for some content; those
 * stay. *Settled*: own segments that are safe, as long as those who signed have not left. *Promised*: segments of others that this
 * device has signed for. Of all who signed, the first (in an order that the segment's hash decides) must keep the contents: devices
 * that know of different receipts never all let go. *Owed*: contents still to be fetched.
 */
export class ReplicationBook {
  readonly #options: ReplicationBookOptions
  readonly #unsafe: BookedSegments
  readonly #settled: BookedSegments
  readonly #promised: BookedSegments
  readonly #owed: BookedSegments
  /** Per segment hash: who signed. */
  readonly #receipts = new Map<string, Map<DeviceId, KeptReceipt>>()

  constructor(options: ReplicationBookOptions) {
    this.#options = options
    const { store } = options
    this.#unsafe = new BookedSegments(store, 'unsafe')
    this.#settled = new BookedSegments(store, 'settled')
    this.#promised = new BookedSegments(store, 'promised')
    this.#owed = new BookedSegments(store, 'owed')
    for (const [, bytes] of store.values(RECEIPT)) this.#add(bytes)
  }

  get unsafe(): readonly BookedSegment[] {
    return this.#unsafe.all
  }

  /** Own segments with contents that still matter. */
  get own(): readonly BookedSegment[] {
    return [...this.#unsafe.all, ...this.#settled.all]
  }

  /** Own contents that are on too few other devices, and their bytes. */
  get unsafeContents(): { readonly versions: number; readonly bytes: number } {
    let [versions, bytes] = [0, 0]
    for (const segment of this.#unsafe.all) {
      for (const [number, length] of segment.contents) {
        if (this.#isCovered({ segment, number })) continue
        versions++
        bytes += length
      }
    }
    return { versions, bytes }
  }

  get owed(): readonly BookedSegment[] {
    return this.#owed.all
  }

  /** Is anything of a segment booked? */
  has(hash: string): boolean {
    return [this.#unsafe, this.#settled, this.#promised, this.#owed].some((segments) => segments.get(hash) !== undefined)
  }

  /** A segment was signed here, or taken in. */
  book(segment: Segment, isOwn: boolean): void {
    const contents = segment.ops.flatMap(({ body }, n): [number, number][] =>
      'content' in body && body.content.kind === 'file' && body.content.manifest.pieces.length > 0
        ? [[n, body.content.manifest.bytes]]
        : [],
    )
    if (contents.length === 0) return
    const { log, seq, hash, first } = segment
    const booked = { log, seq, hash, first, count: segment.ops.length, contents }
    if (isOwn) this.#unsafe.put(booked)
    else this.#owed.put(booked)
    if (isOwn) this.#settle(hash)
  }

  /** The transaction of `book` was undone: the segment is not there. */
  unbook(hash: string): void {
    for (const segments of [this.#unsafe, this.#settled, this.#owed]) segments.forget(hash)
  }

  /** The contents of an owed segment are on this device's disk, all but those of `missing` (numbers of ops in it): the receipt. */
  sign(booked: BookedSegment, missing: readonly number[] = []): Uint8Array {
    const { dataset, signer } = this.#options
    const receipt = signReceipt(dataset, booked.hash, signer, missing)
    const gone = new Set(missing)
    const contents = booked.contents.filter(([number]) => !gone.has(number))
    if (contents.length > 0) this.#promised.put({ ...booked, contents })
    this.#owed.drop(booked.hash)
    this.#keep(receipt)
    return receipt
  }

  /** True: news. @throws ContentError `segment/malformed`, `segment/refused` */
  take(bytes: Uint8Array): boolean {
    const { crypto, dataset, isMember } = this.#options
    const { device, segment } = openReceipt(crypto, dataset, bytes)
    if (!isMember(device) || this.#receipts.get(segment)?.has(device)) return false
    this.#keep(bytes)
    this.#settle(segment)
    return true
  }

  receiptsOf(segments: readonly string[]): Uint8Array[] {
    return segments.flatMap((segment) => [...(this.#receipts.get(segment)?.values() ?? [])].map(({ bytes }) => bytes))
  }

  /** Members that said in writing that they hold what an op of this segment names; `number`: of the op in it. */
  signersOf(segment: string, number: number): DeviceId[] {
    const found = [...(this.#receipts.get(segment) ?? [])]
    return found.flatMap(([device, { missing }]) => (this.#options.isMember(device) && !missing.has(number) ? [device] : []))
  }

  /** Is the content that this op named on enough other devices, as far as this one has to care? */
  isSafe(op: OpId): boolean {
    const found = this.#unsafe.find(op) ?? this.#settled.find(op) // what settled it may be a bucket that nobody reaches any more
    return !found || this.#isCovered(found)
  }

  /** Must this device keep what this op named? */
  mustKeep(op: OpId): boolean {
    if (!this.isSafe(op)) return true
    const promised = this.#promised.find(op)
    return promised !== undefined && !this.#isReleased(promised)
  }

  /** Would it not be safe, were it not for a bucket? */
  isHeldByBucket(op: OpId): boolean {
    const found = this.#unsafe.find(op) ?? this.#settled.find(op)
    return found !== undefined && this.#isCovered(found) && this.#othersWith(found) < this.#options.copies
  }

  /** Is what this op named still to be fetched here, and on too few other devices as far as is known? */
  isOwed(op: OpId): boolean {
    const owed = this.#owed.find(op)
    return owed !== undefined && !this.#isCovered(owed)
  }

  /** No device can count on what this op named any more (rule GC2). */
  release(op: OpId): void {
    for (const segments of [this.#unsafe, this.#settled, this.#promised, this.#owed]) {
      const found = segments.find(op)
      segments.release(op)
      if (found && segments === this.#unsafe) this.#settle(found.segment.hash)
    }
  }

  /** Devices left: what only they had signed for is not safe any more. */
  review(): void {
    for (const segment of this.#settled.all) {
      if (segment.contents.every(([number]) => this.#isCovered({ segment, number }))) continue
      this.#settled.drop(segment.hash)
      this.#unsafe.put(segment)
    }
  }

  /** A bucket holds more, or less. */
  reviewHolders(): void {
    for (const { hash } of this.#unsafe.all) this.#settle(hash)
    this.review()
  }

  #isCovered({ segment, number }: BookedContent): boolean {
    const { copies, isInBucket } = this.#options
    return this.#othersWith({ segment, number }) + (isInBucket?.(segment.hash, number) ? 1 : 0) >= copies
  }

  #othersWith({ segment, number }: BookedContent): number {
    return this.signersOf(segment.hash, number).filter((device) => device !== this.#options.signer.device).length
  }

  /** Enough of the others who signed come before this device. */
  #isReleased({ segment: { hash }, number }: BookedContent): boolean {
    const { signer, copies, crypto } = this.#options
    const rank = (device: string) => crypto.sha256(utf8(`${hash}/${device}`)).join()
    const own = rank(signer.device)
    const others = this.signersOf(hash, number).filter((device) => device !== signer.device)
    return others.filter((device) => rank(device) < own).length >= copies
  }

  #settle(hash: string): void {
    const segment = this.#unsafe.get(hash)
    if (!segment || !segment.contents.every(([number]) => this.#isCovered({ segment, number }))) return
    this.#unsafe.drop(hash)
    this.#settled.put(segment)
  }

  #keep(bytes: Uint8Array): void {
    const name = this.#add(bytes)
    this.#options.store.putValue(RECEIPT, name, bytes)
  }

  #add(bytes: Uint8Array): string {
    const { crypto, dataset } = this.#options
    const { device, segment, missing } = openReceipt(crypto, dataset, bytes)
    let of = this.#receipts.get(segment)
    if (!of) this.#receipts.set(segment, (of = new Map()))
    of.set(device, { bytes, missing: new Set(missing) })
    return `${segment}.${device}`
  }
}
