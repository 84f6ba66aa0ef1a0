import { afterEach, expect, it } from 'vitest'
import { Emitter } from '../../base/emitter.ts'
import { WORKSPACE_DOC } from '../../base/ids.ts'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import { serveDocument } from '../../device/document-channel.ts'
import { silentLogger } from '../../base/logger.ts'
import { MemoryEnvelopeLog } from '../../sync/memory-envelope-log.ts'
import { Replica } from '../../sync/replica.ts'
import { fakeDevice } from '../../testkit/fake-identity.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { syncContext } from '../../testkit/sync-device.ts'
import { AttachedDocument } from './attached-document.ts'
import type { DeviceClient } from './device-connection.ts'

class Pipe implements ByteChannel {
  readonly id = 1
  readonly unackedBytes = 0
  readonly #received = new Emitter<Uint8Array>()
  readonly #closed = new Emitter<{ readonly reason: string }>()
  readonly onDidReceive = this.#received.event
  readonly onDidClose = this.#closed.event
  readonly onDidDrain = new Emitter<void>().event
  /** Never behind: everything is heard at once. */
  setPaused(): void {}
  other: Pipe | undefined
  closedFor: string | undefined

  send(bytes: Uint8Array): void {
    const copy = bytes.slice()
    queueMicrotask(() => this.other?.hear(copy))
  }

  hear(bytes: Uint8Array): void {
    if (this.closedFor === undefined) this.#received.fire(bytes)
  }

  close(reason = ''): void {
    if (this.closedFor !== undefined) return
    this.closedFor = reason
    this.#closed.fire({ reason })
    this.other?.close(reason)
  }

  dispose(): void {
    this.close('disposed')
  }
}

const disposables: { dispose(): void }[] = []
afterEach(() => {
  for (const one of disposables.splice(0)) one.dispose()
})
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10))

/** The device's end: a replica that is attached to over a pipe. */
function clientOf(replica: Replica): { client: DeviceClient; pipes: Pipe[] } {
  const pipes: Pipe[] = []
  const client = {
    async attachDocument() {
      const attachment = replica.attachDisplay()
      const [near, far] = [new Pipe(), new Pipe()]
      near.other = far
      far.other = near
      pipes.push(near)
      queueMicrotask(() => serveDocument(attachment, far, false, silentLogger))
      return { channel: 1, clientId: attachment.clientId }
    },
    channel: () => pipes.at(-1) as Pipe,
  }
  return { client: client as unknown as DeviceClient, pipes }
}

it('a display that had sent a change to a device that was killed before keeping it sends it again, and goes on', async () => {
  const clock = new ManualClock()
  const log = new MemoryEnvelopeLog()
  const store = new MemoryKeyValueStore()
  const boot = (): Replica => new Replica(syncContext(fakeDevice('A'), { clock, log, store }), WORKSPACE_DOC)
  const first = boot()
  const shown = new AttachedDocument(WORKSPACE_DOC)
  disposables.push(shown)
  await shown.attach(clientOf(first).client)
  await shown.whenLoaded
  shown.doc.getText('t').insert(0, 'kept')
  shown.doc.getText('t').insert(4, ' and sent')
  await settle()
  expect([first.doc.getText('t').toString(), shown.hasUnsent]).toEqual(['kept and sent', false])
  first.discard() // killed: the second change was in the open batch
  shown.detach()

  const second = boot()
  disposables.push(second)
  expect(second.doc.getText('t').toString()).toBe('kept')
  const { client, pipes } = clientOf(second)
  await shown.attach(client)
  await settle()
  expect(second.doc.getText('t').toString()).toBe('kept and sent')
  shown.doc.getText('t').insert(13, ', then more')
  await settle()
  expect(second.doc.getText('t').toString()).toBe('kept and sent, then more')
  expect(pipes.map((pipe) => pipe.closedFor)).toEqual([undefined])
})
