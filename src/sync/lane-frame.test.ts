import { expect, it } from 'vitest'
import { concatBytes } from '../base/bytes.ts'
import { FrameCutter, FrameJoiner, MAX_FRAME_BYTES, MAX_HEAD_BYTES } from './lane-frame.ts'

it.each([
  { head: 0, bytes: 1 },
  { head: 9, bytes: 0 },
  { head: 9, bytes: MAX_FRAME_BYTES },
  { head: MAX_HEAD_BYTES, bytes: MAX_FRAME_BYTES - MAX_HEAD_BYTES },
  { head: MAX_HEAD_BYTES, bytes: 200_000 },
])('[SY55] a message of two parts, $head and $bytes bytes, is cut and joined as one', ({ head, bytes }) => {
  const parts = [head, bytes].map((length, n) => new Uint8Array(length).map((_, at) => (at * 7 + n) % 251)) as [Uint8Array, Uint8Array]
  const cutter = new FrameCutter(parts[1], parts[0])
  const joiner = new FrameJoiner('peer', 'jobs')
  expect(cutter.remainingBytes).toBe(head + bytes)
  let left = cutter.remainingBytes
  let whole: Uint8Array | undefined
  while (!cutter.isDone) {
    expect(whole).toBeUndefined()
    const frame = cutter.next()
    expect(frame.length).toBeLessThanOrEqual(MAX_FRAME_BYTES)
    expect(cutter.remainingBytes).toBeLessThanOrEqual(left)
    left = cutter.remainingBytes
    whole = joiner.add(frame)
  }
  expect(left).toBe(0)
  expect(whole).toEqual(concatBytes(...parts))
})
