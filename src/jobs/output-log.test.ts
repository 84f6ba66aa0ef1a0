import { expect, it } from 'vitest'
import { fromUtf8, utf8 } from '../base/bytes.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MAX_PIECE_BYTES } from './job-frames-contract.ts'
import { JobOutputBook } from './job-output-book.ts'
import { OutputReader } from './job-progress.ts'
import { Lease, LEASE_MS } from './lease.ts'
import { OutputLog } from './output-log.ts'

const textFrom = (log: OutputLog, from: number): string => {
  let text = ''
  for (let at = from, piece = log.pieceAt(at); piece; piece = log.pieceAt(at)) {
    text += fromUtf8(piece.bytes)
    at = piece.offset + piece.bytes.length
  }
  return text
}

it('[JB45] output is read from any offset that is not kept yet, in order of both streams', () => {
  const log = new OutputLog()
  log.append('out', utf8('hello '))
  log.append('err', utf8('world'))
  expect(textFrom(log, 0)).toBe('hello world')
  expect(textFrom(log, 3)).toBe('lo world')
  expect(log.pieceAt(8)).toMatchObject({ stream: 'err', offset: 8 })
  log.keep(8)
  expect(log.heldBytes).toBe(3)
  expect(textFrom(log, 0)).toBe('rld')
  log.keep(1e9)
  expect([log.heldBytes, log.pieceAt(0)]).toEqual([0, undefined])
  log.append('out', new Uint8Array(MAX_PIECE_BYTES + 1))
  expect(log.pieceAt(0)?.bytes.length).toBe(MAX_PIECE_BYTES)
})

it('[JB45][JB51] kept output: what comes twice is taken once, and it is the same after a restart', () => {
  const store = new MemoryKeyValueStore()
  const book = new JobOutputBook(store, 'j')
  book.append({ stream: 'out', offset: 0, bytes: utf8('one two ') })
  expect(fromUtf8(book.append({ stream: 'out', offset: 4, bytes: utf8('two three') }))).toBe('three')
  expect(book.unkeptBytes).toBe(13)
  book.flush()
  const again = new JobOutputBook(store, 'j')
  expect([again.end, again.unkeptBytes]).toEqual([13, 0])
  expect(
    again
      .read(4)
      .map(({ bytes }) => fromUtf8(bytes))
      .join(''),
  ).toBe('two three')
  again.append({ stream: 'err', offset: 20, bytes: utf8('late') })
  expect([again.end, again.droppedBytes]).toEqual([24, 7])
  again.flush()
  expect(again.read(13).map(({ bytes, offset }) => [offset, fromUtf8(bytes)])).toEqual([[20, 'late']])
  again.forget()
  expect(store.entries('job-output').length + store.entries('job-output-index').length).toBe(0)
})

it('[JB51] a part that cannot be read any more hides nothing after it', () => {
  const store = new MemoryKeyValueStore()
  const book = new JobOutputBook(store, 'j')
  const flushed = 20
  for (let n = 0; n < flushed; n++) {
    book.append({ stream: 'out', offset: 2 * n, bytes: utf8(`${n % 10} `) })
    book.flush()
  }
  store.delete('job-output', 'j/1')
  const again = new JobOutputBook(store, 'j')
  expect(again.read(2).map(({ offset, bytes }) => [offset, fromUtf8(bytes)])).toEqual([[4, '2 ']])
})

it('[JB45][JB51] what was kept is found again after a restart, whether the index tells of it or not', () => {
  const store = new MemoryKeyValueStore()
  let book = new JobOutputBook(store, 'j')
  let text = ''
  for (let n = 0; n < 40; n++) {
    const more = `line ${n}\n`
    book.append({ stream: n % 3 === 0 ? 'err' : 'out', offset: text.length, bytes: utf8(more) })
    text += more
    book.flush()
    book = new JobOutputBook(store, 'j')
    expect([book.end, book.unkeptBytes]).toEqual([text.length, 0])
    if (n % 5 === 0) book = new JobOutputBook(store, 'j')
  }
  let read = ''
  for (let pieces = book.read(0); pieces.length > 0; pieces = book.read(read.length))
    for (const { bytes } of pieces) read += fromUtf8(bytes)
  expect(read).toBe(text)
})

