import { expect, it } from 'vitest'
import { formatTable, notMeasured, quantile } from './report.ts'

it('quantiles are of the samples, by nearest rank', () => {
  const samples = [5, 1, 4, 2, 3]
  expect([0, 0.5, 0.95, 1].map((q) => quantile(samples, q))).toEqual([1, 3, 5, 5])
  expect(() => quantile([], 0.5)).toThrow(RangeError)
})

it('a row that was not measured says why, and is neither met nor missed', () => {
  const row = { id: 'x', what: 'X', unit: 'ms', must: '<= 1', goal: undefined }
  expect(formatTable([notMeasured(row, 'no Chromium')])).toContain('| X | not measured: no Chromium | <= 1 | - | - | - |')
  expect(formatTable([{ ...row, value: 2, met: false, peers: { ssh: 82 } }])).toContain('| X | 2.00 ms | <= 1 | MISSED | - | ssh 82.0 |')
})
