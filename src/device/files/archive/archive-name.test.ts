import { expect, it } from 'vitest'
import { archiveFileName, archiveName, type TakenNames } from './archive-name.ts'

it.each([
  ['an ordinary name', ['Grüße 👋.txt'], ['Grüße 👋.txt']],
  ['one that leads out where a backslash parts names', ['..\\..\\evil.exe'], ['.._.._evil.exe']],
  ['control characters and half a letter', ['a\nb\u007f', 'x\ud800y'], ['a_b_', 'x\ufffdy']],
  ['two that are the same then', ['a\\b.txt', 'a_b.txt', 'a\nb.txt'], ['a_b.txt', 'a_b 2.txt', 'a_b 3.txt']],
  ['no ending', ['.profile', 'a', 'a'], ['.profile', 'a', 'a 2']],
  ['what names something else on Windows', ['C:', 'a:b?.txt', '"<|>*', 'end. .', ' a'], ['C_', 'a_b_.txt', '_____', 'end___', ' a']],
  ['devices of Windows', ['CON', 'nul.tar.gz', 'Com1 .x', 'console', 'COM10'], ['CON_', 'nul_.tar.gz', 'Com1_ .x', 'console', 'COM10']],
  ['two that differ in case only', ['a.txt', 'A.txt', 'A 2.txt', 'a.TXT', 'ß'], ['a.txt', 'A 2.txt', 'A 2 2.txt', 'a 3.TXT', 'ß']],
  ['two that differ in how accents are written', ['\u00e9', 'e\u0301', 'E\u0301'], ['\u00e9', 'e\u0301 2', 'E\u0301 3']],
  ['what is no name in a folder', ['', '.', '..', 'a/b', '/etc/passwd', 'a\0b'], Array(6).fill(undefined)],
])('[DV106] %s', (_, names, expected) => {
  const taken: TakenNames = new Map()
  expect(names.map((name) => archiveName(name, taken))).toEqual(expected)
})

it('[DV106] the file of an archive is called after what is in it', () => {
  expect([archiveFileName('Letters'), archiveFileName('a/b'), archiveFileName('..')]).toEqual(['Letters.zip', 'Files.zip', 'Files.zip'])
  expect(new TextEncoder().encode(archiveFileName('👋'.repeat(100))).length).toBeLessThanOrEqual(204)
})

it('[DV106] a folder of names that are all the same is named in one pass', () => {
  const taken: TakenNames = new Map()
  let asked = 0
  const has = taken.has.bind(taken)
  taken.has = (name) => (asked++, has(name))
  for (let n = 0; n < 1_000; n++) archiveName(`a${String.fromCodePoint((n % 31) + 1)}`, taken)
  expect([taken.size, asked]).toEqual([1_000, 1_999])
})
