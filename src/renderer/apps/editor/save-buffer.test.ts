import fc from 'fast-check'
import { expect, it } from 'vitest'
import { diffLines, keepBothPath, openRefusal, saveRefused } from './save-buffer.ts'

const coded = (code: string) => Object.assign(new Error('said by the device'), { code })

it.each([
  ['file/changed', 'conflict'],
  ['file/exists', 'conflict'],
  ['file/device-away', 'waiting'],
  ['rpc/closed', 'waiting'],
  ['file/disk-full', 'failed'],
] as const)('[AP25] %s leaves the text %s', (code, phase) => expect(saveRefused(coded(code)).phase).toBe(phase))

it('[AP25] a failure keeps the code and says the words of the device as a sentence', () => {
  expect(saveRefused(coded('file/disk-full'))).toEqual({ phase: 'failed', code: 'file/disk-full', message: 'Said by the device.' })
})

it('[AP26] large and binary files are refused with a reason, unknown errors are not refusals', () => {
  expect(openRefusal('file/too-large')?.body).toContain('8 MB')
  expect(openRefusal('file/not-text')?.title).toBe('Not a text')
  expect(openRefusal('base/bug')).toBeUndefined()
})

it.each([
  ['/home/kim/notes.md', '/home/kim/notes (from laptop).md'],
  ['/home/kim/.profile', '/home/kim/.profile (from laptop)'],
  ['/home/kim.d/Makefile', '/home/kim.d/Makefile (from laptop)'],
])('[AP25] keeping both names the second one: %s', (path, kept) => expect(keepBothPath(path, 'laptop')).toBe(kept))

it('[AP25] the difference shows what each side has', () => {
  expect(diffLines('a\nb\nc', 'a\nx\nc')).toEqual([
    { kind: 'same', text: 'a' },
    { kind: 'theirs', text: 'x' },
    { kind: 'mine', text: 'b' },
    { kind: 'same', text: 'c' },
  ])
})

it('[AP25] from the difference both versions can be read back', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((lines) => lines.join('\n'))
  fc.assert(
    fc.property(text, text, (mine, theirs) => {
      const lines = diffLines(mine, theirs)
      const without = (kind: string) =>
        lines
          .filter((line) => line.kind !== kind)
          .map((line) => line.text)
          .join('\n')
      expect(without('theirs')).toBe(mine)
      expect(without('mine')).toBe(theirs)
    }),
  )
})
