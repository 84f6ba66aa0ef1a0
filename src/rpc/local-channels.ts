import type { ByteChannel } from './channel.ts'
import { WireChannel } from './wire-channel.ts'

/** Both ends of one channel; what is sent arrives in a later turn, in order. */
export function localChannelPair(): [ByteChannel, ByteChannel] {
  const ends: WireChannel[] = []
  const make = (other: number) =>
    new WireChannel(
      other,
      {
        sendBytes: (bytes) => queueMicrotask(() => ends[other]?.handleBytes(bytes.slice())),
        sendAck: (bytes) => queueMicrotask(() => ends[other]?.handleAck(bytes)),
        sendClose: (reason) => queueMicrotask(() => ends[other]?.handleClose(reason)),
        forget: () => undefined,
      },
      () => undefined,
      false,
    )
  ends.push(make(1), make(0))
  return [ends[0] as ByteChannel, ends[1] as ByteChannel]
}
