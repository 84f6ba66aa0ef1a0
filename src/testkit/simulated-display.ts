import * as Y from 'yjs'
import type { DocId } from '../base/ids.ts'
import type { DisplayAttachment } from '../sync/display-attachment.ts'
import type { Replica } from '../sync/replica.ts'

/**
 * A display as the renderer is one: its own Y.Doc per document, written under the client id it was given. Survives its
 * device: `reattach` takes the new device's state and flushes what that one lacks.
 */
export class SimulatedDisplay {
  readonly #docs = new Map<DocId, { readonly doc: Y.Doc; attachment: DisplayAttachment }>()

  /** The display's document, attached to `replica` at the first call. */
  open(replica: Replica): Y.Doc {
    const known = this.#docs.get(replica.docId)
    if (known) return known.doc
    const doc = new Y.Doc()
    const entry = { doc, attachment: this.#attach(replica, doc) }
    doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== 'device') entry.attachment.apply(update)
    })
    this.#docs.set(replica.docId, entry)
    return doc
  }

  docs(): readonly DocId[] {
    return [...this.#docs.keys()]
  }

  /** The device has restarted: attaches again, and sends what the device does not have (any more). */
  reattach(replica: Replica): void {
    const entry = this.#docs.get(replica.docId)
    if (!entry) return
    entry.attachment = this.#attach(replica, entry.doc)
    entry.attachment.apply(Y.encodeStateAsUpdate(entry.doc, Y.encodeStateVector(replica.doc)))
  }

  /** The document was dropped. */
  forget(doc: DocId): void {
    const entry = this.#docs.get(doc)
    this.#docs.delete(doc)
    entry?.attachment.dispose()
    entry?.doc.destroy()
  }

  #attach(replica: Replica, doc: Y.Doc): DisplayAttachment {
    const attachment = replica.attachDisplay()
    attachment.onDidUpdate((update) => Y.applyUpdate(doc, update, 'device'))
    Y.applyUpdate(doc, attachment.state(), 'device')
    doc.clientID = attachment.clientId
    return attachment
  }
}
