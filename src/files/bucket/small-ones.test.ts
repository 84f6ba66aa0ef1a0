import fc from 'fast-check'
import { expect, it } from 'vitest'
import { smallOnes } from './small-ones.ts'

const share = (one: number) => one

it('[BK9] of few, of large and of many sizes nothing is made one', () => {
  expect(smallOnes([], share)).toEqual([])
  expect(
    smallOnes(
      Array.from({ length: 7 }, () => 0.001),
      share,
    ),
  ).toEqual([])
  expect(
    smallOnes(
      Array.from({ length: 100 }, () => 0.125),
      share,
    ),
  ).toEqual([])
  expect(smallOnes([0.1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001, 0.0001], share)).toEqual([])
  expect(
    smallOnes(
      Array.from({ length: 8 }, () => 0.12),
      share,
    ).length,
  ).toBe(8)
})

it('[BK9] what is made one is at most a full one, 500 at once, and however many come, few are left and each is written anew a few times', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 1e-6, max: 1, noNaN: true }), { minLength: 200, maxLength: 600 }), (shares) => {
      let all: { share: number; times: number }[] = []
      for (const one of shares) {
        all.push({ share: Math.max(1e-6, one ** 4), times: 0 })
        const taken = smallOnes(all, (each) => each.share)
        if (taken.length === 0) continue
        const sum = taken.reduce((before, each) => before + each.share, 0)
        expect(taken.length).toBeGreaterThanOrEqual(8)
        expect(sum).toBeLessThanOrEqual(1 + 1e-6)
        all = all.filter((each) => !taken.includes(each))
        all.push({ share: sum, times: 1 + Math.max(...taken.map(({ times }) => times)) })
      }
      expect(all.filter((each) => each.share < 1 / 8).length).toBeLessThanOrEqual(7 * 11)
      expect(Math.max(...all.map(({ times }) => times))).toBeLessThanOrEqual(12)
    }),
    { numRuns: 30 },
  )
  expect(
    smallOnes(
      Array.from({ length: 2_000 }, () => 0.0001),
      share,
    ).length,
  ).toBe(500)
})
