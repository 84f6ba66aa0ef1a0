import fc from 'fast-check'
import { expect, it } from 'vitest'
import { TailLines } from './tail-lines.ts'

const tailOf = (count: number, ...parts: readonly (string | Uint8Array)[]) => {
  const tail = new TailLines(count)
  for (const part of parts) tail.write(part)
  return tail.lines
}

it.each([
  ['the last lines, blank ones aside', ['a\n\nb\nc\n  \nd'], ['b', 'c', 'd']],
  ['colours and titles are left out', ['\x1b[1;32mok\x1b[0m \x1b]0;title\x07done\x1b]8;;x\x1b\\!\n'], ['ok done!']],
  ['a progress bar is its last state', ['10 %\r20 %\r30 %'], ['30 %']],
  ['CR LF ends a line once', ['a\r\nb\r\n'], ['a', 'b']],
  ['a letter taken back', ['ab\bc\n'], ['ac']],
] as const)('[AP123] a card shows plain text: %s', (_name, parts, lines) => expect(tailOf(3, ...parts)).toEqual(lines))

it('[AP123] wherever output is cut, the same lines come of it', () => {
  const piece = fc.constantFrom('a', 'é', '漢', '\n', '\r', '\x1b[31m', '\x1b[0m', '\x1b]0;t\x07', ' ', '\b')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.array(fc.nat(120), { maxLength: 8 }), (pieces, cuts) => {
      const bytes = new TextEncoder().encode(pieces.join(''))
      const at = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length]
      const parts = at.slice(1).map((end, index) => bytes.subarray(at[index], end))
      expect(tailOf(4, ...parts)).toEqual(tailOf(4, bytes))
    }),
  )
})

it('[AP123] endless output without a line end is cut, not kept', () => {
  const tail = new TailLines(2)
  for (let i = 0; i < 1_000; i++) tail.write('x'.repeat(100))
  expect(tail.lines[0]?.length).toBe(400)
})
