import { expect, it } from 'vitest'
import { errorWords } from './error-words.ts'

it.each([
  ['this is not the passphrase; the next try is possible in 1 second', 'This is not the passphrase; the next try is possible in 1 second.'],
  ['The disk is full.', 'The disk is full.'],
  ['étage introuvable', 'Étage introuvable.'],
  ['https://example.org did not answer', 'https://example.org did not answer.'],
  ['notes.md was changed meanwhile', 'notes.md was changed meanwhile.'],
  ['', '.'],
])('[AP70] "%s" is said as a sentence', (message, words) => expect(errorWords(new Error(message))).toBe(words))
