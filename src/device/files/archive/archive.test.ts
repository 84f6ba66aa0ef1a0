import { expect, it, vi } from 'vitest'
import { utf8 } from '../../../base/bytes.ts'
import { FileError } from '../../../files/file-error.ts'
import { ManualClock } from '../../../testkit/manual-clock.ts'
import { Archive, type ArchivePart } from './archive.ts'
import type { ArchiveBranch } from './archive-branch.ts'

type Made = { readonly [name: string]: Made | string | Error | readonly [whole: string, breaksAt: number] }
const PIECE = 1024 * 1024

/** A tree of texts; an error is what reading it says, a text with a number breaks off there. */
function* branches(tree: Made, log: string[] = []): Generator<ArchiveBranch> {
  for (const [name, what] of Object.entries(tree)) {
    const isFolder = typeof what === 'object' && !Array.isArray(what) && !(what instanceof Error)
    const text = typeof what === 'string' ? what : Array.isArray(what) ? String(what[0]) : ''
    yield {
      name,
      kind: isFolder ? 'folder' : name === 'pipe' ? 'other' : 'file',
      bytes: text.length,
      modifiedMs: 0,
      async *children() {
        log.push(`list ${name}`)
        yield* branches(what as Made, log)
      },
      openContent: () => async (offset, length) => {
        log.push(`read ${name} ${offset}`)
        if (what instanceof Error) throw what
        if (Array.isArray(what) && offset >= Number(what[1])) throw new FileError('file/changed', `${name} has changed meanwhile`)
        return { bytes: utf8(text).subarray(offset, offset + length), total: text.length }
      },
    }
  }
}

function archiveOf(tree: Made, log: string[] = []) {
  const closing = new AbortController()
  const clock = new ManualClock()
  const tops = async function* () {
    yield* branches(tree, log)
  }
  return { archive: new Archive({ name: 'a.zip', tops, signal: closing.signal, clock }), closing, clock }
}

async function textsOf(parts: AsyncIterable<ArchivePart> | undefined): Promise<[string, string | undefined][]> {
  const texts: [string, string | undefined][] = []
  for await (const { path, content } of parts ?? []) {
    if (!content) {
      texts.push([path, undefined])
      continue
    }
    let text = new TextDecoder().decode(content.first)
    const rest = content.rest?.()
    let next = await rest?.next()
    for (; next && !next.done; next = await rest?.next()) text += new TextDecoder().decode(next.value)
    if (next?.value !== false) texts.push([path, text])
  }
  return texts
}
const stateOf = (archive: Archive) => archive.stateAfter(-1, new AbortController().signal)

it('[DV106] folders stand before what is in them, empty ones too; how far it is counts what was taken', async () => {
  const { archive } = archiveOf({ Letters: { Empty: {}, 'a.txt': 'one', Deep: { 'b.txt': 'two!' } }, 'c.txt': 'x'.repeat(2 * PIECE + 5) })
  expect((await stateOf(archive)).phase).toBe('waiting')
  const texts = await textsOf(archive.begin(new AbortController().signal))
  expect(texts.map(([path, text]) => [path, text?.length])).toEqual([
    ['Letters/', undefined],
    ['Letters/Empty/', undefined],
    ['Letters/a.txt', 3],
    ['Letters/Deep/', undefined],
    ['Letters/Deep/b.txt', 4],
    ['c.txt', 2 * PIECE + 5],
  ])
  archive.end(true)
  const all = { files: 3, bytes: 2 * PIECE + 12, doneFiles: 3, doneBytes: 2 * PIECE + 12 }
  expect(await stateOf(archive)).toMatchObject({ phase: 'done', isCounted: true, leftOut: 0, ...all })
})

it('[DV106] what cannot be read is named in the end, and all else is there', async () => {
  const { archive } = archiveOf({
    A: { 'no.txt': new FileError('file/no-permission', 'no.txt is not yours to open or change'), 'yes.txt': 'yes', pipe: '', '..': 'out' },
    'broken.bin': ['x'.repeat(3 * PIECE), 2 * PIECE],
    'Not in this archive.txt': 'a file of that name',
    z: 'last',
  })
  const texts = await textsOf(archive.begin(new AbortController().signal))
  expect(texts.map(([path]) => path)).toEqual(['A/', 'A/yes.txt', 'Not in this archive.txt', 'z', 'Not in this archive 2.txt'])
  const [says, none, ...left] = texts.at(-1)?.[1]?.trimEnd().split('\n') ?? []
  expect([says, none]).toEqual(['These are not in this archive, because they could not be read:', ''])
  // What is found, and what is opened, are told as they come.
  expect(left.sort()).toEqual([
    'A/"..": its name cannot stand in an archive',
    'A/no.txt: no.txt is not yours to open or change',
    'A/pipe: it is a socket, pipe or device',
    'broken.bin: broken.bin has changed meanwhile',
  ])
  expect(await stateOf(archive)).toMatchObject({ files: 5, doneFiles: 3, leftOut: 4, bytes: 2 * PIECE + 26 })
})

it('[DV106] a device that is away is waited for, and then it goes on where it was', async () => {
  let answers = 0
  const log: string[] = []
  const { archive, clock } = archiveOf({})
  const [real] = branches({ a: 'x'.repeat(PIECE + 3) }, log) as Iterable<ArchiveBranch> as [ArchiveBranch]
  const open = real.openContent
  const flaky: ArchiveBranch = {
    ...real,
    openContent: () => {
      const read = open()
      return async (...at) => {
        if (++answers === 2) throw FileError.deviceAway('kitchen')
        return read(...at)
      }
    },
  }
  const away = new Archive({
    name: archive.name,
    signal: new AbortController().signal,
    clock,
    tops: async function* () {
      yield flaky
    },
  })
  const texts = textsOf(away.begin(new AbortController().signal))
  await vi.waitFor(() => expect([answers, clock.pendingTimers]).toEqual([2, 1]))
  clock.advance(2_000)
  expect((await texts).map(([path, text]) => [path, text?.length])).toEqual([['a', PIECE + 3]])
  expect(log).toEqual(['read a 0', `read a ${PIECE}`])
})

it('[DV106] nothing is looked for before it is asked for; it is read once, few files ahead of who takes them, and stops when it is closed', async () => {
  const log: string[] = []
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`f${n}`, 'text']))
  const { archive, closing } = archiveOf({ many }, log)
  expect(log).toEqual([])
  const parts = archive.begin(new AbortController().signal)
  expect(archive.begin(new AbortController().signal)).toBeUndefined()
  await parts?.next() // the folder
  await parts?.next()
  expect(log.filter((one) => one.startsWith('read')).length).toBeLessThanOrEqual(9)
  closing.abort(new Error('closed'))
  await expect(parts?.next()).rejects.toThrow('closed')
  expect((await stateOf(archive)).phase).toBe('stopped')
})

it('[DV106] a tree without end is cut, and says so', async () => {
  let deepest = 0
  const endless = (depth: number): ArchiveBranch => ({
    name: 'deeper',
    kind: 'folder',
    bytes: 0,
    modifiedMs: 0,
    async *children() {
      deepest = depth
      yield endless(depth + 1)
    },
    openContent: () => () => Promise.reject(new Error('a folder')),
  })
  const archive = new Archive({
    name: 'a.zip',
    signal: new AbortController().signal,
    clock: new ManualClock(),
    tops: async function* () {
      yield endless(1)
    },
  })
  const texts = await textsOf(archive.begin(new AbortController().signal))
  expect([deepest, texts.length, texts.at(-1)?.[1]?.endsWith('deeper: what is in it lies too deep\n')]).toEqual([256, 258, true])
})
