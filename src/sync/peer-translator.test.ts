import * as awarenessProtocol from 'y-protocols/awareness'
import { expect, it } from 'vitest'
import * as Y from 'yjs'
import type { DeviceId } from '../base/ids.ts'
import { PeerTranslator, type TranslatorHost } from './peer-translator.ts'
import type { Replica } from './replica.ts'
import type { SessionMessage } from './session-message.ts'
import type { SyncContext } from './sync-context.ts'

it('[SY5] a lane that drains while a message is being sent hears each awareness once', () => {
  const sent: SessionMessage[] = []
  const replica = { docId: 'workspace', ownClientName: () => ({ start: 'start', n: 1 }) } as unknown as Replica
  const host: TranslatorHost = {
    peer: 'peer' as DeviceId,
    bufferedBytes: 0,
    send: (message) => {
      sent.push(message)
      if (sent.length < 50) translator.pump() // as the real lane does: it has room at once, and says so
    },
    fault: () => {},
    askAgainLater: () => {},
    noteComplete: () => {},
  }
  const translator: PeerTranslator = new PeerTranslator({} as SyncContext, replica, host)
  const awareness = new awarenessProtocol.Awareness(new Y.Doc())
  awareness.setLocalState({ name: 'kitchen' })
  const update = awarenessProtocol.encodeAwarenessUpdate(awareness, [awareness.clientID])
  translator.handleFrame(Uint8Array.of(1, update.length, ...update))
  awareness.destroy()
  expect(sent.map(({ kind }) => kind)).toEqual(['awareness'])
})
