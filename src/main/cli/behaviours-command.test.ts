import { expect, it } from 'vitest'
import type { BehaviourRow } from '../../jobs/behaviours-contract.ts'
import { behaviourLines, oneOf } from './behaviours-command.ts'

const row = (key: string, shape: string): BehaviourRow => ({
  ...{
    key,
    name: 'cc',
    shape,
    words: 'seen once on your devices: took 42 s',
    times: 1,
    well: 1,
    badly: 0,
    listened: 0,
    terminal: 0,
    input: 0,
  },
  ...{ ports: [], atMs: 1, devices: [] },
})

it('[JB106] a key is found by its start, if only one begins so', () => {
  const rows = [row('abcd'.repeat(5), 'cc PATH.c'), row('abce'.repeat(5), 'make -j#')]
  expect(oneOf(rows, 'abcd').shape).toBe('cc PATH.c')
  expect(() => oneOf(rows, 'abc')).toThrow('more than one')
  expect(() => oneOf(rows, 'ff')).toThrow('nothing is known')
  expect(behaviourLines(rows.slice(0, 1))).toEqual(['abcdabcd  cc PATH.c\n          seen once on your devices: took 42 s'])
})
