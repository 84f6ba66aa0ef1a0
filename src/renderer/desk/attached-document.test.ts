import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { Emitter } from '../../base/emitter.ts'
import { AttachedDocument } from './attached-document.ts'
import type { DeviceClient } from './device-connection.ts'

/** A device that holds one document and hands out client ids, as attachDocument does. */
function fakeDevice() {
  const doc = new Y.Doc()
  let nextId = 7_000
  let channel: FakeChannel | undefined
  const frames: Uint8Array[] = []
  class FakeChannel {
    readonly received = new Emitter<Uint8Array>()
    readonly closed = new Emitter<{ reason: string }>()
    readonly onDidReceive = this.received.event
    readonly onDidClose = this.closed.event
    send(message: Uint8Array) {
      frames.push(message)
      if (message[0] === 1) Y.applyUpdate(doc, message.subarray(1))
    }
    dispose() {
      this.closed.fire({ reason: 'rpc/closed' })
    }
  }
  const client = {
    attachDocument: async () => {
      channel = new FakeChannel()
      const opened = channel
      queueMicrotask(() => queueMicrotask(() => queueMicrotask(() => opened.received.fire(frame(0, Y.encodeStateAsUpdate(doc))))))
      return { channel: 1, clientId: nextId++ }
    },
    channel: () => channel,
  } as unknown as DeviceClient
  return { doc, client, frames, channel: () => channel as FakeChannel }
}

const frame = (kind: number, body: Uint8Array) => Uint8Array.from([kind, ...body])
const text = (doc: Y.Doc) => doc.getText('t').toString()

it('changes only under the client id the device gave, and sends them as updates', async () => {
  const device = fakeDevice()
  device.doc.getText('t').insert(0, 'there')
  const attached = new AttachedDocument('workspace')
  await attached.attach(device.client)
  await attached.whenLoaded
  expect(text(attached.doc)).toBe('there')
  attached.doc.getText('t').insert(5, ' and here')
  expect(text(device.doc)).toBe('there and here')
  expect(attached.doc.clientID).toBe(7_000)
  expect([...device.doc.store.clients.keys()]).toContain(7_000)
  attached.dispose()
})

it('what was changed without a device is sent once, with the next attachment, and under the old id', async () => {
  const device = fakeDevice()
  const attached = new AttachedDocument('workspace')
  await attached.attach(device.client)
  await attached.whenLoaded
  attached.doc.getText('t').insert(0, 'a')
  attached.detach()
  attached.doc.getText('t').insert(1, 'b')
  expect(attached.hasUnsent).toBe(true)
  device.doc.getText('t').insert(1, 'x')
  await attached.attach(device.client)
  await expect.poll(() => attached.hasUnsent).toBe(false)
  expect(text(device.doc)).toBe(text(attached.doc))
  expect([...text(device.doc)].sort()).toEqual(['a', 'b', 'x'])
  expect(attached.doc.clientID).toBe(7_001)
  attached.dispose()
})

it('does not send back what came from the device', async () => {
  const device = fakeDevice()
  const attached = new AttachedDocument('workspace')
  await attached.attach(device.client)
  await attached.whenLoaded
  const other = new Y.Doc()
  other.getText('t').insert(0, 'from another display')
  device.channel().received.fire(frame(1, Y.encodeStateAsUpdate(other)))
  expect(text(attached.doc)).toBe('from another display')
  expect(device.frames.filter(([kind]) => kind === 1)).toEqual([])
  attached.dispose()
})

it('tells when the device lets go of the channel with a reason, but not when it is detached here', async () => {
  const device = fakeDevice()
  const attached = new AttachedDocument('workspace')
  const reasons: string[] = []
  attached.onDidLoseChannel(({ reason }) => reasons.push(reason))
  await attached.attach(device.client)
  await attached.whenLoaded
  attached.detach()
  expect(reasons).toEqual([])
  await attached.attach(device.client)
  await new Promise((resolve) => setTimeout(resolve))
  device.channel().closed.fire({ reason: 'sync/refused' })
  expect(reasons).toEqual(['sync/refused'])
  attached.dispose()
})

it('a newer schema makes it read-only', async () => {
  const device = fakeDevice()
  const attached = new AttachedDocument('workspace')
  await attached.attach(device.client)
  device.channel().received.fire(frame(3, new Uint8Array()))
  expect(attached.readOnly).toBe(true)
  attached.dispose()
})
