import { expect, it } from 'vitest'
import { asCommandLine } from './terminal-words.ts'

it.each([
  ['npm test', 'npm test'],
  ['$ npm test   \n', 'npm test'],
  ['❯ make -j', 'make -j'],
  ['a\nb', undefined],
  ['   ', undefined],
  ['x'.repeat(5_000), undefined],
  ['$HOME/bin/x', '$HOME/bin/x'],
])('[AP127] selected text %j is the command %j', (text, line) => expect(asCommandLine(text)).toBe(line))
