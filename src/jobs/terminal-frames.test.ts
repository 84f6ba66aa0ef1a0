import fc from 'fast-check'
import { expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import {
  decodeDownFrame,
  decodeUpFrame,
  type DownFrame,
  encodeDownFrame,
  encodeUpFrame,
  MAX_KEYS_BYTES,
  type UpFrame,
} from './terminal-frames-contract.ts'
import { roundsOfRun } from '../testkit/seeded-random.ts'

const bytes = fc.uint8Array({ maxLength: 200 })
const size = fc.record({ columns: fc.integer({ min: 2, max: 1000 }), rows: fc.integer({ min: 1, max: 1000 }) })
const down: fc.Arbitrary<DownFrame> = fc.oneof(
  bytes.map((value) => ({ kind: 'screen' as const, bytes: value })),
  bytes.map((value) => ({ kind: 'output' as const, bytes: value })),
  size.map((value) => ({ kind: 'size' as const, ...value })),
  fc.record({ code: fc.integer({ min: -1, max: 255 }) }).map((value) => ({ kind: 'exit' as const, ...value })),
  fc
    .record({ code: fc.integer({ min: 0, max: 255 }), signal: fc.integer({ min: 1, max: 64 }) })
    .map((value) => ({ kind: 'exit' as const, ...value })),
)
const up: fc.Arbitrary<UpFrame> = fc.oneof(
  bytes.map((value) => ({ kind: 'keys' as const, bytes: value })),
  size.map((value) => ({ kind: 'size' as const, ...value })),
)

it('[JB3] frames come back as they were', () => {
  fc.assert(
    fc.property(down, up, (downFrame, upFrame) => {
      expect(decodeDownFrame(encodeDownFrame(downFrame))).toEqual(downFrame)
      expect(decodeUpFrame(encodeUpFrame(upFrame))).toEqual(upFrame)
    }),
  )
})

it.each([
  ['nothing at all', new Uint8Array()],
  ['an unknown kind', Uint8Array.of(9, 1, 2)],
  ['a size that is not JSON', utf8('\x02{"columns":')],
  ['a size that is not UTF-8', Uint8Array.of(2, 0xff, 0xfe)],
  ['a size of text', utf8('\x02{"columns":"80","rows":24}')],
  ['no columns', utf8('\x02{"columns":0,"rows":24}')],
  ['half a row', utf8('\x02{"columns":80,"rows":24.5}')],
  ['too many columns', utf8('\x02{"columns":1001,"rows":24}')],
  ['a long size', utf8(`\x02{"columns":80,"rows":24,"pad":"${'x'.repeat(300)}"}`)],
  ['a paste that is too long', new Uint8Array(MAX_KEYS_BYTES + 2).fill(1)],
])('[JB3] a viewer that sends %s is not understood', (_, message) => expect(decodeUpFrame(message)).toBeUndefined())

it('[JB3] no bytes make the decoders throw, and what they accept is in bounds', () => {
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 64 }),
    fc.tuple(fc.integer({ min: 0, max: 4 }), fc.json({ maxDepth: 2 })).map(([kind, text]) => Uint8Array.of(kind, ...utf8(text))),
    fc.tuple(up, fc.nat(), fc.nat({ max: 255 })).map(([frame, at, value]) => {
      const damaged = encodeUpFrame(frame)
      damaged[at % damaged.length] = value
      return damaged
    }),
  )
  fc.assert(
    fc.property(message, (value) => {
      decodeDownFrame(value)
      const frame = decodeUpFrame(value)
      if (frame?.kind === 'size') expect(frame.columns >= 2 && frame.columns <= 1000 && frame.rows >= 1 && frame.rows <= 1000).toBe(true)
    }),
    { numRuns: roundsOfRun(2_000, 20_000) },
  )
})
