import { utf8 } from '../base/bytes.ts'
import type { DatasetId, DeviceId } from '../base/ids.ts'
import { type BookedContent, type BookedSegment, BookedSegments } from './booked-segments.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { FilesCrypto } from './files-crypto.ts'
import type { OpId } from './op.ts'
import type { Segment, SegmentSigner } from './op-segment.ts'
import { readReceipt, type Receipt, type ReceiptOrder, signReceipt, verifyReceipt } from './receipt.ts'
import type { PolicyInForce } from './replica-policy.ts'

export interface ReplicationBookOptions {
  readonly crypto: FilesCrypto
  readonly dataset: DatasetId
  readonly store: DatasetStore
  readonly signer: SegmentSigner
  /** Devices whose receipts count: those that have not left. */
  readonly isMember: (device: DeviceId) => boolean
  /** Asked each time: it may change. */
  readonly policy: () => PolicyInForce
  /** Is this device one that is always on? Asked when it signs. Absent: it is not. */
  readonly isAlwaysOn?: () => boolean
  /** A holder that is no device: does a bucket hold what an op of this segment names? */
  readonly isInBucket?: (segment: string, number: number) => boolean
}

interface KeptReceipt extends Pick<Receipt, 'generation' | 'departures' | 'order'> {
  readonly bytes: Uint8Array
  readonly missing: ReadonlySet<number>
}

const RECEIPT = 'receipt'
/** Receipts of one device for segments that nothing here is booked of: they may come before what they are for. */
const MAX_EARLY_RECEIPTS = 1000

type Terms = Pick<Receipt, 'generation' | 'departures'>
/** Was `a` given under the policy of `b` or a later one, and after all who had left by then? A device's own receipts are in one row. */
const isAtLeast = (a: Terms, b: Terms): boolean => a.generation >= b.generation && a.departures >= b.departures

/**
 * Who is known to hold what (rules RP1-RP3, RP6, RP7). *Unsafe*: own segments of which too few others have signed for some content;
 * those stay. *Settled*: own segments that are safe, as long as those who signed have not left. *Promised*: segments of others that
 * this device has signed for. Of all who signed, the first as many as the policy asks for must keep the contents. Their order is in
 * the receipts (devices that the policy names, always-on ones, others; then as the segment's hash decides), and a receipt counts for
 * the policy it was given under and those before it: devices that know of different receipts and policies never all let go. *Owed*:
 * contents still to be fetched, or to be signed for anew.
 */
export class ReplicationBook {
  readonly #options: ReplicationBookOptions
  readonly #unsafe: BookedSegments
  readonly #settled: BookedSegments
  readonly #promised: BookedSegments
  readonly #owed: BookedSegments
  /** Per segment hash: who signed. */
  readonly #receipts = new Map<string, Map<DeviceId, KeptReceipt>>()
  /** Per device, the oldest first: segments that it signed for and of which nothing is booked. */
  readonly #early = new Map<DeviceId, Set<string>>()

  constructor(options: ReplicationBookOptions) {
    this.#options = options
    const { store } = options
    this.#unsafe = new BookedSegments(store, 'unsafe')
    this.#settled = new BookedSegments(store, 'settled')
    this.#promised = new BookedSegments(store, 'promised')
    this.#owed = new BookedSegments(store, 'owed')
    // What lies here, sealed, was verified when it came; whether its device is a member is asked whenever it counts.
    store.transaction(() => {
      for (const [, bytes] of store.values(RECEIPT)) this.#add(readReceipt(bytes), bytes)
    })
  }

  get unsafe(): readonly BookedSegment[] {
    return this.#unsafe.all
  }

