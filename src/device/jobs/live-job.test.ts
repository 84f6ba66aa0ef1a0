import { afterEach, beforeEach, expect, it } from 'vitest'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { silentLogger } from '../../base/logger.ts'
import { systemRandom } from '../../base/random.ts'
import { JobBook } from '../../jobs/job-book.ts'
import { DEFAULT_POLICY } from '../../jobs/job-contract.ts'
import { type AttemptExit, encodeJobDown, INPUT_WINDOW_BYTES } from '../../jobs/job-frames-contract.ts'
import type { JobRecord } from '../../jobs/job-record.ts'
import { ASKER_LEASE_MS } from '../../jobs/lease.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { memoryChannelPair } from '../../testkit/memory-channels.ts'
import type { Run } from './behaviour-service.ts'
import type { JobPlaces } from './job-places.ts'
import { LiveJob } from './live-job.ts'

const settle = async () => {
  for (let turns = 0; turns < 60; turns++) await Promise.resolve()
}
const cutOff = () => Object.assign(new Error('the link was cut'), { code: 'rpc/closed' })

let clock: ManualClock
let job: LiveJob
/** What was asked of which device, in order. */
let asked: string[]
/** The executor's end of the newest channel. */
let far: ByteChannel
let isAway: boolean
let isEndLost: boolean
let learned: Run[]
let places: JobPlaces

const record: JobRecord = {
  format: 1,
  info: {
    job: '2'.repeat(16),
    commandLine: 'cc in.c',
    label: 'batch',
    effects: 'files-only',
    why: '',
    folder: { device: 'laptop', path: '/home/ada/project' },
    state: 'starting',
    attempts: [],
    askedAtMs: 0,
    outputBytes: 0,
    droppedBytes: 0,
    lastLine: '',
    ports: [],
    results: { files: 0, conflicts: 0 },
  },
  commandLine: 'cc in.c',
  environment: {},
  classification: {
    label: 'batch',
    confidence: 1,
    reason: '',
    programs: ['cc'],
    effects: 'files-only',
    endpoints: [],
  } as unknown as JobRecord['classification'],
  policy: DEFAULT_POLICY,
  input: true,
  network: false,
}

beforeEach(async () => {
  clock = new ManualClock()
  asked = []
  isAway = false
  isEndLost = false
  learned = []
  const open = async (what: string) => {
    asked.push(what)
    const [near, other] = memoryChannelPair()
    far = other
    return near
  }
  places = {
    at(device: string) {
      if (isAway && device !== 'laptop') throw Object.assign(new Error('not linked'), { code: 'job/device-away' })
      return {
        start: () => open(`start ${device}`),
        attach: () => open(`attach ${device}`),
        end: async () => {
          asked.push(`end ${device}`)
          if (isEndLost) throw cutOff()
        },
      }
    },
  } as unknown as JobPlaces
  job = liveJob(record, places)
  await job.begin('server', 'it is faster')
  tell({ kind: 'state', state: 'running', ports: [] })
  await settle()
})
afterEach(() => job.dispose())

const liveJob = (asked: JobRecord, places: JobPlaces) =>
  new LiveJob(asked, {
    book: new JobBook(new MemoryKeyValueStore(), new MemoryKeyValueStore(), silentLogger),
    places,
    sockets: { listen: () => Promise.reject(new Error('no ports here')) },
    peers: {} as never,
    clock,
    random: systemRandom,
    log: silentLogger,
    ledger: {} as never,
    self: 'laptop',
    home: async () => '/home/ada',
    hereEnvironment: undefined,
    nameOf: (device) => device,
    expectedMs: undefined,
    learn: (_record, run) => learned.push(run),
    placeAnew: async () => ({ device: 'laptop', reason: '' }),
  })

const tell = (frame: Parameters<typeof encodeJobDown>[0]) => far.send(encodeJobDown(frame))
const ENDED: AttemptExit = { code: -1, signal: 'SIGTERM', ended: 'cancelled', cpuMs: 0 }