it('[JB51] the index is not written with every page', () => {
  const store = new MemoryKeyValueStore()
  const written: string[] = []
  const put = store.put.bind(store)
  store.put = (space, key, value) => {
    written.push(space)
    put(space, key, value)
  }
  const book = new JobOutputBook(store, 'j')
  for (let n = 0; n < 33; n++) {
    book.append({ stream: 'out', offset: n, bytes: utf8('x') })
    book.flush()
  }
  expect(written.filter((space) => space === 'job-output').length).toBe(33)
  expect(written.filter((space) => space === 'job-output-index').length).toBe(3)
})

it('[JB45] small writes that wait are told in few frames, each of one stream and no longer than a frame may be', () => {
  const log = new OutputLog()
  for (let n = 0; n < 100; n++) log.append('out', new Uint8Array(1_000).fill(n))
  log.append('err', utf8('other'))
  expect(log.pieceAt(0)).toMatchObject({ stream: 'out', offset: 0 })
  expect(log.pieceAt(0)?.bytes.length).toBe(65_000)
  const rest = log.pieceAt(65_500)
  expect([rest?.bytes.length, rest?.bytes[0], rest?.bytes[500]]).toEqual([34_500, 65, 66])
  expect(log.pieceAt(100_000)).toMatchObject({ stream: 'err', offset: 100_000 })
})

it('[JB51] of very much output the beginning and the newest stay', () => {
  const store = new MemoryKeyValueStore()
  const book = new JobOutputBook(store, 'j')
  const page = new Uint8Array(256 * 1024)
  for (let n = 0; n < 300; n++) {
    for (let at = 0; at < page.length; at += MAX_PIECE_BYTES) {
      book.append({ stream: 'out', offset: n * page.length + at, bytes: page.fill(n).subarray(at, at + MAX_PIECE_BYTES) })
    }
    book.flush()
  }
  expect(book.end).toBe(300 * page.length)
  expect(store.entries('job-output').length).toBe(256)
  expect(book.droppedBytes).toBe(44 * page.length)
  expect(book.read(0)[0]?.bytes[0]).toBe(0)
  expect(book.read(4 * page.length)[0]).toMatchObject({ offset: 48 * page.length })
  expect(book.read(299 * page.length)[0]?.bytes[0]).toBe(299 % 256)
})

it('[JB44] a lease ends by whichever clock says more: a laptop that slept, a clock that was set', () => {
  const clock = new ManualClock()
  const lease = new Lease(clock)
  clock.advance(LEASE_MS - 1)
  expect(lease.leftMs).toBe(1)
  lease.renew()
  expect(lease.leftMs).toBe(LEASE_MS)
  let slept = 0
  const asleep = new Lease({ ...methods(clock), nowMs: () => clock.nowMs() + slept })
  expect(asleep.leftMs).toBe(LEASE_MS)
  slept = LEASE_MS + 1
  expect(asleep.leftMs).toBeLessThan(0)
  slept = -1e9 // set back: the monotonic clock counts
  expect(asleep.leftMs).toBe(LEASE_MS)
})

const methods = (clock: ManualClock) => ({
  monotonicMs: () => clock.monotonicMs(),
  after: (ms: number, call: () => void) => clock.after(ms, call),
  every: (ms: number, call: () => void) => clock.every(ms, call),
})

it.each([
  ['building 42 %\r', 0.42, 'building 42 %'],
  ['\u001b[32m[12/40] src/a.c\u001b[0m\n', 0.3, '[12/40] src/a.c'],
  ['3 of 4 done\nwarning: x', 0.75, 'warning: x'],
  ['version 1.2.3 at 10:30', undefined, 'version 1.2.3 at 10:30'],
  ['\n\n', undefined, ''],
  ['200 %', undefined, '200 %'],
])('[JB52] progress in %j', (text, fraction, lastLine) => {
  const reader = new OutputReader()
  reader.read(utf8(text))
  expect({ fraction: reader.fraction, lastLine: reader.lastLine }).toEqual({ fraction, lastLine })
})
