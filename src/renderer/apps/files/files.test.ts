import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { FileEntry } from '../../../files/home-files-contract.ts'
import { arrange, extension, moveCursor, scrollToRow, sortBy, typeAhead, visibleRows } from './folder-view.ts'
import { baseName, crumbs, freeName, isWithin, joinPath, nameProblem, parentPath, tildePath } from './home-path.ts'
import { fileUse, lookKind } from './look-kind.ts'
import { keepExisting, NOTHING_SELECTED, select, selectAll } from './selection.ts'

const DEFAULT_VIEW = { layout: 'list', sort: 'name', descending: false, hidden: false } as const
const file = (name: string, more: Partial<FileEntry> = {}): FileEntry => ({
  name,
  kind: 'file',
  bytes: 1,
  modifiedMs: 0,
  hidden: name.startsWith('.'),
  ...more,
})
const names = (entries: readonly FileEntry[]) => entries.map((entry) => entry.name)

it('[AP30] folders come first, numbers are counted, hidden ones are left out', () => {
  const entries = [file('b10'), file('b2'), file('.env'), file('Zoo', { kind: 'folder' }), file('a')]
  expect(names(arrange(entries, DEFAULT_VIEW))).toEqual(['Zoo', 'a', 'b2', 'b10'])
  expect(names(arrange(entries, { ...DEFAULT_VIEW, hidden: true }))).toContain('.env')
  expect(names(arrange(entries, DEFAULT_VIEW, 'B1'))).toEqual(['b10'])
})

it('[AP30] any order keeps every entry once and folders in front', () => {
  const entry = fc.record({
    name: fc.string({ minLength: 1 }),
    kind: fc.constantFrom('file', 'folder', 'link', 'other'),
    bytes: fc.nat(),
    modifiedMs: fc.nat(),
    hidden: fc.boolean(),
  })
  const view = fc.record({
    layout: fc.constant('list' as const),
    sort: fc.constantFrom('name', 'size', 'modified', 'kind'),
    descending: fc.boolean(),
    hidden: fc.constant(true),
  })
  fc.assert(
    fc.property(fc.uniqueArray(entry, { selector: (one) => one.name }), view, (entries, how) => {
      const shown = arrange(entries, how)
      expect([...names(shown)].sort()).toEqual([...names(entries)].sort())
      const kinds = shown.map((one) => one.kind === 'folder')
      expect(kinds.lastIndexOf(true)).toBeLessThan(kinds.indexOf(false) < 0 ? shown.length : kinds.indexOf(false))
    }),
  )
})

it('[AP30] a press on the same column turns it round; sizes and times start with the largest', () => {
  const bySize = sortBy(DEFAULT_VIEW, 'size')
  expect(bySize).toMatchObject({ sort: 'size', descending: true })
  expect(sortBy(bySize, 'size').descending).toBe(false)
  expect(sortBy(bySize, 'name').descending).toBe(false)
})

it.each([
  ['photo.JPG', 'file', 'look'],
  ['film.webm', 'file', 'look'],
  ['report.pdf', 'file', 'look'],
  ['drawing.svg', 'file', 'text'],
  ['Makefile', 'file', 'text'],
  ['disk.iso', 'file', 'other'],
  ['src', 'folder', 'folder'],
  ['socket', 'other', 'other'],
] as const)('[AP31] opening %s (%s) treats it as %s', (name, kind, use) => expect(fileUse({ name, kind })).toBe(use))

it('[AP31] [AP108] endings, and how a file is looked at', () => {
  expect([extension('.profile'), extension('a.tar.gz')]).toEqual(['', 'gz'])
  const kinds = ['a.SVG', 'a.mp3', 'a.mov', 'README.md', 'main.rs', 'a.zip', 'page.html'].map((name) => lookKind({ name, kind: 'file' }))
  expect(kinds).toEqual(['picture', 'audio', 'video', 'markdown', 'text', 'none', 'text'])
  expect(lookKind({ name: 'a.png', kind: 'folder' })).toBe('none')
})

