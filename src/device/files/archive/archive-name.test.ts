import { expect, it } from 'vitest'
import { archiveFileName, archiveName } from './archive-name.ts'

it.each([
  ['an ordinary name', ['Grüße 👋.txt'], ['Grüße 👋.txt']],
  ['one that leads out where a backslash parts names', ['..\\..\\evil.exe'], ['.._.._evil.exe']],
  ['control characters and half a letter', ['a\nb\u007f', 'x\ud800y'], ['a_b_', 'x\ufffdy']],
  ['two that are the same then', ['a\\b.txt', 'a_b.txt', 'a\nb.txt'], ['a_b.txt', 'a_b 2.txt', 'a_b 3.txt']],
  ['no ending', ['.profile', 'a', 'a'], ['.profile', 'a', 'a 2']],
  ['what is no name in a folder', ['', '.', '..', 'a/b', '/etc/passwd', 'a\0b'], Array(6).fill(undefined)],
])('[DV106] %s', (_, names, expected) => {
  const taken = new Set<string>()
  expect(names.map((name) => archiveName(name, taken))).toEqual(expected)
})

it('[DV106] the file of an archive is called after what is in it', () => {
  expect([archiveFileName('Letters'), archiveFileName('a/b'), archiveFileName('..')]).toEqual(['Letters.zip', 'Files.zip', 'Files.zip'])
  expect(new TextEncoder().encode(archiveFileName('👋'.repeat(100))).length).toBeLessThanOrEqual(204)
})
