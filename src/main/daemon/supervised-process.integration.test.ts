import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { NODE_FLAGS } from './supervised-process.ts'

/** Makes much in passing and keeps some of it, as whoever takes in many files does. */
const BUSY = `
  const keep = []
  for (let n = 0; n < 4e6; n++) {
    const one = { n, text: 'x' + n }
    if (n % 8 === 0) keep[(n / 8) % 100_000] = one
  }
  console.log(require('node:v8').getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size)`

it('[DV109] what a busy process makes in passing takes 16 MiB at most', () => {
  const bytes = Number(execFileSync(process.execPath, [...NODE_FLAGS, '-e', BUSY], { encoding: 'utf8' }))
  expect(bytes).toBeGreaterThan(0)
  expect(bytes).toBeLessThanOrEqual(16 * 1024 * 1024)
})