it('[JB60] a link that is cut while a job is moved does not end the job: told again, it ends there and begins here', async () => {
  isEndLost = true
  await job.move('laptop')
  far.close('link/cut')
  await settle()
  expect(job.info).toMatchObject({ state: 'waiting', waitingFor: expect.stringContaining('tried elsewhere') })
  isEndLost = false
  await job.handleLinked('server')
  tell({ kind: 'state', state: 'running', ports: [] })
  await settle()
  expect(asked).toEqual(['start server', 'end server', 'attach server', 'end server'])
  tell({ kind: 'exit', ...ENDED })
  await settle()
  expect(asked.at(-1)).toBe('start laptop')
  expect(job.info.attempts).toMatchObject([{ device: 'server', ended: 'moved' }, { device: 'laptop' }])
})

it('[JB60] nor when the link was cut after the order had come: its end is told when it is back', async () => {
  isEndLost = true
  await job.move('laptop')
  far.close('link/cut')
  await settle()
  await job.handleLinked('server')
  tell({ kind: 'exit', ...ENDED })
  await settle()
  expect(asked.at(-1)).toBe('start laptop')
  expect(job.info.state).toBe('starting')
})

it('[JB44][JB60] what was to be moved begins there once its lease is over, though it would else wait for its device', async () => {
  isEndLost = true
  await job.move('laptop')
  isAway = true
  far.close('link/cut')
  await settle()
  for (let ms = 0; ms <= ASKER_LEASE_MS; ms += 1_000) {
    expect(asked.at(-1)).toBe('end server')
    clock.advance(1_000)
    await settle()
  }
  clock.advance(2_000)
  await settle()
  expect(asked.at(-1)).toBe('start laptop')
  expect(job.info.attempts).toMatchObject([{ ended: 'lost' }, { device: 'laptop' }])
})

const waitOutLease = async () => {
  isAway = true
  far.close('link/cut')
  for (let ms = 0; ms <= ASKER_LEASE_MS + 5_000; ms += 1_000) {
    await settle()
    clock.advance(1_000)
  }
  await settle()
}

it.each([
  ['a device that is lost', 'server', 'laptop'],
  ['an engine that does not answer: it has no lease', 'engine:cluster', 'engine:cluster'],
])('[JB44] what may be tried again and was moved to %s, a lease later', async (_what, to, then) => {
  job.dispose()
  job = liveJob({ ...record, policy: { ...DEFAULT_POLICY, whenLost: 'again' } }, places)
  await job.begin('desktop', '')
  tell({ kind: 'state', state: 'running', ports: [] })
  await settle()
  await job.move(to)
  tell({ kind: 'exit', ...ENDED })
  await settle()
  await waitOutLease()
  expect(job.info.attempts.at(-1)?.device).toBe(then)
})

it('[JB44][JB60] what was to leave an engine that is away waits there, and leaves when it answers', async () => {
  await job.move('engine:cluster')
  tell({ kind: 'exit', ...ENDED })
  await settle()
  isEndLost = true
  await job.move('laptop')
  await waitOutLease()
  expect(job.info.state).toBe('waiting')
  expect(job.info.attempts.at(-1)?.device).toBe('engine:cluster')
  isAway = isEndLost = false
  clock.advance(6_000)
  await settle()
  tell({ kind: 'state', state: 'running', ports: [] })
  await settle()
  expect(asked.at(-1)).toBe('end engine:cluster')
  tell({ kind: 'exit', ...ENDED })
  await settle()
  expect(asked.at(-1)).toBe('start laptop')
})

it('[JB60] an order that was refused leaves it where it is, and can be given again', async () => {
  isAway = true // not told over a link at all
  await expect(job.move('laptop')).rejects.toMatchObject({ code: 'job/not-moved' })
  isAway = false
  await job.move('laptop')
  tell({ kind: 'exit', ...ENDED })
  await settle()
  expect(asked).toEqual(['start server', 'end server', 'start laptop'])
})

it('[JB102] a batch that listens is a service from then on, told once and learned at once, the rest at its end', async () => {
  tell({ kind: 'state', state: 'running', ports: [8_080] })
  await settle()
  expect(job.info).toMatchObject({ label: 'service', corrected: { was: 'batch', why: 'it listens on port 8080' } })
  expect(learned).toMatchObject([{ seen: { ports: [8_080] }, ended: undefined }])
  tell({ kind: 'state', state: 'running', ports: [] })
  await settle()
  expect(job.info.label).toBe('service')
  tell({ kind: 'exit', code: 0, cpuMs: 5, seen: { ports: [8_080], terminal: false, input: false, screen: false } })
  await settle()
  expect(learned.slice(1)).toEqual([
    {
      seen: { ports: [], terminal: false, input: false, screen: false },
      tookMs: 1,
      ended: 'well',
      files: undefined,
      cpuMs: 5,
      isMore: true,
    },
  ])
})

