import * as awarenessProtocol from 'y-protocols/awareness'
import * as Y from 'yjs'
import type { Disposable } from '../base/disposable.ts'
import type { DocId } from '../base/ids.ts'
import type { ClientIds } from './client-ids.ts'
import { DisplayAttachment, type AttachmentHost } from './display-attachment.ts'
import { SyncError } from './sync-error.ts'
import { findViolation } from './update-check.ts'

/**
 * The displays of this device at one document (rules SY40-SY43): takes what they change, after a check, and tells them what
 * others do. Owns the attachments; not the document, nor its awareness.
 */
export class ReplicaDisplays implements AttachmentHost, Disposable {
  readonly awareness: awarenessProtocol.Awareness
  readonly #docId: DocId
  readonly #doc: Y.Doc
  readonly #clientIds: ClientIds
  readonly #isDeviceId: (clientId: number) => boolean
  readonly #attached = new Map<number, DisplayAttachment>()

  /** `isDeviceId`: is it the client id under which the device itself changes the document? */
  constructor(
    docId: DocId,
    doc: Y.Doc,
    awareness: awarenessProtocol.Awareness,
    clientIds: ClientIds,
    isDeviceId: (clientId: number) => boolean,
  ) {
    this.#docId = docId
    this.#doc = doc
    this.awareness = awareness
    this.#clientIds = clientIds
    this.#isDeviceId = isDeviceId
    awareness.on('update', this.#handleAwareness)
  }

  get size(): number {
    return this.#attached.size
  }

  /** @throws StoreError  the client id cannot be kept */
  attach(): DisplayAttachment {
    const attachment = new DisplayAttachment(this.#clientIds.issue(this.#docId).clientId, this)
    this.#attached.set(attachment.clientId, attachment)
    return attachment
  }

  state(): Uint8Array {
    return Y.encodeStateAsUpdate(this.#doc)
  }

  /** @throws SyncError  see DisplayAttachment.apply */
  apply(attachment: DisplayAttachment, update: Uint8Array): void {
    const found = findViolation(this.#doc, update, { mayWrite: (clientId) => this.#mayWrite(attachment, clientId) })
    if (found) throw new SyncError(found.code, `a change to ${this.#docId} by a display was refused: ${found.message}; reload the display`)
    Y.applyUpdate(this.#doc, update, attachment)
  }

  detach(attachment: DisplayAttachment): void {
    this.#attached.delete(attachment.clientId)
  }

  /** Tells all but the one that did it. */
  tellUpdate(update: Uint8Array, origin: unknown): void {
    for (const display of this.#attached.values()) if (display !== origin) display.notifyUpdate(update)
  }

  dispose(): void {
    for (const display of [...this.#attached.values()]) display.dispose()
    this.awareness.off('update', this.#handleAwareness)
  }

  readonly #handleAwareness = (changed: { added: number[]; updated: number[]; removed: number[] }, origin: unknown): void => {
    if (this.#attached.size === 0) return
    const clients = [...changed.added, ...changed.updated, ...changed.removed]
    const update = awarenessProtocol.encodeAwarenessUpdate(this.awareness, clients)
    for (const display of this.#attached.values()) if (display !== origin) display.notifyAwareness(update)
  }

  #mayWrite(attachment: DisplayAttachment, clientId: number): boolean {
    if (clientId === attachment.clientId) return true
    if (this.#isDeviceId(clientId) || this.#attached.has(clientId)) return false
    return this.#clientIds.find(clientId)?.doc === this.#docId
  }
}
