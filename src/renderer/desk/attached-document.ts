import { applyAwarenessUpdate, Awareness, encodeAwarenessUpdate, removeAwarenessStates } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import type { DeviceClient } from './device-connection.ts'

/** First byte of every message on a document's channel (deskContract.attachDocument). */
const KIND = { state: 0, update: 1, awareness: 2, readOnly: 3 } as const

/** Changes that came from the device: not sent back. */
const FROM_DEVICE = Symbol('from the device')

/**
 * One document as this display holds it: a Y.Doc with the client id the device gave, kept equal over a channel. Survives
 * a reconnect: what was changed meanwhile is sent as soon as the device is back. Owns doc, awareness and channel.
 *
 * Invariant: until `whenLoaded` nothing may be changed here, because the client id is not ours yet.
 */
export class AttachedDocument implements Disposable {
  readonly doc = new Y.Doc({ gc: true })
  readonly awareness = new Awareness(this.doc)
  readonly name: string
  readonly #owned = new DisposableStore()
  readonly #readOnlyChanged = this.#owned.add(new Emitter<void>())
  readonly #channelLost = this.#owned.add(new Emitter<{ readonly reason: string }>())
  #attachment: DisposableStore | undefined
  #channel: ByteChannel | undefined
  #unsent = false
  #wasAttached = false
  #readOnly = false

  #resolveLoaded: () => void = () => {}
  /** Resolves when the first whole state is here. */
  readonly whenLoaded = new Promise<void>((resolve) => {
    this.#resolveLoaded = resolve
  })
  readonly onDidBecomeReadOnly = this.#readOnlyChanged.event
  /** The device ended the channel, e.g. because it refused a change (its code is the reason). Not fired by `detach`. */
  readonly onDidLoseChannel = this.#channelLost.event

  constructor(name: string) {
    this.name = name
    const sendUpdate = (update: Uint8Array, origin: unknown) => {
      if (origin === FROM_DEVICE) return
      if (this.#channel) this.#channel.send(framed(KIND.update, update))
      else this.#unsent = true
    }
    // From the first state on: whoever listens makes Yjs write down all it takes in, and that state is large.
    void this.whenLoaded.then(() => this.doc.on('update', sendUpdate))
    const sendAwareness = (change: { added: number[]; updated: number[]; removed: number[] }, origin: unknown) => {
      if (origin === FROM_DEVICE || !this.#channel) return
      const own = [...change.added, ...change.updated, ...change.removed].filter((client) => client === this.awareness.clientID)
      if (own.length > 0) this.#channel.send(framed(KIND.awareness, encodeAwarenessUpdate(this.awareness, own)))
    }
    this.awareness.on('update', sendAwareness)
  }

  /** The schema is newer than ours: to be looked at only. */
  get readOnly(): boolean {
    return this.#readOnly
  }

  /** Changes made here that the device has not been sent yet. */
  get hasUnsent(): boolean {
    return this.#unsent
  }

  /** Attaches over a new connection; the old attachment, if any, is gone. Errors of the call are thrown. */
  async attach(client: DeviceClient): Promise<void> {
    this.#attachment?.dispose()
    const attachment = new DisposableStore()
    this.#attachment = attachment
    const { channel: id, clientId } = await client.attachDocument({ doc: this.name })
    if (attachment.isDisposed || this.#owned.isDisposed) return client.channel(id).dispose()
    const channel = attachment.add(client.channel(id))
    this.#takeClientId(clientId)
    attachment.add(channel.onDidReceive((message) => this.#receive(message, channel)))
    attachment.add(
      channel.onDidClose(({ reason }) => {
        if (this.#channel !== channel) return
        this.#channel = undefined
        this.#channelLost.fire({ reason })
      }),
    )
  }

  /** Lets go of the channel but keeps the document, e.g. when the connection is lost. */
  detach(): void {
    this.#channel = undefined
    this.#attachment?.dispose()
    this.#attachment = undefined
  }

  dispose(): void {
    removeAwarenessStates(this.awareness, [this.awareness.clientID], 'gone')
    this.detach()
    this.#owned.dispose()
    this.awareness.destroy()
    this.doc.destroy()
  }

  #takeClientId(clientId: number): void {
    const state = this.awareness.getLocalState()
    removeAwarenessStates(this.awareness, [this.awareness.clientID], FROM_DEVICE)
    this.doc.clientID = clientId
    this.awareness.clientID = clientId
    this.awareness.setLocalState(state)
  }

  #receive(message: Uint8Array, channel: ByteChannel): void {
    const body = message.subarray(1)
    switch (message[0]) {
      case KIND.state: {
        Y.applyUpdate(this.doc, body, FROM_DEVICE)
        this.#channel = channel
        // a device that was killed may also have lost what it had been sent: it gets all that it lacks
        if (this.#unsent || this.#wasAttached) {
          channel.send(framed(KIND.update, Y.encodeStateAsUpdate(this.doc, Y.encodeStateVectorFromUpdate(body))))
          this.#unsent = false
        }
        this.#wasAttached = true
        channel.send(framed(KIND.awareness, encodeAwarenessUpdate(this.awareness, [this.awareness.clientID])))
        this.#resolveLoaded()
        return
      }
      case KIND.update:
        return Y.applyUpdate(this.doc, body, FROM_DEVICE)
      case KIND.awareness:
        return applyAwarenessUpdate(this.awareness, body, FROM_DEVICE)
      case KIND.readOnly:
        this.#readOnly = true
        return this.#readOnlyChanged.fire()
      default:
        return // a newer device says more than we know
    }
  }
}

function framed(kind: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(body.length + 1)
  message[0] = kind
  message.set(body, 1)
  return message
}
