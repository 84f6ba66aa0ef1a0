import { expect, it } from 'vitest'
import { Emitter } from '../base/emitter.ts'
import { utf8 } from '../base/bytes.ts'
import { silentLogger } from '../base/logger.ts'
import type { ByteChannel } from '../rpc/channel.ts'
import { contentParts } from '../testkit/file-parts.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { encodeChunkFrame } from './chunk-frame.ts'
import type { ChunkId } from './chunk-id.ts'
import { PeerChunks } from './peer-chunks.ts'

/** The caller's end of a channel that the test answers on. */
class TestChannel {
  readonly id = 0
  readonly unackedBytes = 0
  readonly #received = new Emitter<Uint8Array>()
  readonly #closed = new Emitter<{ reason: string }>()
  readonly onDidReceive = this.#received.event
  readonly onDidClose = this.#closed.event
  readonly onDidDrain = new Emitter<void>().event
  isClosed = false
  send() {}
  setPaused() {}
  answer = (bytes: Uint8Array) => this.#received.fire(bytes)
  close(reason = 'x') {
    if (this.isClosed) return
    this.isClosed = true
    this.#closed.fire({ reason })
  }
  dispose() {
    this.close()
  }
}

function world() {
  const clock = new ManualClock()
  const { cipher } = contentParts()
  const sealed = (text: string) => cipher.seal(cipher.idOf(utf8(text)), utf8(text))
  const source = new PeerChunks(clock, silentLogger, (chunk) => {
    try {
      cipher.open(chunk)
      return true
    } catch {
      return false
    }
  })
  const add = (device: string) => {
    const asked: { ids: readonly ChunkId[]; channel: TestChannel }[] = []
    const peer = {
      device,
      ask: async (ids: readonly ChunkId[]) => {
        const channel = new TestChannel()
        asked.push({ ids, channel })
        return channel as unknown as ByteChannel
      },
    }
    source.add(peer)
    return { peer, asked }
  }
  const turn = () => new Promise((resolve) => setTimeout(resolve, 0))
  return { clock, source, sealed, add, turn }
}

it('[TR1] what is asked for in one turn goes in one call, to the device that answered fastest', async () => {
  const { clock, source, sealed, add, turn } = world()
  const [slow, fast] = [add('slow'), add('fast')]
  const first = [source.fetch(sealed('a').id), source.fetch(sealed('b').id)]
  await turn()
  expect(slow.asked.map(({ ids }) => ids)).toEqual([[sealed('a').id, sealed('b').id]])
  clock.advance(300)
  for (const text of ['b', 'a']) slow.asked[0]?.channel.answer(encodeChunkFrame(sealed(text).id, sealed(text)))
  expect(await Promise.all(first)).toEqual([sealed('a'), sealed('b')])
  const second = source.fetch(sealed('c').id)
  await turn()
  expect([slow.asked.length, fast.asked.length]).toEqual([1, 1])
  fast.asked[0]?.channel.answer(encodeChunkFrame(sealed('c').id, sealed('c')))
  expect(await second).toEqual(sealed('c'))
})

it('[TR2] a source that stalls is joined by the next within 500 ms; the first answer counts', async () => {
  const { clock, source, sealed, add, turn } = world()
  const [stalled, other] = [add('stalled'), add('other')]
  const wanted = source.fetch(sealed('a').id)
  await turn()
  expect([stalled.asked.length, other.asked.length]).toEqual([1, 0])
  clock.advance(499)
  await turn()
  expect(other.asked.length).toBe(1)
  other.asked[0]?.channel.answer(encodeChunkFrame(sealed('a').id, sealed('a')))
  expect(await wanted).toEqual(sealed('a'))
})

it('[TR3] a device that has it not, sends other bytes or no chunk, or goes away is followed by the next; with none left there is nothing', async () => {
  const { source, sealed, add, turn } = world()
  const faults = [
    (channel: TestChannel) => channel.answer(encodeChunkFrame(sealed('a').id, undefined)),
    (channel: TestChannel) => channel.answer(encodeChunkFrame(sealed('a').id, sealed('other'))),
    (channel: TestChannel) => channel.answer(Uint8Array.of(1, 2, 3)),
    (channel: TestChannel) => channel.close('link/gone'),
  ]
  const peers = faults.map((_, n) => add(`bad ${n}`))
  const good = add('good')
  const wanted = source.fetch(sealed('a').id)
  for (const [n, fault] of faults.entries()) {
    await turn()
    fault(peers[n]?.asked[0]?.channel as TestChannel)
  }
  await turn()
  good.asked[0]?.channel.answer(encodeChunkFrame(sealed('a').id, sealed('a')))
  expect(await wanted).toEqual(sealed('a'))
  source.remove(good.peer)
  const lost = source.fetch(sealed('a').id)
  for (let n = 0; n < 8; n++) {
    await turn()
    for (const { asked } of peers) for (const { channel } of asked) channel.close('link/gone')
  }
  expect(await lost).toBeUndefined()
})

it('[TR4] a reader that gives up is told at once', async () => {
  const { source, sealed, add } = world()
  add('silent')
  const stop = new AbortController()
  const wanted = source.fetch(sealed('a').id, stop.signal)
  stop.abort(new Error('enough'))
  await expect(wanted).rejects.toThrow('enough')
})
