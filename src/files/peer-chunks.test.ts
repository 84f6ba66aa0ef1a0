import { expect, it } from 'vitest'
import { Emitter } from '../base/emitter.ts'
import { utf8 } from '../base/bytes.ts'
import { silentLogger } from '../base/logger.ts'
import type { ByteChannel } from '../rpc/channel.ts'
import { contentParts } from '../testkit/file-parts.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { encodeChunkFrame } from './chunk-frame.ts'
import type { ChunkId } from './chunk-id.ts'
import type { Stretch } from './file-peer-contract.ts'
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
  const add = (device: string, more: readonly ChunkId[] = []) => {
    const asked: { ids: readonly ChunkId[]; channel: TestChannel; stretch: Stretch | undefined; signal: AbortSignal }[] = []
    const peer = {
      device,
      ask: async (ids: readonly ChunkId[], signal: AbortSignal, stretch?: Stretch) => {
        const channel = new TestChannel()
        asked.push({ ids, channel, stretch, signal })
        return { flow: channel as unknown as ByteChannel, more: stretch ? more : [] }
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
  const slow = add('slow')
  const first = [source.fetch(sealed('a').id), source.fetch(sealed('b').id)]
  await turn()
  expect(slow.asked.map(({ ids }) => ids)).toEqual([[sealed('a').id, sealed('b').id]])
  clock.advance(300)
  for (const text of ['b', 'a']) slow.asked[0]?.channel.answer(encodeChunkFrame(sealed(text).id, sealed(text)))
  expect(await Promise.all(first)).toEqual([sealed('a'), sealed('b')])
  const fast = add('fast')
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

it('[TR5] a device that sends is not taken for one that stalls, however long its queue; one that is silent in the middle is replaced', async () => {
  const { clock, source, sealed, add, turn } = world()
  const first = add('first')
  const wanted = ['a', 'b', 'c', 'd'].map((text) => source.fetch(sealed(text).id))
  await turn()
  const second = add('second')
  for (const text of ['a', 'b', 'c']) {
    clock.advance(350)
    first.asked[0]?.channel.answer(encodeChunkFrame(sealed(text).id, sealed(text)))
    await turn()
  }
  expect(second.asked).toEqual([])
  clock.advance(499)
  await turn()
  expect(second.asked.map(({ ids }) => ids)).toEqual([[sealed('d').id]])
  second.asked[0]?.channel.answer(encodeChunkFrame(sealed('d').id, sealed('d')))
  expect(await Promise.all(wanted)).toEqual(['a', 'b', 'c', 'd'].map(sealed))
  expect(first.asked[0]?.channel.isClosed).toBe(true) // nobody waits for it any more
})

it('[TR5] several devices bring a file together, each as much as its measured delay and rate say', async () => {
  const { clock, source, sealed, add, turn } = world()
  const slow = add('slow')
  const text = (n: number) => `${n}`.padEnd(76 * 1024, 'x')
  const measured = Array.from({ length: 40 }, (_, n) => source.fetch(sealed(text(n)).id))
  await turn()
  for (let n = 0; n < 40; n++) {
    clock.advance(8)
    slow.asked[0]?.channel.answer(encodeChunkFrame(sealed(text(n)).id, sealed(text(n))))
  }
  await Promise.all(measured)
  slow.asked.length = 0
  const fast = add('fast') // taken for fast until it is measured
  const stop = new AbortController()
  const wanted = Array.from({ length: 60 }, (_, n) => source.fetch(sealed(`w${n}`).id, stop.signal))
  await turn()
  const [ofSlow, ofFast] = [slow, fast].map(({ asked }) => asked.flatMap(({ ids }) => ids).length)
  expect((ofSlow as number) + (ofFast as number)).toBe(60)
  expect(ofFast).toBeGreaterThan(1.5 * (ofSlow as number))
  expect(ofSlow).toBeGreaterThan(5)
  stop.abort(new Error('enough'))
  await Promise.allSettled(wanted)
  expect([slow, fast].flatMap(({ asked }) => asked).every(({ channel }) => channel.isClosed)).toBe(true) // they are told
})

it('[TR6] a list and what it says lies in a stretch are asked for in one call, and not again by their reader', async () => {
  const { source, sealed, add, turn } = world()
  const only = add('only', [sealed('data').id])
  source.fetchStretch([sealed('list').id], { offset: 5, length: 10 })
  const list = source.fetch(sealed('list').id)
  await turn()
  only.asked[0]?.channel.answer(encodeChunkFrame(sealed('list').id, sealed('list')))
  expect(await list).toEqual(sealed('list'))
  const data = source.fetch(sealed('data').id)
  await turn()
  only.asked[0]?.channel.answer(encodeChunkFrame(sealed('data').id, sealed('data')))
  expect(await data).toEqual(sealed('data'))
  expect(only.asked.map(({ ids, stretch }) => [ids, stretch])).toEqual([[[sealed('list').id], { offset: 5, length: 10 }]])
})

it('[TR6] what was promised with a list and does not come is asked for as anything else', async () => {
  const { clock, source, sealed, add, turn } = world()
  const only = add('only', [sealed('data').id])
  source.fetchStretch([sealed('list').id], { offset: 5, length: 10 })
  await turn()
  const data = source.fetch(sealed('data').id)
  clock.advance(499)
  await turn()
  expect(only.asked[1]?.ids).toEqual([sealed('data').id])
  only.asked[1]?.channel.answer(encodeChunkFrame(sealed('data').id, sealed('data')))
  expect(await data).toEqual(sealed('data'))
})

it('[TR5] what is wanted twice in one turn is owed once: afterwards nothing is', async () => {
  const { source, sealed, add, turn } = world()
  const first = add('first')
  const wanted = Array.from({ length: 50 }, () => source.fetch(sealed('a').id))
  await turn()
  expect(first.asked.map(({ ids }) => ids)).toEqual([[sealed('a').id]])
  first.asked[0]?.channel.answer(encodeChunkFrame(sealed('a').id, sealed('a')))
  expect(await Promise.all(wanted)).toEqual(wanted.map(() => sealed('a')))
  const second = add('second')
  const next = source.fetch(sealed('b').id)
  await turn()
  expect([first.asked.length, second.asked.length]).toEqual([2, 0])
  first.asked[1]?.channel.answer(encodeChunkFrame(sealed('b').id, sealed('b')))
  expect(await next).toEqual(sealed('b'))
})

it('[TR3] a device that goes in the turn in which it would be asked is not, and the next one is waited for', async () => {
  const { source, sealed, add, turn } = world()
  const [gone, other] = [add('gone'), add('other')]
  const wanted = source.fetch(sealed('a').id)
  gone.peer.ask = () => Promise.reject(new Error('gone'))
  source.remove(gone.peer)
  await turn()
  expect(gone.asked).toEqual([])
  expect(other.asked.length).toBe(1)
  other.asked[0]?.channel.answer(encodeChunkFrame(sealed('a').id, sealed('a')))
  expect(await wanted).toEqual(sealed('a'))
})

it('[TR5] a slow device that sends on and on is left its queue, for many seconds too', async () => {
  const { clock, source, sealed, add, turn } = world()
  const slow = add('slow')
  const texts = Array.from({ length: 40 }, (_, n) => `${n}`)
  const wanted = texts.map((text) => source.fetch(sealed(text).id))
  await turn()
  const other = add('other')
  for (const text of texts) {
    clock.advance(300)
    await turn()
    slow.asked[0]?.channel.answer(encodeChunkFrame(sealed(text).id, sealed(text)))
  }
  expect(await Promise.all(wanted)).toEqual(texts.map(sealed))
  expect(other.asked).toEqual([])
})

it('[TR2] a device that comes while the only one is silent is asked', async () => {
  const { clock, source, sealed, add, turn } = world()
  add('silent')
  const wanted = source.fetch(sealed('a').id)
  await turn()
  clock.advance(2_000)
  await turn()
  const late = add('late')
  clock.advance(499)
  await turn()
  expect(late.asked.length).toBe(1)
  late.asked[0]?.channel.answer(encodeChunkFrame(sealed('a').id, sealed('a')))
  expect(await wanted).toEqual(sealed('a'))
})

it('[TR6] nothing waits for what was promised when the chunks are wanted no more', async () => {
  const { clock, source, sealed, add, turn } = world()
  add('only', [sealed('data').id])
  source.fetchStretch([sealed('list').id], { offset: 5, length: 10 })
  await turn()
  expect(clock.pendingTimers).toBe(2)
  source.dispose()
  expect(clock.pendingTimers).toBe(0)
})

it('[TR6] lists so many that one call could not name what follows are asked for as anything else', async () => {
  const { source, sealed, add, turn } = world()
  const only = add('only')
  const lists = (count: number) => Array.from({ length: count }, (_, n) => sealed(`list ${count} ${n}`).id)
  source.fetchStretch(lists(49), { offset: 5, length: 10 })
  await turn()
  expect(only.asked).toEqual([])
  source.fetchStretch(lists(48), { offset: 5, length: 10 })
  await turn()
  expect(only.asked.map(({ ids }) => ids.length)).toEqual([48])
})

it('[TR4] a reader that gives up in the middle of a content gives up what follows the list too; it is asked for anew', async () => {
  const { source, sealed, add, turn } = world()
  const only = add('only', [sealed('data').id])
  const stop = new AbortController()
  const [list, stretch] = [sealed('list'), { offset: 5, length: 10 }]
  source.fetchStretch([list.id], stretch, stop.signal)
  const given = source.fetch(list.id, stop.signal)
  await turn()
  stop.abort(new Error('a seek'))
  await expect(given).rejects.toThrow('a seek')
  expect([only.asked[0]?.signal.aborted, only.asked[0]?.channel.isClosed]).toEqual([true, true])
  source.fetchStretch([list.id], stretch)
  const again = source.fetch(sealed('data').id)
  await turn()
  expect(only.asked[1]).toMatchObject({ ids: [list.id], stretch })
  only.asked[1]?.channel.answer(encodeChunkFrame(sealed('data').id, sealed('data')))
  for (const { channel } of only.asked.slice(2)) channel.answer(encodeChunkFrame(sealed('data').id, sealed('data')))
  expect(await again).toEqual(sealed('data'))
})

it('[TR16] a device that sends what nobody asked for, often and in small pieces, is followed by the next one at once', async () => {
  const { clock, source, sealed, add, turn } = world()
  const [junk, good] = [add('junk'), add('good')]
  const wanted = ['a', 'b', 'c'].map((text) => source.fetch(sealed(text).id))
  await turn()
  const first = junk.asked.flatMap(({ ids }) => ids)
  expect(first.length).toBeGreaterThan(0)
  clock.advance(50)
  for (const { channel } of junk.asked) channel.answer(encodeChunkFrame('ab'.repeat(32) as ChunkId, undefined))
  await turn()
  expect(junk.asked.every(({ channel }) => channel.isClosed)).toBe(true)
  for (const { ids, channel } of good.asked)
    for (const id of ids)
      channel.answer(
        encodeChunkFrame(
          id,
          ['a', 'b', 'c'].map(sealed).find((chunk) => chunk.id === id),
        ),
      )
  expect(await Promise.all(wanted)).toEqual(['a', 'b', 'c'].map(sealed))
  void source.fetch(sealed('d').id)
  await turn()
  expect([junk.asked.length, good.asked.at(-1)?.ids]).toEqual([1, [sealed('d').id]]) // others first
})

it('[TR16] a device that repeats what it sent is not taken for one that sends', async () => {
  const { clock, source, sealed, add, turn } = world()
  const loud = add('loud')
  const wanted = ['a', 'b'].map((text) => source.fetch(sealed(text).id))
  await turn()
  const other = add('other')
  for (let n = 0; n < 10; n++) {
    loud.asked[0]?.channel.answer(encodeChunkFrame(sealed('a').id, sealed('a')))
    clock.advance(50)
    await turn()
  }
  expect(other.asked.map(({ ids }) => ids)).toEqual([[sealed('b').id]])
  other.asked[0]?.channel.answer(encodeChunkFrame(sealed('b').id, sealed('b')))
  expect(await Promise.all(wanted)).toEqual(['a', 'b'].map(sealed))
})

it('[TR16] a chunk behind a long queue of a slow device is asked of an idle one within 20 s', async () => {
  const { clock, source, sealed, add, turn } = world()
  const slow = add('slow')
  const texts = Array.from({ length: 60 }, (_, n) => `${n}`)
  for (const text of texts) void source.fetch(sealed(text).id)
  await turn()
  const other = add('other')
  for (let n = 0; n < 59; n++) {
    clock.advance(390)
    slow.asked[0]?.channel.answer(encodeChunkFrame(sealed(`${n}`).id, sealed(`${n}`)))
    await turn()
  }
  expect(other.asked.flatMap(({ ids }) => ids)).toContain(sealed('59').id)
})

it('[TR17] a chunk that nobody brings for a minute is not to be had, whoever asked for it; then it may be asked for again', async () => {
  const { clock, source, sealed, add, turn } = world()
  const silent = [add('silent'), add('also')]
  let isDone = false
  const wanted = source.fetch(sealed('a').id).finally(() => (isDone = true))
  const pass = async (ms: number) => {
    for (let past = 0; past < ms; past += 200) {
      clock.advance(200)
      await turn()
    }
  }
  await turn()
  await pass(59_000)
  expect([isDone, silent.map(({ asked }) => asked.length)]).toEqual([false, [1, 1]])
  await pass(3_000)
  expect([isDone, silent.flatMap(({ asked }) => asked).every(({ channel }) => channel.isClosed)]).toEqual([true, true])
  expect(await wanted).toBeUndefined()
  const again = source.fetch(sealed('a').id)
  await turn()
  const asked = silent.flatMap(({ asked }) => asked).find(({ channel }) => !channel.isClosed)
  asked?.channel.answer(encodeChunkFrame(sealed('a').id, sealed('a')))
  expect(await again).toEqual(sealed('a'))
})

it('[TR17] one that brings other chunks on and on, and never that one, is waited for ten minutes', async () => {
  const { clock, source, sealed, add, turn } = world()
  const only = add('only')
  let isDone = false
  const wanted = source.fetch(sealed('never').id).finally(() => (isDone = true))
  await turn()
  for (let n = 0; n < 35; n++) {
    expect(isDone).toBe(n >= 30)
    const other = source.fetch(sealed(`${n}`).id)
    await turn()
    only.asked.at(-1)?.channel.answer(encodeChunkFrame(sealed(`${n}`).id, sealed(`${n}`)))
    expect(await other).toEqual(sealed(`${n}`))
    for (let past = 0; past < 20_000; past += 400) {
      clock.advance(400)
      await turn()
    }
  }
  expect(await wanted).toBeUndefined()
})
