import { expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { isQueryAnswer } from './query-answers.ts'

it.each([
  ['primary attributes', '\x1b[?1;2c'],
  ['secondary attributes', '\x1b[>0;276;0c'],
  ['status', '\x1b[0n'],
  ['cursor position', '\x1b[12;40R'],
  ['mode report', '\x1b[?2026;2$y'],
  ['a setting', '\x1bP1$r0m\x1b\\'],
])('[JB7] %s is an answer', (_, text) => expect(isQueryAnswer(utf8(text))).toBe(true))

it.each([
  ['a letter', 'c'],
  ['escape', '\x1b'],
  ['an arrow', '\x1b[A'],
  ['F3', '\x1bOR'],
  ['Shift+F3', '\x1b[1;2R'],
  ['a paste', '\x1b[200~0n\x1b[201~'],
  ['a colour, which only a viewer knows', '\x1b]11;rgb:1e1e/1e1e/1e1e\x07'],
  ['an answer inside typed text', 'x\x1b[0n'],
  ['a mouse report', '\x1b[<0;12;4M'],
])('[JB7] %s is not', (_, text) => expect(isQueryAnswer(utf8(text))).toBe(false))
