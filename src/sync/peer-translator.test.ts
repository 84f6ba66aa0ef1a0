import * as awarenessProtocol from 'y-protocols/awareness'
import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { WORKSPACE_DOC, type DeviceId } from '../base/ids.ts'
import { fakeDevice, FakeDeviceCheck } from '../testkit/fake-identity.ts'
import { syncContext } from '../testkit/sync-device.ts'
import { Frontier } from './frontier.ts'
import { PeerTranslator, type TranslatorHost } from './peer-translator.ts'
import { Replica } from './replica.ts'
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

it('[SY3] a snapshot that comes before y-webrtc has opened the document is not taken as held', () => {
  const [theirContext, ourContext] = [syncContext(fakeDevice('A')), syncContext(fakeDevice('B'))]
  const theirs = new Replica(theirContext, WORKSPACE_DOC)
  theirs.edit((doc) => doc.getMap('m').set('a', 1))
  theirs.makeSnapshot()
  const ours = new Replica(ourContext, WORKSPACE_DOC)
  const host: TranslatorHost = {
    peer: fakeDevice('A'),
    bufferedBytes: 0,
    send: () => {},
    fault: () => {},
    askAgainLater: () => {},
    noteComplete: () => {},
  }
  const translator = new PeerTranslator(ourContext, ours, host)
  translator.handleSnapshot(theirContext.log.loadSnapshot(WORKSPACE_DOC) as Uint8Array)
  // what counts as held is in the document: otherwise nobody would ever send it again
  expect([ours.frontier.size, ours.doc.getMap('m').get('a')]).toEqual([0, undefined])
  for (const replica of [theirs, ours]) replica.dispose()
})

it('[SY100] a snapshot whose signer is an admin no more is offered to nobody, and makes way for one of whoever is', () => {
  const [admin, member, other] = ['A', 'B', 'C'].map(fakeDevice) as [DeviceId, DeviceId, DeviceId]
  const check = new FakeDeviceCheck([admin, member, other])
  check.plain.add(member)
  const snapshotOf = (context: SyncContext) => context.log.loadSnapshot(WORKSPACE_DOC) as Uint8Array
  const [admins, ours, others] = [admin, member, other].map((device) => syncContext(device, { check })) as [
    SyncContext,
    SyncContext,
    SyncContext,
  ]
  const held = new Replica(admins, WORKSPACE_DOC)
  held.edit((doc) => doc.getMap('m').set('a', 1))
  held.makeSnapshot()
  const fromAdmin = snapshotOf(admins)
  const replica = new Replica(ours, WORKSPACE_DOC)
  replica.receiveSnapshot(fromAdmin, (update) => Y.applyUpdate(replica.doc, update))
  const offered = () => {
    const sent: SessionMessage[] = []
    const host: TranslatorHost = {
      peer: other,
      bufferedBytes: 0,
      send: (message) => sent.push(message),
      fault: () => {},
      askAgainLater: () => {},
      noteComplete: () => {},
    }
    const translator = new PeerTranslator(ours, replica, host)
    translator.bind({ deliver: () => {}, close: () => {} })
    translator.handleHave(new Frontier())
    return sent.flatMap((message) => (message.kind === 'snapshot' ? [message.snapshot] : []))
  }
  expect(offered()).toEqual([fromAdmin])
  check.plain.add(admin) // demoted: every gate refuses it now
  expect(offered()).toEqual([])
  const theirs = new Replica(others, WORKSPACE_DOC)
  check.plain.delete(admin)
  theirs.receiveSnapshot(fromAdmin, (update) => Y.applyUpdate(theirs.doc, update))
  check.plain.add(admin)
  theirs.makeSnapshot()
  const fromOther = snapshotOf(others)
  replica.receiveSnapshot(fromOther, () => {})
  expect(offered()).toEqual([fromOther])
  for (const one of [held, replica, theirs]) one.dispose()
})
