import { afterEach, beforeEach, expect, it } from 'vitest'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { silentLogger } from '../base/logger.ts'
import { systemRandom } from '../base/random.ts'
import { JobBook } from '../jobs/job-book.ts'
import { DEFAULT_POLICY } from '../jobs/job-contract.ts'
import { type AttemptExit, encodeJobDown } from '../jobs/job-frames-contract.ts'
import type { JobRecord } from '../jobs/job-record.ts'
import { ASKER_LEASE_MS } from '../jobs/lease.ts'
import type { ByteChannel } from '../rpc/channel.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { memoryChannelPair } from '../testkit/memory-channels.ts'
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
  const open = async (what: string) => {
    asked.push(what)
    const [near, other] = memoryChannelPair()
    far = other
    return near
  }
  const places = {
    at(device: string) {
      if (isAway && device === 'server') throw Object.assign(new Error('not linked'), { code: 'job/device-away' })
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
  job = new LiveJob(record, {
    book: new JobBook(new MemoryKeyValueStore(), silentLogger),
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
    placeAnew: async () => undefined,
  })
  await job.begin('server', 'it is faster')
  tell({ kind: 'state', state: 'running', ports: [] })
  await settle()
})
afterEach(() => job.dispose())

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

it('[JB60] an order that was refused leaves it where it is, and can be given again', async () => {
  isAway = true // not told over a link at all
  await expect(job.move('laptop')).rejects.toMatchObject({ code: 'job/not-moved' })
  isAway = false
  await job.move('laptop')
  tell({ kind: 'exit', ...ENDED })
  await settle()
  expect(asked).toEqual(['start server', 'end server', 'start laptop'])
})
