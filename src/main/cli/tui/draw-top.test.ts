import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { JobInfo } from '../../../jobs/jobs-contract.ts'
import { drawTop, timeText } from './draw-top.ts'
import { fit, widthOf } from './fit-text.ts'
import type { TopDevice } from './top-look.ts'
import { reduceTop, TOP_START, topJobs, type TopState } from './top-state.ts'

const job = (name: string, over: Partial<JobInfo> = {}): JobInfo => ({
  job: name,
  commandLine: name,
  label: 'batch',
  effects: 'files-only',
  folder: { device: 'a', path: '/x' },
  state: 'running',
  device: 'b',
  why: 'idle',
  attempts: [],
  askedAtMs: 0,
  outputBytes: 0,
  droppedBytes: 0,
  lastLine: '',
  ports: [],
  results: { files: 0, conflicts: 0 },
  ...over,
})
const GIB = 2 ** 30
const device = (deviceId: string, name: string, cpu?: number): TopDevice =>
  cpu === undefined
    ? { deviceId, name, state: 'away' }
    : { deviceId, name, state: 'linked', load: { device: deviceId, cores: 8, cpu, memoryBytes: 4 * GIB, memoryTotalBytes: 16 * GIB } }
const jobs = [
  job('make all', { askedAtMs: 10_000, device: 'b' }),
  job('cargo build', { askedAtMs: 20_000, device: 'a', progress: { fraction: 0.4, from: 'output' } }),
  job('npm test', { askedAtMs: 5_000, state: 'waiting' }),
  job('tsc', { askedAtMs: 1_000, state: 'done', endedAtMs: 4_000 }),
]
const look = { atMs: 80_000, devices: [device('a', 'laptop', 0.5), device('b', 'server', 0.05), device('c', 'attic')], jobs }
const keys = (start: TopState, ...pressed: readonly string[]) => {
  let state = start
  let effect: unknown
  for (const key of pressed) ({ state, effect } = { effect: undefined, ...reduceTop(state, { kind: 'key', key }) })
  return { state, effect }
}
const seen = reduceTop(TOP_START, { kind: 'look', look }).state
// oxlint-disable-next-line no-control-regex -- colours are taken away
const plain = (lines: readonly string[]) => lines.map((line) => line.replaceAll(/\u001b\[[0-9;]*m/g, '').trimEnd())

it('[JB80] at 80 columns: devices with their load, jobs with their device, what keys do', () => {
  expect(plain(drawTop(seen, { columns: 80, rows: 11 }))).toEqual([
    '2 of 3 devices, 2 jobs run, 1 waits',
    'laptop               ████████████░░░░░░░░░░░░ 50 %  8 cores  4.0/16 GiB',
    'server               █░░░░░░░░░░░░░░░░░░░░░░░  5 %  8 cores  4.0/16 GiB',
    'attic                away',
    '',
    'STATE         DEVICE           TIME   COMMAND (newest)',
    'running 40 %  laptop           1m00   cargo build',
    'running       server           1m10   make all',
    'waiting       server           1m15   npm test',
    '',
    expect.stringMatching(/^↑↓ select {3}x cancel .* q quit$/),
  ])
})

it('[JB80] at 40 columns nothing is lost that matters', () => {
  expect(plain(drawTop(seen, { columns: 40, rows: 10 }))).toEqual([
    '2 of 3 devices, 2 jobs run, 1 waits',
    'laptop        ████░░░░ 50 %  4.0/16 GiB',
    'server        ░░░░░░░░  5 %  4.0/16 GiB',
    'attic         away',
    '',
    'STATE         TIME   COMMAND (newest)',
    'running 40 %  1m00   cargo build',
    'running       1m10   make all',
    'waiting       1m15   npm test',
    '↑↓  x cancel  s sort  a all  q quit',
  ])
})

it('[JB81] keys: select, sort, cancel only after y, those that are over, quit', () => {
  expect(seen.selected).toBe('cargo build')
  expect(keys(seen, 'j', '\u001b[B', 'j').state.selected).toBe('npm test')
  expect(keys(seen, 'k').state.selected).toBe('cargo build')
  expect(keys(seen, 's')).toMatchObject({ state: { sort: 'device', selected: 'cargo build' } })
  expect(topJobs(keys(seen, 's', 's', 's').state).map(({ commandLine }) => commandLine)).toEqual(['cargo build', 'make all', 'npm test'])
  expect(topJobs(keys(seen, 'a').state)).toHaveLength(4)
  expect(keys(seen, 'x')).toMatchObject({ state: { asking: 'cargo build' }, effect: undefined })
  expect(keys(seen, 'x', 'n')).toMatchObject({ state: { asking: undefined }, effect: undefined })
  expect(keys(seen, 'x', 'y')).toMatchObject({ effect: { kind: 'cancel', job: 'cargo build' } })
  expect(keys(seen, 'a', 'j', 'j', 'j', 'x').state).toMatchObject({ asking: undefined, message: 'it is over' })
  for (const key of ['q', '\u001b', '\u0003']) expect(keys(seen, key).effect).toEqual({ kind: 'quit' })
  expect(keys(seen, 'x', '\u0003').effect).toEqual({ kind: 'quit' })
  const gone = reduceTop(keys(seen, 'x').state, { kind: 'look', look: { ...look, jobs: jobs.slice(2) } }).state
  expect(gone).toMatchObject({ asking: undefined, selected: 'npm test' })
})

it('[JB80] on no terminal, however small, and by no name a line is too wide, one too many, or moves a cursor (property)', () => {
  const odd = fc
    .array(fc.constantFrom('a', 'é', '漢', '👩‍👩‍👧', '\u001b[2J', '\n', '\t', '\u0000', '\u202e', 'e\u0301', ' x'), { maxLength: 60 })
    .map((all) => all.join(''))
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 130 }),
      fc.integer({ min: 1, max: 30 }),
      fc.array(odd, { maxLength: 12 }),
      odd,
      fc.array(fc.constantFrom('j', 'k', 's', 'a', 'x', 'y'), { maxLength: 6 }),
      (columns, rows, names, reason, pressed) => {
        const devices = names.map((name, at) =>
          at % 3 ? device(String(at), name, at / 9) : { deviceId: String(at), name, state: 'linked' as const, why: reason },
        )
        const some = names.map((name, at) => job(String(at), { commandLine: name, device: String(at), askedAtMs: at }))
        const { state } = keys(reduceTop(TOP_START, { kind: 'look', look: { atMs: 9e9, devices, jobs: some } }).state, ...pressed)
        const lines = drawTop(state, { columns, rows })
        expect(lines.length).toBeLessThanOrEqual(rows)
        for (const line of lines) {
          // oxlint-disable-next-line no-control-regex -- colours are taken away; nothing else may be left
          const text = line.replaceAll(/\u001b\[[0-9;]*m/g, '')
          // oxlint-disable-next-line no-control-regex -- exactly those
          expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/)
          expect(widthOf(text)).toBeLessThanOrEqual(columns)
        }
      },
    ),
  )
})

it('[JB80] the selected job is in sight, however many there are', () => {
  const many = Array.from({ length: 200 }, (_, at) => job(`job ${at}`, { askedAtMs: 1_000 - at }))
  let { state } = reduceTop(TOP_START, { kind: 'look', look: { ...look, jobs: many } })
  for (let n = 0; n < 150; n++) ({ state } = reduceTop(state, { kind: 'key', key: 'j' }))
  expect(plain(drawTop(state, { columns: 40, rows: 12 })).join('\n')).toContain('job 150')
})

it('[JB80] text is cut by what it takes on the screen; times are short', () => {
  expect(fit('漢字漢字', 5)).toBe('漢字…')
  expect(fit('plain', 5)).toBe('plain')
  expect(fit('plainer', 5)).toBe('plai…')
  expect(fit('x'.repeat(1e6), 3)).toBe('xx…')
  expect(['a', '漢', '👩‍👩‍👧', 'e\u0301'].map(widthOf)).toEqual([1, 2, 2, 1])
  expect([0, 59_999, 185_000, 7_800_000, 4e8].map(timeText)).toEqual(['0s', '59s', '3m05', '2h10', '4d'])
})