it('[AP32] of 20,000 rows only the visible ones and a few around are drawn', () => {
  expect(visibleRows(28 * 10_000, 560, 28, 20_000)).toEqual({ first: 9_992, last: 10_028 })
  expect(visibleRows(0, 560, 28, 3)).toEqual({ first: 0, last: 3 })
  fc.assert(
    fc.property(fc.nat(1e6), fc.nat(2000), fc.nat(20_000), (top, height, count) => {
      const { first, last } = visibleRows(top, height, 28, count)
      expect(first).toBeGreaterThanOrEqual(0)
      expect(first).toBeLessThanOrEqual(last)
      expect(last).toBeLessThanOrEqual(count)
    }),
  )
})

it('[AP32] a row is brought into view and not moved without need', () => {
  expect([scrollToRow(0, 100, 28, 0), scrollToRow(0, 100, 28, 4), scrollToRow(280, 100, 28, 2)]).toEqual([0, 40, 56])
})

it.each([
  ['ArrowDown', 0, 1, 1],
  ['ArrowUp', 0, 1, 0],
  ['ArrowDown', 1, 4, 5],
  ['ArrowDown', 8, 4, 8],
  ['ArrowRight', 3, 4, 4],
  ['ArrowRight', 3, 1, undefined],
  ['End', 0, 1, 9],
  ['PageDown', 0, 1, 5],
  ['x', 0, 1, undefined],
] as const)('[AP33] %s from %d in %d columns goes to %s', (key, at, columns, to) => expect(moveCursor(key, at, 10, columns, 5)).toBe(to))

it('[AP33] typing letters jumps to the next name that starts so', () => {
  const entries = ['alpha', 'beta', 'Bravo', 'gamma'].map((name) => ({ name }))
  expect([
    typeAhead(entries, 0, 'b'),
    typeAhead(entries, 1, 'b'),
    typeAhead(entries, 2, 'b'),
    typeAhead(entries, 2, 'br'),
    typeAhead(entries, 0, 'x'),
  ]).toEqual([1, 2, 1, 2, undefined])
})

it('[AP34] choosing one, adding, ranges, all, and what is gone', () => {
  const order = ['a', 'b', 'c', 'd']
  const one = select(NOTHING_SELECTED, order, 'b', 'one')
  const range = select(one, order, 'd', 'range')
  expect([...range.names]).toEqual(['b', 'c', 'd'])
  expect([...select(range, order, 'c', 'toggle').names]).toEqual(['b', 'd'])
  expect([...select(NOTHING_SELECTED, order, 'c', 'range').names]).toEqual(['c'])
  expect(selectAll(order, one).names.size).toBe(4)
  expect(keepExisting(range, order)).toBe(range)
  expect(keepExisting(range, ['c'])).toEqual({ names: new Set(['c']), anchor: undefined, cursor: undefined })
})

it('[AP35] paths: parts, parents, and what lies within', () => {
  expect([joinPath('/', 'a'), joinPath('/a', 'b'), parentPath('/a/b'), parentPath('/a'), baseName('/a/b'), baseName('/')]).toEqual([
    '/a',
    '/a/b',
    '/a',
    '/',
    'b',
    '/',
  ])
  expect([isWithin('/home/kim', '/home/kim'), isWithin('/home/kimono', '/home/kim')]).toEqual([true, false])
  expect([
    tildePath('/home/kim/src/a.ts', '/home/kim'),
    tildePath('/home/kim', '/home/kim/'),
    tildePath('/etc/hosts', '/home/kim'),
  ]).toEqual(['~/src/a.ts', '~', '/etc/hosts'])
  expect(crumbs('/home/kim/src/x', '/home/kim', 'Home')).toEqual([
    { name: 'Home', path: '/home/kim' },
    { name: 'src', path: '/home/kim/src' },
    { name: 'x', path: '/home/kim/src/x' },
  ])
  expect(crumbs('/etc', '/home/kim', 'Home')).toEqual([
    { name: '/', path: '/' },
    { name: 'etc', path: '/etc' },
  ])
})

it('[AP35] names that cannot be are explained, and a free one is found', () => {
  const taken = new Set(['a', 'New folder'])
  expect([
    nameProblem('', taken),
    nameProblem('..', taken),
    nameProblem('a/b', taken),
    nameProblem('a', taken),
    nameProblem('ä'.repeat(128), taken),
  ]).toEqual(expect.arrayContaining([expect.any(String)]))
  expect([nameProblem('a', taken, 'a'), nameProblem('b', taken)]).toEqual([undefined, undefined])
  expect(freeName('New folder', taken)).toBe('New folder 2')
})
