import { expect, it } from 'vitest'
import { AnswerPace } from './answer-pace.ts'

it('[SY65] however often a network asks, it is answered once a second', () => {
  const pace = new AnswerPace()
  const answered = Array.from({ length: 10_000 }, (_, ms) => ms).filter((ms) => pace.take(ms))
  expect(answered).toEqual([0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 9_000])
})
