import { expect, it } from 'vitest'
import { keepLines } from './keep-verbs.ts'

it.each([
  { held: { unreadable: 2 }, line: /nothing goes {2}2 parts .* cannot be read yet: a key is missing/ },
  { held: { unreadable: 0, unheard: ['Kitchen'], untilMs: 0 }, line: /nothing goes {2}.*link Kitchen once: .* until 1970-01-01 at most/ },
  { held: { unreadable: 0, unheard: [], untilMs: 0 }, line: /nothing goes {2}.*part of its history is lost: .* until 1970-01-01 at most/ },
])('[RP4] the status says why nothing is let go of: $held', ({ held, line }) => {
  const status = { policy: { copies: 1, on: [] }, unsafeVersions: 0, isCutShort: false }
  expect(keepLines({ ...status, held })).toEqual([expect.stringMatching(line)])
  expect(keepLines(status)).toEqual([])
})
