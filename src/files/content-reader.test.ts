import { expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { contentParts } from '../testkit/file-parts.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import type { ChunkId, SealedChunk } from './chunk-id.ts'
import { ContentError } from './content-error.ts'

/** A content that is elsewhere, and what is asked for it; the test answers. */
async function away(content = utf8('a film')) {
  const there = contentParts()
  const manifest = await there.writer.write(content)
  const asked: { signal: AbortSignal; answer: () => Promise<void> }[] = []
  const fetch = (id: ChunkId, signal = new AbortController().signal) =>
    new Promise<SealedChunk | undefined>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
      asked.push({ signal, answer: async () => resolve(await there.store.get(id)) })
    })
  const { reader } = contentParts({ source: { fetch } })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const read = async (signal?: AbortSignal) => new TextDecoder().decode(await reader.read(manifest, 0, 6, signal))
  const readAt = (offset: number) => reader.read(manifest, offset, 65_536)
  return { read, readAt, asked, turn }
}

it.each([true, false])(
  '[TR4] a reader that gives up leaves alone: who waits for the same chunk gets it (with a signal: %s)',
  async (hasSignal) => {
    const { read, asked, turn } = await away()
    const stop = new AbortController()
    const first = read(stop.signal)
    const second = read(hasSignal ? new AbortController().signal : undefined)
    await turn()
    stop.abort(new Error('a seek'))
    await expect(first).rejects.toThrow('a seek')
    expect([asked.length, asked[0]?.signal.aborted]).toEqual([1, false])
    await asked[0]?.answer()
    expect(await second).toBe('a film')
  },
)

it('[TR4] when the last reader gives up nothing is waited for any more; who comes then has it fetched anew', async () => {
  const { read, asked, turn } = await away()
  const stops = [new AbortController(), new AbortController()]
  const readers = stops.map(({ signal }) => read(signal))
  await turn()
  for (const stop of stops) stop.abort(new Error('a seek'))
  const late = read()
  for (const reader of readers) await expect(reader).rejects.toThrow('a seek')
  await turn()
  expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, false])
  await asked[1]?.answer()
  expect(await late).toBe('a film')
  await expect(read(AbortSignal.abort(new Error('gone')))).resolves.toBe('a film') // it is in memory
})

it('[TR4] what was fetched ahead is given up when its reader goes elsewhere in the content, and nothing else', async () => {
  const content = new SeededRandom(3).bytes(8_000_000)
  const { readAt, asked, turn } = await away(content)
  const answerAll = async (from: number) => {
    for (let at = from; at < asked.length; at++) {
      await asked[at]?.answer()
      await turn()
    }
  }
  const first = readAt(0)
  await turn()
  await answerAll(0)
  await first
  const before = asked.length
  const second = readAt(65_536)
  await turn()
  const ahead = asked.slice(before)
  const isAborted = () => ahead.filter(({ signal }) => signal.aborted).length
  const near = readAt(1_000_000)
  expect([ahead.length > 20, isAborted()]).toEqual([true, 0])
  const far = readAt(7_000_000)
  expect(isAborted()).toBeGreaterThan(15)
  await turn()
  await answerAll(before)
  for (const [read, offset] of [[second, 65_536] as const, [near, 1_000_000] as const, [far, 7_000_000] as const]) {
    expect(Buffer.compare(await read, content.subarray(offset, offset + 65_536))).toBe(0)
  }
})

it('[FM19] what another device holds is read on a full disk, too: it is not kept', async () => {
  const there = contentParts()
  const manifest = await there.writer.write(utf8('a film'))
  const { reader, store } = contentParts({ source: { fetch: (id) => there.store.get(id) } })
  let refused = 0
  store.put = () => {
    refused++
    throw new ContentError('chunk/store-full', 'the disk is full')
  }
  expect(new TextDecoder().decode(await reader.read(manifest, 0, 6))).toBe('a film')
  expect([refused, store.stats.chunks]).toEqual([1, 0])
  store.put = () => {
    throw new Error('the disk is broken')
  }
  await expect(contentParts({ store, source: { fetch: (id) => there.store.get(id) } }).reader.read(manifest, 0, 6)).rejects.toThrow(
    'broken',
  )
})
