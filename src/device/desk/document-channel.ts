import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import type { Event } from '../../base/emitter.ts'
import { DomainError, errorCode, errorMessage } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { ByteChannel } from '../../rpc/channel.ts'

/** First byte of a message on a document's channel (desk-contract.ts, attachDocument). */
export const DOCUMENT_FRAME = { state: 0, update: 1, awareness: 2, readOnly: 3 } as const

/** One display at one document, as sync's DisplayAttachment offers it. */
export interface DocumentAttachment extends Disposable {
  readonly clientId: number
  state(): Uint8Array
  awarenessState(): Uint8Array | undefined
  apply(update: Uint8Array): void
  applyAwareness(update: Uint8Array): void
  readonly onDidUpdate: Event<Uint8Array>
  readonly onDidChangeAwareness: Event<Uint8Array>
}

/**
 * Carries one attachment over one channel until either ends. A change that is refused closes this channel with its code
 * (the display attaches again and gets the document as it is) and disturbs nobody else. Awareness is dropped while the
 * display is behind: only the newest counts.
 */
export function serveDocument(attachment: DocumentAttachment, channel: ByteChannel, isReadOnly: boolean, log: Logger): Disposable {
  const owned = new DisposableStore()
  owned.add(attachment)
  owned.defer(() => channel.dispose())
  const send = (kind: number, body: Uint8Array) => {
    const message = new Uint8Array(body.length + 1)
    message[0] = kind
    message.set(body, 1)
    channel.send(message)
  }
  send(DOCUMENT_FRAME.state, attachment.state())
  if (isReadOnly) send(DOCUMENT_FRAME.readOnly, new Uint8Array())
  const awareness = attachment.awarenessState()
  if (awareness) send(DOCUMENT_FRAME.awareness, awareness)

  owned.add(attachment.onDidUpdate((update) => send(DOCUMENT_FRAME.update, update)))
  owned.add(
    attachment.onDidChangeAwareness((update) => {
      if (channel.unackedBytes < AWARENESS_HIGH_BYTES) send(DOCUMENT_FRAME.awareness, update)
    }),
  )
  owned.add(
    channel.onDidReceive((message) => {
      try {
        const body = message.subarray(1)
        if (message[0] === DOCUMENT_FRAME.update && !isReadOnly) attachment.apply(body)
        else if (message[0] === DOCUMENT_FRAME.awareness) attachment.applyAwareness(body)
      } catch (error) {
        if (!(error instanceof DomainError)) log.error('a change of a display failed', { error })
        else log.warn('a change of a display was refused', { code: errorCode(error), why: errorMessage(error) })
        channel.close(error instanceof DomainError ? errorCode(error) : 'base/bug')
      }
    }),
  )
  owned.add(channel.onDidClose(() => owned.dispose()))
  return owned
}

/** A display with this much unread is behind: pointers and drags of others would only add to it. */
const AWARENESS_HIGH_BYTES = 64 * 1024
