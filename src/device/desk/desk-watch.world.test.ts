import { expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { DeviceWorld } from '../../testkit/device-world.ts'

it('[SY36] a full disk is told until all that piled up is kept, in every document', async () => {
  const clock = new ManualClock()
  const world = new DeviceWorld(clock)
  const laptop = await world.install('laptop')
  const display = await laptop.setUp()
  const told = async () => (await display.hello({ displayName: 'display' })).notices.map(({ code }) => code)
  const open = async (name: string) => {
    const { channel: id, clientId } = await display.attachDocument({ doc: name })
    const doc = new Y.Doc()
    doc.clientID = clientId
    const channel = display.channel(id)
    channel.onDidReceive((message) => (message[0] as number) < 2 && Y.applyUpdate(doc, message.subarray(1), 'device'))
    doc.on('update', (update: Uint8Array, origin: unknown) => origin === 'device' || channel.send(Uint8Array.from([1, ...update])))
    return doc
  }
  const workspace = await open('workspace')
  const text = await open('text/aaaaaaaaaaaaaaaaaaaaaa')
  for (const doc of ['workspace', 'text/aaaaaaaaaaaaaaaaaaaaaa']) laptop.cannotKeep.add(doc)
  workspace.getMap('test').set('moved', 1)
  text.getText('text').insert(0, 'typed')
  await vi.waitFor(async () => expect(await told()).toEqual(['store/disk-full']))

  laptop.cannotKeep.delete('text/aaaaaaaaaaaaaaaaaaaaaa')
  clock.advance(6_000)
  text.getText('text').insert(0, 'more ')
  clock.advance(1_000)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await told()).toEqual(['store/disk-full']) // the window's move is in memory only

  laptop.cannotKeep.clear()
  clock.advance(6_000)
  await vi.waitFor(async () => expect(await told()).toEqual([]))
  laptop.errors.length = 0 // that it could not be kept is reported as an error, as it should be
  world.dispose()
})
