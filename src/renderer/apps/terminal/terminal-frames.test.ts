import fc from 'fast-check'
import { expect, it } from 'vitest'
import { concatBytes, utf8 } from '../../../base/bytes.ts'
import { binaryKeysFrame, keysFrame, readTerminalFrame, sizeFrame } from './terminal-frames.ts'

const down = (kind: number, text: string) => concatBytes(new Uint8Array([kind]), utf8(text))

it.each([
  [down(0, 'héllo'), { type: 'screen', data: 'héllo' }],
  [down(2, '{"columns":80,"rows":24}'), { type: 'size', columns: 80, rows: 24 }],
  [down(3, '{"code":0}'), { type: 'exit', code: 0 }],
  [down(3, '{"code":0,"signal":15}'), { type: 'exit', code: 0, signal: 15 }],
])('[AP10] reads what the device says: %#', (bytes, frame) => {
  expect(readTerminalFrame(bytes)).toEqual(frame)
})

it('[AP10] output keeps its bytes, also half a character', () => {
  expect(readTerminalFrame(new Uint8Array([1, 0xc3]))).toEqual({ type: 'output', data: new Uint8Array([0xc3]) })
})

it.each([
  [new Uint8Array()],
  [down(9, 'x')],
  [down(2, '{"columns":1e9,"rows":3}')],
  [down(2, '{')],
  [down(3, '[]')],
  [down(2, ' '.repeat(2000))],
])('[AP10] malformed or unknown frames are skipped: %#', (bytes) => expect(readTerminalFrame(bytes)).toBeUndefined())

it('[AP10] no bytes whatever make it throw', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => void readTerminalFrame(bytes)))
})

it('[AP10] keys go up as UTF-8, mouse reports byte for byte, sizes as JSON', () => {
  expect([...keysFrame('é')]).toEqual([1, 0xc3, 0xa9])
  expect([...binaryKeysFrame('\x1b[M\xff')]).toEqual([1, 0x1b, 0x5b, 0x4d, 0xff])
  expect(sizeFrame({ columns: 80, rows: 24 })).toEqual(down(2, '{"columns":80,"rows":24}'))
})
