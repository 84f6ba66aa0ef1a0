import { expect, it } from 'vitest'
import { formatTable, notMeasured, quantile } from './report.ts'
import { isLessThan, isMoreThan, verdict } from './verdict.ts'

it('quantiles are of the samples, by nearest rank', () => {
  const samples = [5, 1, 4, 2, 3]
  expect([0, 0.5, 0.95, 1].map((q) => quantile(samples, q))).toEqual([1, 3, 5, 5])
  expect(() => quantile([], 0.5)).toThrow(RangeError)
})

it('a must of several bounds is met when all are known to hold, and missed when one is known not to', () => {
  expect([verdict(true, true), verdict(true, undefined), verdict(undefined, false)]).toEqual([true, undefined, false])
  expect([isMoreThan(3, [1, 2]), isMoreThan(3, [1, 3]), isMoreThan(3, [1, undefined])]).toEqual([true, false, undefined])
  expect([isLessThan(1, [2]), isLessThan(2, [1, undefined]), isLessThan(1, [undefined])]).toEqual([true, false, undefined])
})

it('a row that was not measured says why, and is neither met nor missed', () => {
  const row = { id: 'x', what: 'X', unit: 'ms', must: '<= 1', goal: undefined }
  expect(formatTable([notMeasured(row, 'no Chromium')])).toContain('| X | not measured: no Chromium | <= 1 | not measured | - | - |')
  expect(formatTable([{ ...row, value: 2, met: false, peers: { ssh: 82 } }])).toContain('| X | 2.00 ms | <= 1 | MISSED | - | ssh 82.0 |')
})
