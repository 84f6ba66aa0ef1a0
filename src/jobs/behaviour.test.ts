import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { countIn, keyText, mergeTallies, type Outcome, readTally, type Tally, tookMs } from './behaviour.ts'

const golden = JSON.parse(readFileSync(new URL('./golden/behaviour-tally-1.json', import.meta.url), 'utf8'))
const KEY = { name: 'cc', id: golden.id, shape: golden.shape }
const run = (over: Partial<Outcome> = {}): Outcome => ({
  ...{ key: KEY, seen: { ports: [], terminal: false, input: false, screen: false }, folder: 'project', atMs: 1 },
  ...{ tookMs: 100, ended: 'well', files: undefined, cpuMs: undefined },
  ...over,
})

it('[JB107] a tally of version 1 is read for ever as it was, by the same key; another version is not guessed at', () => {
  expect(readTally(golden)).toEqual(golden)
  expect(keyText(KEY)).toBe('a0cbc4476ecf18cdbe65')
  for (const other of [
    { ...golden, format: 2 },
    { ...golden, times: -1 },
    { ...golden, name: 'cc\u001b[2J' },
    { ...golden, shape: 'cc \u202e' },
    { ...golden, shape: 'cc\u2028' },
    { ...golden, took: Array(9).fill(golden.took[0]) },
    'x',
    undefined,
  ])
    expect(readTally(other)).toBeUndefined()
})

it('[JB107] what was learned can be read again, also of very long folders and many ports', () => {
  const ports = Array.from({ length: 64 }, (_, n) => n + 1)
  let tally: Tally | undefined
  for (let n = 0; n < 9; n++)
    tally = countIn(tally, run({ folder: `${n}`.repeat(300), seen: { ports, terminal: true, input: true, screen: true } }))
  expect(readTally(tally)).toEqual(tally)
})

it('[JB107] counts end where they can still be read', () => {
  const most = { ...golden, times: 1e9, well: 1e9 }
  expect(readTally(countIn(most, run()))).toMatchObject({ times: 1e9, well: 1e9 })
})

it('[JB107] the time is that of the folder asked about, else of the newest run; other devices count', () => {
  const here = countIn(countIn(undefined, run({ folder: 'a', tookMs: 1, atMs: 1 })), run({ folder: 'b', tookMs: 2, atMs: 2 }))
  const there = countIn(undefined, run({ folder: 'a', tookMs: 3, atMs: 3 }))
  const merged = mergeTallies('key', [
    ['laptop', here],
    ['server', there],
  ])
  expect([tookMs(merged, 'a'), tookMs(merged, 'b'), tookMs(merged, 'c'), tookMs(merged, undefined)]).toEqual([3, 2, 3, 3])
  expect(merged).toMatchObject({ times: 3, devices: ['laptop', 'server'] })
})
