import { DisposableStore, toDisposable, type Disposable } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { errorCode, errorMessage } from '../base/errors.ts'
import type { DeviceId, DocId } from '../base/ids.ts'
import { DocRoom } from './doc-room.ts'
import type { Documents } from './documents.ts'
import type { Lane, Link } from './lane.ts'
import { LinkSession } from './link-session.ts'
import type { Replica } from './replica.ts'
import { MESSAGE_BYTES, type MessageKind } from './session-message.ts'
import type { SyncContext } from './sync-context.ts'

/** Lanes with this much queued count as backed up: batches get longer. */
const BACKED_UP_BYTES = 64 << 10

/** Messages sent on session lanes since the start, by what their first byte says. A frame of type 0 is never among them. */
export type FrameCounts = Readonly<Record<MessageKind | 'forbidden', number>>

/**
 * Keeps the documents of this device equal with those of every linked device (rules SY1-SY9).
 *
 * Owns one y-webrtc room per open document, once there was a link, and one session per link; multiplexes all documents on a link's session lane.
 * Documents that a peer has and this device lacks are opened here by themselves. Does not own links or documents.
 */
export class DocumentSync implements Disposable {
  readonly #context: SyncContext
  readonly #documents: Documents
  readonly #rooms = new Map<DocId, DocRoom>()
  readonly #sessions = new Map<DeviceId, LinkSession>()
  readonly #owned = new DisposableStore()
  readonly #counts: Record<MessageKind | 'forbidden', number>
  /** From the first link on: y-webrtc writes down each whole document for a room, which nobody needs before. */
  #roomsAreOpen = false
  readonly #tooNew = new Emitter<{ readonly peer: DeviceId; readonly message: string }>()

  constructor(context: SyncContext, documents: Documents) {
    this.#context = context
    this.#documents = documents
    this.#counts = { hello: 0, have: 0, envelopes: 0, snapshot: 0, awareness: 0, dropped: 0, copied: 0, forbidden: 0 }
    this.#owned.add(documents.onDidOpen((replica) => this.#roomsAreOpen && this.#addRoom(replica)))
    this.#owned.add(
      documents.onDidFindCopy((found) => {
        for (const session of this.#sessions.values()) session.tellCopy(found)
      }),
    )
    this.#owned.add(
      documents.onDidDrop(({ doc, tombstone }) => {
        for (const session of this.#sessions.values()) session.handleDropped(doc, tombstone)
        this.#rooms.get(doc)?.dispose()
        this.#rooms.delete(doc)
      }),
    )
  }

  /** A peer speaks a protocol that this device cannot: one of the two must be updated. */
  readonly onDidMeetOtherProtocol: Event<{ readonly peer: DeviceId; readonly message: string }> = this.#tooNew.event

  /** Outgoing messages by kind, and raw Yjs frames of either direction: a spy for tests and the debug page. */
  get frameCounts(): FrameCounts {
    return this.#counts
  }

  /** Peers that this device exchanges documents with now. */
  get peers(): readonly DeviceId[] {
    return [...this.#sessions.keys()]
  }

  /** Starts to exchange all documents over a link; ends by itself when the link closes. */
  attach(link: Link): Disposable {
    this.#openRooms()
    this.#sessions.get(link.peer)?.dispose()
    const lane = link.lane('session')
    const session = new LinkSession(this.#context, this.#documents, link, {
      roomOf: (doc) => this.#rooms.get(doc),
      send: (bytes) => this.#send(lane, bytes),
      handleForbidden: () => void this.#counts.forbidden++,
      handleOtherProtocol: (message) => this.#tooNew.fire({ peer: link.peer, message }),
    })
    this.#sessions.set(link.peer, session)
    const forget = toDisposable(() => {
      session.dispose()
      if (this.#sessions.get(link.peer) === session) this.#sessions.delete(link.peer)
    })
    lane.onDidClose(() => forget.dispose())
    link.onDidClose(() => forget.dispose())
    session.start()
    return forget
  }

  /** Asks every peer again for what this device lacks: after the device list or the keys have changed. */
  resync(): void {
    for (const session of this.#sessions.values()) session.askAll()
  }

  /** Takes a peer's documents off y-webrtc while its link stays: nothing follows any more. For tests that prove it. */
  detachFromProvider(): void {
    for (const room of this.#rooms.values()) for (const peer of this.#sessions.keys()) room.detach(peer)
  }

  dispose(): void {
    this.#owned.dispose()
    for (const session of [...this.#sessions.values()]) session.dispose()
    for (const room of this.#rooms.values()) room.dispose()
    this.#sessions.clear()
    this.#rooms.clear()
    this.#tooNew.dispose()
  }

  #openRooms(): void {
    if (this.#roomsAreOpen) return
    this.#roomsAreOpen = true
    for (const replica of this.#documents.all()) this.#addRoom(replica)
  }

  #addRoom(replica: Replica): void {
    replica.isBackedUp = () => [...this.#sessions.values()].some((session) => session.bufferedBytes > BACKED_UP_BYTES)
    this.#rooms.set(replica.docId, new DocRoom(replica, this.#context.signer.device, this.#context.start))
    const appended = replica.onDidAppend((entry) => {
      for (const session of this.#sessions.values()) session.handleAppended(replica.docId, entry)
    })
    this.#owned.add(appended)
    const snapshots = replica.onDidMakeSnapshot(() => {
      for (const session of this.#sessions.values()) session.handleSnapshotMade(replica.docId)
    })
    this.#owned.add(snapshots)
    for (const session of this.#sessions.values()) session.addDocument(replica)
  }

  #send(lane: Lane, bytes: Uint8Array): void {
    const kind = (Object.keys(MESSAGE_BYTES) as MessageKind[]).find((name) => MESSAGE_BYTES[name] === bytes[0]) ?? 'forbidden'
    this.#counts[kind]++
    try {
      lane.send(bytes)
    } catch (error) {
      // the link is closing; the next one starts with HAVE again
      this.#context.logger.debug('a message was not sent', { code: errorCode(error), message: errorMessage(error) })
    }
  }
}
