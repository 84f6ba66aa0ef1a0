import { expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { contentParts } from '../testkit/file-parts.ts'
import type { ChunkId, SealedChunk } from './chunk-id.ts'

/** A content that is elsewhere, and what is asked for it; the test answers. */
async function away() {
  const there = contentParts()
  const manifest = await there.writer.write(utf8('a film'))
  const asked: { signal: AbortSignal; answer: () => Promise<void> }[] = []
  const fetch = (id: ChunkId, signal = new AbortController().signal) =>
    new Promise<SealedChunk | undefined>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
      asked.push({ signal, answer: async () => resolve(await there.store.get(id)) })
    })
  const { reader } = contentParts({ source: { fetch } })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const read = async (signal?: AbortSignal) => new TextDecoder().decode(await reader.read(manifest, 0, 6, signal))
  return { read, asked, turn }
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
