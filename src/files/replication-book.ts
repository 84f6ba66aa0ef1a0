import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { DatasetId, DeviceId } from '../base/ids.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { FilesCrypto } from './files-crypto.ts'
import type { LogId, OpId } from './op.ts'
import type { Segment, SegmentSigner } from './op-segment.ts'
import { openReceipt, signReceipt } from './receipt.ts'

/** A segment with contents, as far as copies of them matter here. */
export interface BookedSegment {
  readonly log: LogId
  readonly seq: number
  readonly hash: string
  readonly first: number
  readonly count: number
  /** Of the contents named first in it. */
  readonly versions: number
  readonly bytes: number
}

export interface ReplicationBookOptions {
  readonly crypto: FilesCrypto
  readonly dataset: DatasetId
  readonly store: DatasetStore
  readonly signer: SegmentSigner
  /** Devices whose receipts count: those that have not left. */
  readonly isMember: (device: DeviceId) => boolean
  /** Other devices that must hold a content before its author may let go of it. */
  readonly copies: number
}

const RECEIPT = 'receipt'
const UNSAFE = 'unsafe'
const PROMISED = 'promised'
const OWED = 'owed'

/**
 * Who is known to hold what (rules RP1-RP3). *Unsafe*: own segments that too few others have signed for; their contents stay.
 * *Promised*: segments of others that this device has signed for. Of all who signed, the first (in an order that the segment's
 * hash decides) must keep the contents: devices that know of different receipts never all let go. *Owed*: contents still to be fetched.
 */
export class ReplicationBook {
  readonly #options: ReplicationBookOptions
  readonly #unsafe: Map<string, BookedSegment>
  readonly #promised: Map<string, BookedSegment>
  readonly #owed: Map<string, BookedSegment>
  /** Per segment hash: who signed. */
  readonly #receipts = new Map<string, Map<DeviceId, Uint8Array>>()

  constructor(options: ReplicationBookOptions) {
    this.#options = options
    const { store } = options
    const load = (space: string) => new Map(store.values(space).map(([key, value]) => [key, JSON.parse(fromUtf8(value)) as BookedSegment]))
    this.#unsafe = load(UNSAFE)
    this.#promised = load(PROMISED)
    this.#owed = load(OWED)
    for (const [, bytes] of store.values(RECEIPT)) this.#add(bytes)
  }

  get unsafe(): readonly BookedSegment[] {
    return [...this.#unsafe.values()]
  }

  get owed(): readonly BookedSegment[] {
    return [...this.#owed.values()]
  }

  /** A segment was signed here, or taken in. */
  book(segment: Segment, isOwn: boolean): void {
    let [versions, bytes] = [0, 0]
    for (const { body } of segment.ops) {
      if (!('content' in body) || body.content.kind !== 'file' || body.content.manifest.pieces.length === 0) continue
      versions++
      bytes += body.content.manifest.bytes
    }
    if (versions === 0) return
    const { log, seq, hash, first } = segment
    const booked = { log, seq, hash, first, count: segment.ops.length, versions, bytes }
    if (isOwn) this.#put(UNSAFE, this.#unsafe, booked)
    else this.#put(OWED, this.#owed, booked)
    if (isOwn) this.#settle(hash)
  }

  /** All contents of an owed segment are on this device's disk: the receipt. */
  sign(booked: BookedSegment): Uint8Array {
    const { dataset, signer } = this.#options
    const receipt = signReceipt(dataset, booked.hash, signer)
    this.#put(PROMISED, this.#promised, booked)
    this.#drop(OWED, this.#owed, booked.hash)
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
    return segments.flatMap((segment) => [...(this.#receipts.get(segment)?.values() ?? [])])
  }

  /** Members that said in writing that they hold what this segment names. */
  signersOf(segment: string): DeviceId[] {
    return [...(this.#receipts.get(segment)?.keys() ?? [])].filter((device) => this.#options.isMember(device))
  }

  /** Is the content that this op named on enough other devices, as far as this one has to care? */
  isSafe(op: OpId): boolean {
    return !within(this.#unsafe, op)
  }

  /** Must this device keep what this op named? */
  mustKeep(op: OpId): boolean {
    if (within(this.#unsafe, op)) return true
    const promised = within(this.#promised, op)
    return promised !== undefined && !this.#isReleased(promised)
  }

  /** Enough of the others who signed come before this device. */
  #isReleased({ hash }: BookedSegment): boolean {
    const { signer, isMember, copies, crypto } = this.#options
    const rank = (device: string) => crypto.sha256(utf8(`${hash}/${device}`)).join()
    const own = rank(signer.device)
    const others = [...(this.#receipts.get(hash)?.keys() ?? [])].filter((device) => device !== signer.device && isMember(device))
    return others.filter((device) => rank(device) < own).length >= copies
  }

  #settle(hash: string): void {
    const { isMember, copies, signer } = this.#options
    const holders = [...(this.#receipts.get(hash)?.keys() ?? [])].filter((device) => device !== signer.device && isMember(device))
    if (holders.length >= copies) this.#drop(UNSAFE, this.#unsafe, hash)
  }

  #keep(bytes: Uint8Array): void {
    const name = this.#add(bytes)
    this.#options.store.putValue(RECEIPT, name, bytes)
  }

  #add(bytes: Uint8Array): string {
    const { crypto, dataset } = this.#options
    const { device, segment } = openReceipt(crypto, dataset, bytes)
    let of = this.#receipts.get(segment)
    if (!of) this.#receipts.set(segment, (of = new Map()))
    of.set(device, bytes)
    return `${segment}.${device}`
  }

  #put(space: string, map: Map<string, BookedSegment>, booked: BookedSegment): void {
    map.set(booked.hash, booked)
    this.#options.store.putValue(space, booked.hash, utf8(JSON.stringify(booked)))
  }

  #drop(space: string, map: Map<string, BookedSegment>, hash: string): void {
    if (map.delete(hash)) this.#options.store.putValue(space, hash, undefined)
  }
}

function within(segments: ReadonlyMap<string, BookedSegment>, op: OpId): BookedSegment | undefined {
  const dot = op.indexOf('.')
  const [log, number] = [op.slice(0, dot), Number(op.slice(dot + 1))]
  for (const booked of segments.values()) {
    if (booked.log === log && booked.first <= number && number < booked.first + booked.count) return booked
  }
  return undefined
}
