import type { ByteChannel } from './channel.ts'
import { LaneTransport } from './lane-transport.ts'

/** RPC over a byte channel: how two processes speak whose own processes only pass bytes on. Owns the channel. */
export function channelTransport(channel: ByteChannel): LaneTransport {
  const lane = {
    send: (message: Uint8Array) => channel.send(message),
    get bufferedBytes() {
      return channel.unackedBytes
    },
    onDidReceive: channel.onDidReceive,
    onDidClose: channel.onDidClose,
    dispose: () => channel.dispose(),
  }
  return new LaneTransport(lane, (reason) => channel.close(reason))
}
