import { expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { SeededRandom, roundsOfRun, seedOfRun } from '../testkit/seeded-random.ts'
import { decodeKnock, decodeShellMessage, encodeAnswer, LineCutter, MAX_SHELL_MESSAGE, questionNumber } from './shell-message.ts'

const message = (...fields: readonly string[]) => decodeShellMessage(utf8(fields.join('\u001f')))

it('[JB71] a question, a report, a knock and the answers, as the hook writes and reads them', () => {
  expect(message('ask', '12', '/home/ada', `cc 'a b.c'`)).toEqual({ kind: 'ask', id: '12', folder: '/home/ada', line: `cc 'a b.c'` })
  expect(message('ran', '4000', '/x', 'make')).toEqual({ kind: 'ran', ms: 4_000, folder: '/x', line: 'make' })
  expect(decodeKnock(utf8('knock 4711 123456'))).toEqual({ pid: 4_711, nonce: '123456' })
  expect(encodeAnswer('12', undefined)).toBe('12\u001fhere\n')
  expect(encodeAnswer('12', ['make', './x'])).toBe('12\u001fthere\u001fmake ./x\n')
})

it.each([
  ['a field too few', ['ask', '1', '/x']],
  ['a field too many', ['ask', '1', '/x', 'a', 'b']],
  ['no line', ['ask', '1', '/x', ' ']],
  ['a folder that is none', ['ask', '1', 'x', 'make']],
  ['a number that is none', ['ask', '-1', '/x', 'make']],
  ['a run of a year', ['ran', '31536000000', '/x', 'make']],
  ['a control character', ['ask', '1', '/x', 'make \u001b[2J']],
  ['a zero byte', ['ask', '1', '/x\0', 'make']],
  ['a word nobody knows', ['tell', '1', '/x', 'make']],
])('[JB71] is no message: %s', (_what, fields) => {
  expect(message(...fields)).toBeUndefined()
})

it('[JB71] bytes that are no text, and 10 MB, are no message', () => {
  const odd = Uint8Array.of(...utf8('ask\u001f17\u001f/x\u001fmake '), 0xff, 0xfe)
  expect(decodeShellMessage(odd)).toBeUndefined()
  expect(questionNumber(odd)).toBe('17') // so that its shell does not wait
  expect(questionNumber(utf8('ran\u001f17\u001f/x\u001fmake'))).toBeUndefined()
  expect(decodeShellMessage(utf8(`ask\u001f1\u001f/x\u001f${'x'.repeat(10_000_000)}`))).toBeUndefined()
  for (const one of ['knock', 'knock 1', 'knock 1 2 3', 'knock -1 2', 'knock 1 ../../x', 'knock 1 2\u001f'])
    expect(decodeKnock(utf8(one))).toBeUndefined()
})

it('[JB71] lines are cut out of pieces however they come; one that is too long is left out and the next is read', () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  for (let round = 0; round < roundsOfRun(100, 5_000); round++) {
    const lines = Array.from({ length: 1 + random.below(8) }, () =>
      'x'.repeat(random.chance(0.2) ? MAX_SHELL_MESSAGE + 1 + random.below(9_000) : random.below(90)),
    )
    const all = utf8(lines.map((line) => `${line}\n`).join(''))
    const cutter = new LineCutter()
    const found: string[] = []
    for (let at = 0; at < all.length; ) {
      const to = at + 1 + random.below(3_000)
      for (const line of cutter.take(all.subarray(at, to))) found.push(new TextDecoder().decode(line))
      at = to
    }
    expect({ seed, found }).toEqual({ seed, found: lines.filter((line) => line.length <= MAX_SHELL_MESSAGE) })
  }
})

it('[JB71] no bytes make the decoder throw (fuzz)', () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  const starts = ['', 'ask\u001f', 'ask\u001f1\u001f/x\u001f', 'ran\u001f1\u001f/', 'knock '].map(utf8)
  for (let round = 0; round < roundsOfRun(3_000, 100_000); round++) {
    const bytes = Uint8Array.of(...random.pick(starts), ...random.bytes(random.below(40)))
    const found = decodeShellMessage(bytes)
    decodeKnock(bytes)
    expect({ seed, odd: [...(found?.line ?? '')].filter((one) => one < ' ' || one === '\u007f') }).toEqual({ seed, odd: [] })
  }
})
