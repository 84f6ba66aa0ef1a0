import * as encoding from 'lib0/encoding'
import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import { BoundedReader } from './bounded-reader.ts'
import type { LaneName } from './lane.ts'
import { LIVE_LANES } from './link-channels.ts'
import { LinkError } from './link-error.ts'

/*
 * A lost packet holds an ordered stream up until it is sent again: 200 ms at least, and everything behind it waits. So
 * small messages of the live lanes are said a second time, on a channel that neither orders nor repeats (SY67). One packet:
 *   entries of   u8 lane (place in LIVE_LANES), varuint which message of that lane since the link began, varuint length, bytes
 */

/** Longest message that is said twice: a keystroke's envelope has some 400 bytes. */
export const MAX_REPEATED_BYTES = 900
/** Fits one SCTP packet at libdatachannel's MTU of 1280. */
export const MAX_REPEATS_BYTES = 1_100
/** Later than the packet it stands in for, so that one burst does not take both; sooner than anybody sees. */
export const REPEAT_AFTER_MS = 15
/** Packets of repeats each time. A lane that says more than this in 15 ms finds its losses by itself, within a round trip. */
const MAX_PACKETS = 3
/** A message so far ahead of the last that came is no use: the reliable stream brings it. */
export const MAX_AHEAD = 256

/** One message, said again. `index` counts the messages of its lane from the link's first. */
export interface Repeat {
  readonly lane: LaneName
  readonly index: number
  readonly message: Uint8Array
}

export function encodeRepeat({ lane, index, message }: Repeat): Uint8Array {
  const out = encoding.createEncoder()
  encoding.writeUint8(out, (LIVE_LANES as readonly LaneName[]).indexOf(lane))
  encoding.writeVarUint(out, index)
  encoding.writeVarUint8Array(out, message)
  return encoding.toUint8Array(out)
}

/** @throws LinkError `link/bad-frame`  not one of ours; `from` names the peer */
export function decodeRepeats(packet: Uint8Array, from: string): readonly Repeat[] {
  if (packet.length > MAX_REPEATS_BYTES) throw LinkError.badFrame(from, `${packet.length} bytes of repeats`)
  const reader = new BoundedReader(packet, 'a packet of repeats')
  const repeats: Repeat[] = []
  try {
    while (!reader.isAtEnd) {
      const lane = LIVE_LANES[reader.u8()]
      if (lane === undefined) throw new RangeError('no such lane')
      repeats.push({ lane, index: reader.uint(), message: reader.bytes(MAX_REPEATED_BYTES) })
    }
  } catch (cause) {
    throw new LinkError('link/bad-frame', LinkError.badFrame(from, 'unreadable among the repeats').message, { cause })
  }
  return repeats
}

export interface LaneRepeaterOptions {
  readonly clock: Clock
  /** Nothing waits to be sent: a repeat is only of use when it comes before the reliable stream has noticed. */
  readonly isFree: () => boolean
  readonly send: (packet: Uint8Array) => void
}

/** Says small messages a second time, a moment later, several in one packet. Its timer runs only after a message. */
export class LaneRepeater implements Disposable {
  readonly #options: LaneRepeaterOptions
  #waiting: Uint8Array[] = []
  #timer: Disposable | undefined

  constructor(options: LaneRepeaterOptions) {
    this.#options = options
  }

  /** This message has just left on its lane. */
  add(repeat: Repeat): void {
    if (repeat.message.length > MAX_REPEATED_BYTES) return
    this.#waiting.push(encodeRepeat(repeat))
    this.#timer ??= this.#options.clock.after(REPEAT_AFTER_MS, () => this.#send())
  }

  #send(): void {
    this.#timer = undefined
    const packets = this.#options.isFree() ? pack(this.#waiting) : []
    this.#waiting = []
    for (const packet of packets.slice(-MAX_PACKETS)) this.#options.send(packet)
  }

  dispose(): void {
    this.#timer?.dispose()
    this.#waiting = []
  }
}

/** As few packets as they fit in, in order. */
function pack(entries: readonly Uint8Array[]): Uint8Array[] {
  const packets: Uint8Array[] = []
  let out = encoding.createEncoder()
  for (const entry of entries) {
    if (encoding.length(out) + entry.length > MAX_REPEATS_BYTES) {
      packets.push(encoding.toUint8Array(out))
      out = encoding.createEncoder()
    }
    encoding.writeUint8Array(out, entry)
  }
  packets.push(encoding.toUint8Array(out))
  return packets
}
