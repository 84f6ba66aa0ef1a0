import * as Y from 'yjs'
import type { DeviceId, DocId } from '../base/ids.ts'
import { WORKSPACE_DOC } from '../base/ids.ts'
import { clientIdOf, type ClientName, type StartId } from '../sync/client-ids.ts'
import { hashEnvelope, NO_HASH, sealContextOf, signEnvelope, type EnvelopeRef } from '../sync/envelope.ts'
import { fakeDevice, fakeEnvelopeSeal, fakeSigner } from './fake-identity.ts'

/** What a test changes about an envelope that would otherwise be right. */
export interface Forgery {
  readonly doc?: DocId
  readonly seq?: number
  readonly prevHash?: Uint8Array
  readonly deps?: readonly EnvelopeRef[]
  readonly clients?: readonly ClientName[]
  readonly epoch?: number
  readonly context?: string
}

/** Makes envelopes as a device does, one chain of them; or almost as one does. */
export class EnvelopeAuthor {
  readonly device: DeviceId
  readonly start: StartId
  readonly #doc: DocId
  seq = 0
  lastHash: Uint8Array = NO_HASH

  constructor(name: string, options: { readonly doc?: DocId; readonly start?: string } = {}) {
    this.device = fakeDevice(name)
    this.start = (options.start ?? '0102030405060708') as StartId
    this.#doc = options.doc ?? WORKSPACE_DOC
  }

  get lastRef(): EnvelopeRef {
    return { device: this.device, start: this.start, seq: this.seq }
  }

  /** The n-th client id this device gives out. */
  clientId(n = 1): number {
    return clientIdOf(this.device, { start: this.start, n })
  }

  /** A Y.Doc that writes under the n-th client id and holds `from`. */
  doc(from?: Y.Doc, n = 1): Y.Doc {
    const doc = new Y.Doc()
    if (from) Y.applyUpdate(doc, Y.encodeStateAsUpdate(from))
    doc.clientID = this.clientId(n) // afterwards: Yjs changes an id that it sees used by others
    return doc
  }

  /** Seals and signs; the next one follows it. */
  seal(update: Uint8Array, forgery: Forgery = {}): Uint8Array {
    const bytes = this.forge(update, forgery)
    this.seq++
    this.lastHash = hashEnvelope(bytes)
    return bytes
  }

  /** As `seal`, but the chain does not go on from it. */
  forge(update: Uint8Array, forgery: Forgery = {}): Uint8Array {
    const doc = forgery.doc ?? this.#doc
    const ref = { device: this.device, start: this.start, seq: forgery.seq ?? this.seq + 1 }
    const { bytes } = signEnvelope(
      {
        doc,
        start: this.start,
        seq: ref.seq,
        prevHash: forgery.prevHash ?? this.lastHash,
        epoch: forgery.epoch ?? fakeEnvelopeSeal.epoch,
        deps: forgery.deps ?? [],
        clients: forgery.clients ?? [{ start: this.start, n: 1 }],
        update: fakeEnvelopeSeal.seal(update, forgery.context ?? sealContextOf({ doc, ...ref })),
      },
      fakeSigner(this.device),
    )
    return bytes
  }
}

/** The update that `change` makes in `doc`. */
export function updateOf(doc: Y.Doc, change: (doc: Y.Doc) => void): Uint8Array {
  const updates: Uint8Array[] = []
  const listen = (update: Uint8Array): void => void updates.push(update)
  doc.on('update', listen)
  doc.transact(() => change(doc))
  doc.off('update', listen)
  return Y.mergeUpdates(updates)
}
