import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'
import { MUCH_IN_BUFFERS } from './much-in-buffers.ts'
import { NODE_FLAGS } from './supervised-process.ts'

/** A heap with something in it, and 1 GiB of buffers that are let go of at once. Prints how often V8 went through all of the heap. */
const PROGRAM = `
  const { PerformanceObserver, constants } = require('node:perf_hooks')
  const held = Array.from({ length: 200_000 }, (_, n) => ({ n, name: String(n) }))
  let times = 0
  const count = (entries) => { for (const { detail } of entries) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) times++ }
  const observer = new PerformanceObserver((list) => count(list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  const round = (left) => {
    for (let n = 0; n < 128; n++) new Uint8Array(64 * 1024)[0] = 1
    if (left > 0) return setImmediate(round, left - 1)
    setImmediate(() => { count(observer.takeRecords()); console.log(times, held.length) })
  }
  round(128)
`

const majors = (args: readonly string[]): number =>
  Number(execFileSync(process.execPath, [...args, '-e', PROGRAM], { encoding: 'utf8' }).split(' ')[0])

it('[FC8] V8 does not go through the whole heap of the files process for buffers that come and go', () => {
  expect(majors([])).toBeGreaterThan(8)
  expect(majors([...NODE_FLAGS, ...MUCH_IN_BUFFERS])).toBeLessThan(4)
})