  /** Own segments with contents that still matter. */
  get own(): readonly BookedSegment[] {
    return [...this.#unsafe.all, ...this.#settled.all.filter(({ hash }) => !this.#unsafe.get(hash))]
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
    for (const device of this.#receipts.get(hash)?.keys() ?? []) this.#early.get(device)?.delete(hash)
    if (isOwn) this.#settle(hash)
  }

  /** The transaction of `book` was undone: the segment is not there. */
  unbook(hash: string): void {
    for (const segments of [this.#unsafe, this.#settled, this.#owed]) segments.forget(hash)
    for (const device of this.#receipts.get(hash)?.keys() ?? []) this.#earlyOf(device).add(hash)
  }

  /** As it is owed now: some of it may have been let go of since. */
  owedOf(hash: string): BookedSegment | undefined {
    return this.#owed.get(hash)
  }

  /** The contents of an owed segment are on this device's disk, all but those of `missing` (numbers of ops in it): the receipt. */
  sign(booked: BookedSegment, missing: readonly number[] = []): Uint8Array {
    const { dataset, signer, policy } = this.#options
    const { generation, departures } = policy()
    const before = this.#receipts.get(booked.hash)?.get(signer.device)
    // Under one policy the order is said once: others let go because of it.
    const order = before && this.#isCurrent(before) ? before.order : this.#order()
    const receipt = signReceipt(dataset, booked.hash, signer, { missing, generation, departures, order })
    const gone = new Set(missing)
    const contents = booked.contents.filter(([number]) => !gone.has(number))
    const { hash } = booked
    const [promised, owed] = [this.#promised.get(hash), this.#owed.get(hash)]
    try {
      this.#options.store.transaction(() => {
        if (contents.length > 0) this.#promised.put({ ...booked, contents })
        const matters = [this.#unsafe, this.#settled, this.#promised].some((segments) => segments.get(hash))
        if (matters) this.#keep(readReceipt(receipt), receipt)
        this.#owed.drop(hash) // last: what is owed is looked at again after a kill
        if (!matters) this.#dropReceipts(hash)
      })
    } catch (error) {
      // Nothing of it is kept: nobody is told of a promise that the next start does not know.
      this.#promised.restore(hash, promised)
      this.#owed.restore(hash, owed)
      if (before) this.#receipts.get(hash)?.set(signer.device, before)
      else this.#forget(signer.device, hash)
      throw error
    }
    return receipt
  }

  /**
   * True: news for others. One for a segment of which nothing is booked here is none: some of them are kept, for it may come.
   * @throws ContentError `segment/malformed`, `segment/refused`
   */
  take(bytes: Uint8Array): boolean {
    const { crypto, dataset, isMember } = this.#options
    const receipt = readReceipt(bytes)
    const { device, segment } = receipt
    const before = this.#receipts.get(segment)?.get(device)
    if (!isMember(device) || (before && isAtLeast(before, receipt))) return false
    verifyReceipt(crypto, dataset, bytes)
    this.#keep(receipt, bytes)
    this.#settle(segment)
    return this.has(segment)
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
    const own = this.#unsafe.find(op) ?? this.#settled.find(op)
    const promised = this.#promised.find(op)
    if (this.#isNamed) return own !== undefined || promised !== undefined
    return (own !== undefined && !this.#isCovered(own)) || (promised !== undefined && !this.#isReleased(promised))
  }

  /** Would it not be safe, were it not for a bucket? */
  isHeldByBucket(op: OpId): boolean {
    const found = this.#unsafe.find(op) ?? this.#settled.find(op)
    return found !== undefined && this.#isCovered(found) && this.#othersWith(found).length < this.#options.policy().copies
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
      if (found && !this.has(found.segment.hash)) this.#dropReceipts(found.segment.hash)
    }
  }

  /**
   * Another policy is in force, or a device left: what this device signed for before counts for nothing, and it may have let go of it. It is
   * owed again: fetched where it is not here, and signed for.
   */
  renewPromises(): void {
    const { signer } = this.#options
    for (const segment of this.#promised.all) {
      if (!this.#isCurrent(this.#receipts.get(segment.hash)?.get(signer.device))) this.#owed.put(segment)
    }
  }

  /** Devices left, or the policy is another: what too few have signed for is not safe any more. */
  review(): void {
    for (const segment of this.#settled.all) {
      if (segment.contents.every(([number]) => this.#isCovered({ segment, number }))) continue
      this.#move(segment, this.#settled, this.#unsafe)
    }
  }

  /** A bucket holds more, or less. */
  reviewHolders(): void {
    for (const { hash } of this.#unsafe.all) this.#settle(hash)
    this.review()
  }

  /** Does the policy name this device? Then it keeps everything. */
  get #isNamed(): boolean {
    return this.#options.policy().on.includes(this.#options.signer.device)
  }

  #order(): ReceiptOrder {
    return this.#isNamed ? 0 : this.#options.isAlwaysOn?.() ? 1 : 2
  }

  #isCovered({ segment, number }: BookedContent): boolean {
    const { policy, signer, isInBucket } = this.#options
    const { copies, on } = policy()
    const others = this.#othersWith({ segment, number })
    if (!on.every((device) => device === signer.device || others.includes(device))) return false
    return others.length >= copies || others.length + (isInBucket?.(segment.hash, number) ? 1 : 0) >= copies
  }

  /** Others whose receipt for it counts under the policy in force. */
  #othersWith({ segment: { hash }, number }: BookedContent): DeviceId[] {
    const { device: self } = this.#options.signer
    const of = this.#receipts.get(hash)
    return this.signersOf(hash, number).filter((device) => device !== self && this.#isCurrent(of?.get(device)))
  }

  #isCurrent(receipt: KeptReceipt | undefined): boolean {
    return receipt !== undefined && isAtLeast(receipt, this.#options.policy())
  }

  /** Enough of the others who signed come before this device; before one that has not signed under this policy, all who have. */
  #isReleased({ segment, number }: BookedContent): boolean {
    if (this.#isNamed) return false
    const { signer, policy, crypto } = this.#options
    const { copies } = policy()
    const of = this.#receipts.get(segment.hash)
    const rank = (device: DeviceId) => `${of?.get(device)?.order} ${crypto.sha256(utf8(`${segment.hash}/${device}`)).join()}`
    const others = this.#othersWith({ segment, number })
    if (!this.#isCurrent(of?.get(signer.device))) return others.length >= copies
    const own = rank(signer.device)
    return others.filter((device) => rank(device) < own).length >= copies
  }

  #settle(hash: string): void {
    const segment = this.#unsafe.get(hash)
    if (!segment || !segment.contents.every(([number]) => this.#isCovered({ segment, number }))) return
    this.#move(segment, this.#unsafe, this.#settled)
  }

  /** A kill or a full disk in between leaves it in both, never in none: then nothing here would keep its contents. */
  #move(segment: BookedSegment, from: BookedSegments, to: BookedSegments): void {
    this.#options.store.transaction(() => {
      to.put(segment)
      from.drop(segment.hash)
    })
  }

  #keep(receipt: Receipt, bytes: Uint8Array): void {
    this.#options.store.putValue(RECEIPT, nameOf(receipt), bytes)
    this.#add(receipt, bytes)
  }

  #add({ device, segment, missing, ...terms }: Receipt, bytes: Uint8Array): void {
    let of = this.#receipts.get(segment)
    if (!of) this.#receipts.set(segment, (of = new Map()))
    of.set(device, { bytes, missing: new Set(missing), ...terms })
    if (this.has(segment)) return
    const early = this.#earlyOf(device).add(segment)
    for (const oldest of early) if (early.size > MAX_EARLY_RECEIPTS) this.#drop(device, oldest)
  }

  #earlyOf(device: DeviceId): Set<string> {
    let early = this.#early.get(device)
    if (!early) this.#early.set(device, (early = new Set()))
    return early
  }

  /** Nothing of a segment matters any more: nor who holds it. */
  #dropReceipts(segment: string): void {
    for (const device of [...(this.#receipts.get(segment)?.keys() ?? [])]) this.#drop(device, segment)
  }

  #forget(device: DeviceId, segment: string): void {
    const of = this.#receipts.get(segment)
    of?.delete(device)
    if (of?.size === 0) this.#receipts.delete(segment)
    this.#early.get(device)?.delete(segment)
  }

  #drop(device: DeviceId, segment: string): void {
    this.#forget(device, segment)
    this.#options.store.putValue(RECEIPT, nameOf({ device, segment }), undefined)
  }
}

const nameOf = ({ device, segment }: Pick<Receipt, 'device' | 'segment'>): string => `${segment}.${device}`
