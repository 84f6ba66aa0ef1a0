import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { type ByteChannel, CHANNEL_HIGH_BYTES } from './channel.ts'

const NO_HEAD = new Uint8Array(0)

/**
 * Joins two channels, message for message, until either closes; then closes the other with the same reason. A slow end
 * slows the other down: what waits in the middle, and on the way to the other end, stays under `highBytes` and one message.
 */
export function pipeChannels(a: ByteChannel, b: ByteChannel, highBytes = CHANNEL_HIGH_BYTES): Disposable {
  for (const channel of [a, b]) channel.highBytes = highBytes
  const owned = new DisposableStore()
  const pump = (from: ByteChannel, to: ByteChannel) => {
    owned.add(
      from.onDidReceive((bytes) => {
        to.sendParts(NO_HEAD, bytes)
        if (to.unackedBytes >= highBytes) from.setPaused(true)
      }),
    )
    owned.add(to.onDidDrain(() => from.setPaused(false)))
    owned.add(
      from.onDidClose(({ reason }) => {
        to.close(reason)
        owned.dispose()
      }),
    )
  }
  pump(a, b)
  pump(b, a)
  owned.defer(() => {
    a.dispose()
    b.dispose()
  })
  return owned
}
