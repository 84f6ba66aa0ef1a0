import * as broadcastChannel from 'lib0/broadcastchannel'
import { WebrtcConn, WebrtcProvider, type Room, type SignalingConn } from 'y-webrtc'
import type { Disposable } from '../base/disposable.ts'
import type { DeviceId } from '../base/ids.ts'
import type { StartId } from './client-ids.ts'
import type { FrameTranslator, LanePeerOptions } from './lane-peer.ts'
import type { Replica } from './replica.ts'

/** y-webrtc asks for one to announce itself; a room without signaling never does. */
const NO_SIGNALING = { connected: false } as unknown as SignalingConn

/**
 * One document's room in y-webrtc, the provider: it applies what comes from peers to the Y.Doc and says what changes.
 * Peers are attached by constructing its `WebrtcConn` over a LanePeer; it finds none itself.
 *
 * | what y-webrtc does | what we do about it |
 * | --- | --- |
 * | keeps rooms by name in a module global, refuses a second | the name holds device and start: unique in a process |
 * | publishes every change on a BroadcastChannel, also in Node, which keeps the process alive | unsubscribed and switched off once its first messages are out |
 * | adds an exit listener per room | removed: 11 texts would warn of a leak |
 * | opens the room a microtask after construction | attachments made before wait for it |
 */
export class DocRoom implements Disposable {
  readonly #provider: WebrtcProvider
  readonly #name: string
  readonly #attached = new Map<DeviceId, { translator: FrameTranslator; conn?: WebrtcConn }>()
  #taken: FrameTranslator | undefined
  #room: Room | undefined
  #isDisposed = false

  constructor(replica: Replica, device: DeviceId, start: StartId) {
    this.#name = `${replica.docId}@${device}/${start}`
    const peerOpts: LanePeerOptions = { takeTranslator: () => this.#taken as FrameTranslator }
    this.#provider = new WebrtcProvider(this.#name, replica.doc, {
      signaling: [],
      awareness: replica.awareness,
      filterBcConns: false,
      maxConns: Number.MAX_SAFE_INTEGER,
      peerOpts,
    })
    void this.#provider.key.then(() => this.#handleOpen())
  }

  /** Attaches a peer; from then on its translator carries this document. A peer attached before is replaced. */
  attach(peer: DeviceId, translator: FrameTranslator): void {
    this.detach(peer)
    const entry = { translator }
    this.#attached.set(peer, entry)
    if (this.#room) this.#connect(peer, entry)
  }

  detach(peer: DeviceId): void {
    const entry = this.#attached.get(peer)
    this.#attached.delete(peer)
    entry?.conn?.destroy()
  }

  /** Peers attached to y-webrtc now. */
  get peers(): readonly DeviceId[] {
    return [...(this.#room?.webrtcConns.keys() ?? [])] as DeviceId[]
  }

  dispose(): void {
    if (this.#isDisposed) return
    this.#isDisposed = true
    for (const peer of [...this.#attached.keys()]) this.detach(peer)
    this.#provider.destroy()
    // its farewell is published on a channel it opens anew: close that too
    void afterMicrotasks().then(() => this.#closeChannel())
  }

  #handleOpen(): void {
    const room = this.#provider.room
    if (!room || this.#isDisposed) return
    this.#room = room
    const { process } = globalThis as { process?: { off?: (event: string, listener: () => void) => void } }
    // oxlint-disable-next-line no-underscore-dangle -- y-webrtc's name
    process?.off?.('exit', room._beforeUnloadHandler)
    void afterMicrotasks().then(() => {
      room.bcconnected = false
      // oxlint-disable-next-line no-underscore-dangle -- y-webrtc's name
      broadcastChannel.unsubscribe(room.name, room._bcSubscriber)
    })
    for (const [peer, entry] of this.#attached) this.#connect(peer, entry)
  }

  #connect(peer: DeviceId, entry: { translator: FrameTranslator; conn?: WebrtcConn }): void {
    const room = this.#room as Room
    this.#taken = entry.translator
    entry.conn = new WebrtcConn(NO_SIGNALING, false, peer, room)
    room.webrtcConns.set(peer, entry.conn)
  }

  #closeChannel(): void {
    const nobody = (): void => {}
    broadcastChannel.subscribe(this.#name, nobody)
    broadcastChannel.unsubscribe(this.#name, nobody)
  }
}

/** y-webrtc's publishing takes three promise hops. */
async function afterMicrotasks(): Promise<void> {
  for (let hop = 0; hop < 8; hop++) await undefined
}
