import { expect, it } from 'vitest'
import { chosenText } from './chosen-bar.tsx'
import { keepWords } from './conflict-dialog.tsx'
import { splitName, stemLength } from './file-name.tsx'
import { folderFact } from './look-folder.tsx'
import { inOrder, placeBelow } from './search-results.tsx'
import { NOTHING_SELECTED, selectAfter } from './selection.ts'

it.each([
  ['notes.md', 'notes'],
  ['backup.tar.gz', 'backup'],
  ['v1.2.TAR.xz', 'v1.2'],
  ['.profile', '.profile'],
  ['Makefile', 'Makefile'],
  ['a.b.txt', 'a.b'],
])('[AP162] what is chosen of %s to be changed', (name, stem) => {
  expect(name.slice(0, stemLength(name))).toBe(stem)
})

it('[AP162] of a long name the end stays in sight, whole letters of it; a short one is not cut', () => {
  expect(splitName('report.pdf')).toEqual({ head: 'report.pdf', tail: '' })
  const long = splitName('the yearly report of all the shops (2).pdf')
  expect(long).toEqual({ head: 'the yearly report of all the sho', tail: 'ps (2).pdf' })
  const family = '👨‍👩‍👧'
  expect(splitName(family.repeat(30)).tail).toBe(family.repeat(10))
})

const entry = (kind: 'file' | 'folder', bytes: number) => ({ name: 'x', kind, bytes, modifiedMs: 0, hidden: false })
it('[AP162] several that are chosen are counted and weighed, folders without what is in them', () => {
  expect(chosenText([entry('file', 1000), entry('file', 500)], 1200)).toBe('2 of 1,200 chosen, 1.5 kB')
  expect(chosenText([entry('file', 1000), entry('folder', 4096)], 5)).toBe('2 of 5 chosen, 1.0 kB without what is in folders')
  expect(chosenText([entry('folder', 4096)], 5)).toBe('1 of 5 chosen')
  expect(folderFact([entry('file', 1000), entry('folder', 4096)])).toBe('2 entries, 1.0 kB in 1 file')
})

it('[AP162] the two sides of a conflict are told apart by their devices, where these differ', () => {
  const by = (deviceName: string) => ({ deviceName, atMs: 0 })
  expect(keepWords(by('kitchen'), by('laptop'))).toEqual({ file: 'Keep that of kitchen', copy: 'Keep that of laptop' })
  expect(keepWords(by('kitchen'), by('kitchen'))).toEqual({ file: 'Keep the file', copy: 'Keep the copy' })
  expect(keepWords(undefined, by('laptop'))).toEqual({ file: 'Keep the file', copy: 'Keep the copy' })
})

it.each([
  { chosen: ['b'], next: 'c' },
  { chosen: ['a', 'c'], next: 'd' },
  { chosen: ['c', 'd'], next: 'b' },
  { chosen: ['a', 'b', 'c', 'd'], next: undefined },
])('[AP162] after $chosen went, $next is chosen', ({ chosen, next }) => {
  const after = selectAfter({ ...NOTHING_SELECTED, names: new Set(chosen) }, ['a', 'b', 'c', 'd'])
  expect([after.cursor, [...after.names]]).toEqual([next, next === undefined ? [] : [next]])
})

it('[AP162] what was found stands as people count, with where it lies from the folder on', () => {
  const found = (path: string) => ({ path, entry: { name: path.split('/').at(-1) ?? '', kind: 'file' as const } })
  const order = inOrder([found('/H/W/r 10'), found('/H/W/z/r 2'), found('/H/W/r 2')]).map(({ path }) => path)
  expect(order).toEqual(['/H/W/r 2', '/H/W/z/r 2', '/H/W/r 10'])
  expect(['/H/W', '/H/W/a', '/H/W/a/b'].map((at) => placeBelow(at, '/H/W'))).toEqual(['here', 'a', 'a › b'])
  expect([placeBelow('/Home/a', '/'), placeBelow('/Home', '/')]).toEqual(['Home › a', 'Home'])
})
