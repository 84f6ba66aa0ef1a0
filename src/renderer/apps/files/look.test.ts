import { expect, it, vi } from 'vitest'
import { imageSize } from './image-size.ts'
import { hasThumb } from './make-thumb.ts'
import { textHead } from './look-text.ts'
import { type Thumb, Thumbs } from './thumbs.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

it('[AP108] the head of a text ends between letters; what is no text is told', () => {
  expect(textHead(bytes('a\r\nb'), 4)).toEqual({ text: 'a\nb', isWhole: true })
  expect(textHead(bytes('aé').subarray(0, 2), 900)).toEqual({ text: 'a', isWhole: false })
  expect(textHead(bytes('aé').subarray(0, 2), 2)).toEqual({ text: undefined, isWhole: true })
  expect(textHead(bytes('a\0b'), 3).text).toBeUndefined()
})

it.each([
  ['PNG', '89504e470d0a1a0a0000000d49484452000003200000025808', [800, 600]],
  ['GIF', '47494638396120034002', [800, 576]],
  ['JPEG', 'ffd8ffe00004abcdffc0001108025803200301', [800, 600]],
  ['JPEG with markers that have no length', 'ffd8ff01ffd0ffd7ffffff00ffc0001108025803200301', [800, 600]],
  ['JPEG with bytes that belong nowhere', 'ffd8abcdffe00004abcdff00abffe10000ffc0001108025803200301', [800, 600]],
  ['JPEG that ends before its size', 'ffd8ffd9ffc0001108025803200301', undefined],
  ['JPEG that begins twice', 'ffd8ffd8ffc0001108025803200301', undefined],
  ['JPEG that is drawn before its size', 'ffd8ffda0002ffc0001108025803200301', undefined],
  ['lossy WebP', '52494646000000005745425056503820000000000000009d012a20035802', [800, 600]],
  ['extended WebP', '524946460000000057454250565038580a000000000000001f0300570200', [800, 600]],
  ['BMP', '424d0000000000000000000000002800000020030000a8fdffff', [800, 600]],
  ['a cut PNG', '89504e470d0a1a0a', undefined],
  ['a page', '3c68746d6c3e3c2f68746d6c3e', undefined],
  ['a JPEG without a size', `ffd8${'ffe00004abcd'.repeat(10)}`, undefined],
] as const)('[AP109] the size that a %s says it has', (_, text, size) => {
  const found = imageSize(hex(text))
  expect(found && [found.width, found.height]).toEqual(size)
})

it('[AP109] of what is not here, large or no picture none is made', () => {
  const entry = { name: 'a.png', kind: 'file' as const, bytes: 1_000_000, modifiedMs: 0, hidden: false }
  const shared = { dataset: 'd', node: 'n', version: 'v', place: 'away' as const, isSafe: true, isConflictCopy: false }
  expect(hasThumb({ entry })).toBe(true)
  expect(hasThumb({ entry: { ...entry, bytes: 30_000_000 } })).toBe(false)
  expect(hasThumb({ entry: { ...entry, shared } })).toBe(false)
  expect(hasThumb({ entry: { ...entry, bytes: 100_000, shared } })).toBe(true)
  expect(hasThumb({ entry: { ...entry, shared: { ...shared, place: 'here' } } })).toBe(true)
  for (const name of ['a.svg', 'a.txt', 'a.mp4']) expect(hasThumb({ entry: { ...entry, name } })).toBe(false)
})

it('[AP109] three are made at a time, the latest asked for first; one that is out of sight is not made; 400 are kept', async () => {
  const thumbs = new Thumbs()
  const begun: string[] = []
  const ends = new Map<string, (thumb: Thumb) => void>()
  const closed: string[] = []
  const make = (key: string) => () => {
    begun.push(key)
    return new Promise<Thumb>((resolve) => ends.set(key, resolve))
  }
  const picture = (key: string) => ({ width: 1, height: 1, close: () => closed.push(key) }) as unknown as ImageBitmap
  const shown: string[] = []
  const asked = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => thumbs.ask(key, make(key), () => shown.push(key)))
  expect(begun).toEqual(['a', 'b', 'c'])
  asked[5]?.dispose()
  asked[0]?.dispose()
  ends.get('a')?.(picture('a'))
  await vi.waitFor(() => expect(begun).toEqual(['a', 'b', 'c', 'e']))
  ends.get('b')?.(picture('b'))
  await vi.waitFor(() => expect(begun).toEqual(['a', 'b', 'c', 'e', 'd']))
  expect([shown, closed, thumbs.get('a')]).toEqual([['b'], ['a'], undefined])
  for (const key of ['c', 'd', 'e']) ends.get(key)?.('none')
  await vi.waitFor(() => expect(thumbs.get('e')).toBe('none'))
  for (let count = 0; count < 400; count++)
    thumbs.ask(
      `n${count}`,
      async () => picture(`n${count}`),
      () => undefined,
    )
  await vi.waitFor(() => expect(thumbs.get('n0')).toBeDefined())
  expect(closed).toContain('b')
  thumbs.dispose()
  expect(closed).toHaveLength(402)
})
