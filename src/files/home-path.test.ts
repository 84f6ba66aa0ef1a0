import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isWithin, normalizePath, splitPath } from './home-path.ts'

it.each([
  ['/home/ada', '/home/ada'],
  ['/home//ada/./x/', '/home/ada/x'],
  ['/home/ada/../bob', '/home/bob'],
  ['/../../etc', '/etc'],
  ['/', '/'],
])('[FS1] %s is %s', (path, normal) => expect(normalizePath(path)).toBe(normal))

it.each(['', 'relative', '../x', '~/x', '/a\0b', `/${'x'.repeat(256)}`, `/${'ü'.repeat(128)}`, '/x'.repeat(2100)])(
  '[FS1] %j is no path',
  (path) => {
    expect(() => normalizePath(path)).toThrow(expect.objectContaining({ code: 'file/bad-path' }))
  },
)

it.each([
  ['/home/ada', '/home/ada', true],
  ['/home/ada', '/home/ada/x', true],
  ['/home/ada', '/home/adam', false],
  ['/home/ada', '/home', false],
  ['/', '/etc', true],
])('[FS1] %s holds %s: %s', (folder, path, within) => expect(isWithin(folder, path)).toBe(within))

it('[FS1] a normal path stays as it is, has no dots in it, and is folder plus name', () => {
  const segment = fc.oneof(fc.constantFrom('', '.', '..', '...', 'a', '.b'), fc.string({ maxLength: 10 }))
  fc.assert(
    fc.property(fc.array(segment), (segments) => {
      const asked = `/${segments.join('/')}`
      fc.pre(!asked.includes('\0'))
      const normal = normalizePath(asked)
      expect(normalizePath(normal)).toBe(normal)
      expect(normal.split('/').filter((part) => part === '.' || part === '..')).toEqual([])
      const { folder, name } = splitPath(normal)
      expect(name.includes('/')).toBe(false)
      if (normal !== '/') expect(normalizePath(`${folder}/${name}`)).toBe(normal)
    }),
  )
})
