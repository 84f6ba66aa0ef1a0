import type { LaneName } from './lane.ts'
import type { RtcChannel, RtcConnection } from './rtc-stack.ts'

/*
 * Channels of a link, made by both sides with the same ids (part of the link version; never renumber, only add):
 *   live connection   0 wire (hello, heartbeat, confirmations)   1 control   2 session   3 tty   4 ports   5 again (version 2)
 *   bulk connection   0 jobs   1 files
 */
export const LIVE_LANES = ['control', 'session', 'tty', 'ports'] as const satisfies readonly LaneName[]
export const BULK_LANES = ['jobs', 'files'] as const satisfies readonly LaneName[]

/** A live channel fires onDidDrain when SCTP has taken all of it: the window, not the buffer, holds senders back there. */
const LIVE_LOW_BYTES = 0
/** Bulk keeps SCTP fed: refilled when a quarter of BULK_BUFFER_BYTES is left. */
const BULK_LOW_BYTES = 16 * 1024

export interface LaneChannel {
  readonly name: LaneName
  readonly channel: RtcChannel
}

export interface LinkChannels {
  readonly wire: RtcChannel
  /** Neither ordered nor reliable: small messages a second time. Silent towards a peer that speaks version 1. */
  readonly again: RtcChannel
  readonly live: readonly LaneChannel[]
  readonly bulk: readonly LaneChannel[]
}

export function createLinkChannels(live: RtcConnection, bulk: RtcConnection): LinkChannels {
  const wire = live.createChannel({ label: 'wire', id: 0, lowBytes: 0 })
  return {
    wire,
    again: live.createChannel({ label: 'again', id: LIVE_LANES.length + 1, lowBytes: 0, isReliable: false }),
    live: LIVE_LANES.map((name, index) => ({
      name,
      channel: live.createChannel({ label: name, id: index + 1, lowBytes: LIVE_LOW_BYTES }),
    })),
    bulk: BULK_LANES.map((name, index) => ({ name, channel: bulk.createChannel({ label: name, id: index, lowBytes: BULK_LOW_BYTES }) })),
  }
}