it('[JB100][JB102] one that listened and was ended by somebody has no more to tell', async () => {
  tell({ kind: 'state', state: 'running', ports: [8_080] })
  await settle()
  tell({ kind: 'exit', ...ENDED, seen: { ports: [8_080], terminal: false, input: false, screen: false } })
  await settle()
  expect(learned).toMatchObject([{ seen: { ports: [8_080] } }])
})

it('[JB100] one that was sent Ctrl-C did not end by itself, however well it ended', async () => {
  const seen = { ports: [80], terminal: false, input: false, screen: false }
  clock.advance(42_000)
  job.send({ kind: 'signal', signal: 'SIGINT' })
  tell({ kind: 'exit', code: 0, cpuMs: 5, seen })
  await settle()
  expect(job.info.state).toBe('done')
  expect(learned).toMatchObject([{ seen, ended: undefined, tookMs: undefined }])
})

it('[JB100] one that was only asked how far it is ended by itself', async () => {
  clock.advance(42_000)
  job.send({ kind: 'signal', signal: 'SIGUSR1' })
  tell({ kind: 'exit', code: 0, cpuMs: 5 })
  await settle()
  expect(learned).toMatchObject([{ ended: 'well', tookMs: 42_000 }])
})

it.each([
  ['it waits for a key', { waits: 'terminal' as const }, 'it reads a terminal'],
  ['it draws on the whole screen', { screen: true }, 'it draws on the whole screen'],
])('[JB102] a batch is interactive when %s', async (_what, shown, why) => {
  tell({ kind: 'state', state: 'running', ports: [], ...shown })
  await settle()
  expect(job.info).toMatchObject({ label: 'interactive', corrected: { was: 'batch', why } })
})

it('[JB100] what it did is learned when it ends by itself: how, how long, and what of; not when somebody ended it', async () => {
  clock.advance(42_000)
  tell({ kind: 'exit', code: 0, cpuMs: 40_000, seen: { ports: [], terminal: false, input: true, screen: false } })
  await settle()
  expect(learned).toEqual([
    { seen: { ports: [], terminal: false, input: true, screen: false }, tookMs: 42_000, ended: 'well', files: undefined, cpuMs: 40_000 },
  ])
})

it.each([
  ['it was cancelled', { code: -1, signal: 'SIGTERM', ended: 'cancelled' }],
  ['its program is not there', { code: 127 }],
  ['it could not be begun', { code: -1, error: { code: 'job/spawn-failed', message: '' } }],
])('[JB100] nothing is learned where %s', async (_what, exit) => {
  tell({ kind: 'exit', cpuMs: 0, ...exit })
  await settle()
  expect(learned).toEqual([])
})

it('[JB100] a job that was held still has no time to learn from', async () => {
  tell({ kind: 'state', state: 'paused', ports: [] })
  tell({ kind: 'state', state: 'running', ports: [] })
  tell({ kind: 'exit', code: 0, cpuMs: 5 })
  await settle()
  expect(learned).toMatchObject([{ ended: 'well', tookMs: undefined }])
})

it('[JB60] a viewer that waits for its input to be taken goes on when the job begins anew elsewhere', async () => {
  tell({ kind: 'input-taken', bytes: 0 })
  await settle()
  let told = 0
  const listening = job.onDidTakeInput(() => told++)
  for (let sent = 0; sent < INPUT_WINDOW_BYTES; sent += 65_536) job.send({ kind: 'input', bytes: new Uint8Array(65_536) })
  expect([job.inputRoom, told]).toEqual([0, 0])
  await job.move('laptop')
  tell({ kind: 'exit', ...ENDED })
  await settle()
  expect([job.inputRoom, told]).toEqual([INPUT_WINDOW_BYTES, 1])
  tell({ kind: 'input-taken', bytes: 0 })
  await settle()
  expect(told).toBe(2)
  listening.dispose()
})
