import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Clock, systemClock } from '../../base/clock.ts'
import { DeviceError } from '../device-error.ts'
import type { JobInfo } from '../../jobs/jobs-contract.ts'
import { DeviceWorld, PASSPHRASE, type WorldDevice } from '../../testkit/device-world.ts'
import { LONG_WAIT } from '../../testkit/paired-devices.ts'

/* A cluster that does as the test says. A real one: e2e/slurm.e2e.ts. */

/** Of a cluster without jobs, to whatever is asked. */
const CONDITION = {
  ...{ errors: [], jobs: [], nodes: [{ cpus: 4, idle_cpus: 4, state: 'idle' }] },
  ...{ pings: [{ ping: 'UP' }], meta: { Slurm: { release: '22.05.8' } } },
}

let world: DeviceWorld
let device: WorldDevice
let jobs: { job_id: number; name: string; job_state: string; exit_code: number }[]
let mood: 'well' | 'down' | 'nonsense' | 'loses answers' | 'is slow'
let submissions: number
let calls: number
/** Of those, how often all jobs were asked for. */
let looks: number
/** Taken, and not to be seen yet. */
let late: typeof jobs

/** Long waits are a sixth of what they are: what is waited for here answers within milliseconds, or not at all. */
const hurried: Clock = { ...systemClock, after: (ms, then) => systemClock.after(ms < 1_000 ? ms : ms / 6, then) }

beforeEach(async () => {
  world = new DeviceWorld(hurried)
  device = await world.install('laptop')
  await device.setUp()
  ;[jobs, mood, submissions, late, calls, looks] = [[], 'well', 0, [], 0, 0]
  const meta = { Slurm: { release: '22.05.8' } }
  device.engineCall = async ({ method, url }) => {
    calls++
    if (mood === 'down') throw new Error('connect ECONNREFUSED')
    if (mood === 'nonsense') return { status: 200, text: '<html>' }
    const path = url.slice(url.indexOf('/v0.0.38') + 8)
    if (path === '/jobs') looks++
    const say = (more: object) => ({ status: 200, text: JSON.stringify({ meta, errors: [], ...more }) })
    if (path === '/ping') return say({ pings: [{ ping: 'UP' }] })
    if (path === '/nodes') return say({ nodes: [{ cpus: 4, idle_cpus: 4, state: 'idle' }] })
    if (method === 'DELETE') {
      for (const one of jobs) if (path === `/job/${one.job_id}`) one.job_state = 'CANCELLED'
      return say({})
    }
    if (path !== '/job/submit') return say({ jobs: jobs.filter(({ job_id: id }) => path === '/jobs' || path === `/job/${id}`) })
    submissions++
    if (mood === 'is slow') {
      late.push({ job_id: 100, name: await attemptNow(), job_state: 'RUNNING', exit_code: 0 })
      return { status: 502, text: '<html>Bad Gateway' }
    }
    jobs.push({ job_id: 100 + jobs.length, name: await attemptNow(), job_state: 'PENDING', exit_code: 0 })
    if (mood === 'loses answers') throw new Error('socket hang up')
    return say({ job_id: jobs.at(-1)?.job_id })
  }
  await device
    .control()
    .addEngine({ name: 'gpu', kind: 'slurm', url: 'http://head:6820', user: 'ada', shared: '/home/test/shared', token: 'ey.x' })
})
afterEach(() => {
  expect(device.errors).toEqual([])
  world.dispose()
})

const known = async () => (await device.control().listJobs({}))[0] as JobInfo
const attemptNow = async () => (await known()).attempts.at(-1)?.attempt as string
const start = (folder = '/home/test/shared/p') =>
  device
    .control()
    .startJob({ commandLine: 'sort words', folder, input: false, policy: { where: { device: 'engine:gpu' }, whenLost: 'again' } })
const becomes = (expected: object) => vi.waitFor(async () => expect(await known()).toMatchObject(expected), LONG_WAIT)
const first = () => jobs[0] as (typeof jobs)[number]

it('[EN3][EN6] queued, running and ended as the engine says; a restart of the device finds it by its name', async () => {
  await start()
  await becomes({ state: 'starting', device: 'engine:gpu' })
  first().job_state = 'RUNNING'
  await becomes({ state: 'running' })
  device.stop()
  await device.start()
  await device.control().unlockDevice({ passphrase: PASSPHRASE })
  await becomes({ state: 'running' })
  Object.assign(first(), { job_state: 'FAILED', exit_code: 2 * 256 })
  await becomes({ state: 'failed', exit: { code: 2 } })
  expect({ submissions, attempts: (await known()).attempts.length }).toEqual({ submissions: 1, attempts: 1 })
})

it.each(['down', 'nonsense'] as const)(
  '[EN2][EN6] %s: the job is shown as waiting for it, begun nowhere else, and followed again',
  async (how) => {
    await start()
    first().job_state = 'RUNNING'
    await becomes({ state: 'running' })
    mood = how
    await becomes({ state: 'waiting', waitingFor: expect.stringContaining('gpu does not answer') })
    expect(await device.control().listEngines({ ask: true })).toMatchObject([{ name: 'gpu', state: 'away' }])
    mood = 'well'
    first().job_state = 'COMPLETED'
    await becomes({ state: 'done' })
    expect(submissions).toBe(1)
    expect(device.jobSpawner.processes).toEqual([])
  },
)

it('[EN3] a submission whose answer is lost is found by its name, and not sent again', async () => {
  mood = 'loses answers'
  await start()
  mood = 'well'
  first().job_state = 'RUNNING'
  await becomes({ state: 'running' })
  expect(submissions).toBe(1)
})

it('[EN3][EN4] one that may have been taken is waited for, and not said to be lost; an order to end it is kept until it is seen', async () => {
  mood = 'is slow'
  await start()
  mood = 'well'
  const from = looks
  await vi.waitFor(() => expect(looks - from).toBeGreaterThanOrEqual(3), LONG_WAIT) // each time it is not to be seen
  expect(await known()).toMatchObject({ state: 'waiting' })
  jobs = late
  await becomes({ state: 'running' })
  first().job_state = 'COMPLETED'
  await becomes({ state: 'done' })

  ;[jobs, late, mood] = [[], [], 'is slow']
  await start()
  mood = 'well'
  await device.control().cancelJob({ job: (await known()).job })
  jobs = late
  await vi.waitFor(() => expect(first().job_state).toBe('CANCELLED'), LONG_WAIT)
  expect(submissions).toBe(2)
})

it('[EN4] an order to end it that could not be given is given when it answers, also after a restart', async () => {
  await start()
  first().job_state = 'RUNNING'
  await becomes({ state: 'running' })
  mood = 'down'
  await device.control().cancelJob({ job: (await known()).job })
  await becomes({ state: 'cancelled' })
  device.stop()
  await device.start()
  await device.control().unlockDevice({ passphrase: PASSPHRASE })
  mood = 'well'
  await vi.waitFor(() => expect(first().job_state).toBe('CANCELLED'), LONG_WAIT)
})

it('[EN6] one that the engine has forgotten, and whose script wrote nothing down, is said to be lost', async () => {
  await start()
  first().job_state = 'RUNNING'
  await becomes({ state: 'running' })
  jobs = []
  await becomes({ state: 'failed', error: { code: 'job/lost' } })
  expect((await known()).attempts.length).toBe(1)
})

it.each(['is followed', 'is found after a restart', 'is known there by another end'])(
  '[EN6] what its script wrote down counts also when it cannot be read at first: the job %s',
  async (how) => {
    await start()
    first().job_state = 'RUNNING'
    await becomes({ state: 'running' })
    const exit = `/home/test/shared/.elsewhere-jobs/${await attemptNow()}.exit`
    device.disk.files.set(exit, { bytes: new TextEncoder().encode('3\n'), version: 1 })
    const readPiece = device.disk.readPiece.bind(device.disk)
    let left = 2
    device.disk.readPiece = async (path, ...rest) => {
      if (path === exit && left-- > 0) throw new DeviceError('device/process-away', 'the files process has just ended')
      return readPiece(path, ...rest)
    }
    if (how === 'is found after a restart') device.stop()
    if (how === 'is known there by another end') first().job_state = 'COMPLETED'
    else jobs = []
    if (how === 'is found after a restart') {
      await device.start()
      await device.control().unlockDevice({ passphrase: PASSPHRASE })
    }
    await becomes({ state: 'failed', exit: { code: 3 } })
    expect(left).toBeLessThan(0)
  },
)

it('[EN1][EN5] placement says why it takes it or not; its token is never told', async () => {
  const explain = async (folder: string, commandLine = 'sort words') =>
    (await device.control().explainPlacement({ commandLine, folder })).table.find((row) => row.device === 'engine:gpu')
  expect(await explain('/home/test/shared/p')).toMatchObject({
    name: 'gpu',
    outcome: 'possible',
    why: 'has the data, idle, 4 cores',
    cost: { startMs: 1_000 },
  })
  expect(await explain('/home/test')).toMatchObject({ outcome: 'no', why: 'sees only /home/test/shared' })
  expect(await explain('/home/test/shared', 'npx vite')).toMatchObject({ outcome: 'no', why: 'takes only what ends by itself' })
  await expect(start('/home/test/elsewhere')).rejects.toMatchObject({ code: 'job/not-placed' })
  mood = 'down'
  await device.control().listEngines({ ask: true }) // what it said a moment ago counts for a start
  expect(await explain('/home/test/shared')).toMatchObject({ outcome: 'no', why: expect.stringContaining('does not answer') })
  expect(JSON.stringify(await device.control().listEngines({ ask: true }))).not.toContain('ey.x')
  const bad = { name: 'b', kind: 'slurm', user: 'ada', shared: '/home/test/shared', token: 'x' } as const
  const odd = { ...bad, url: 'http://head', shared: '/home/test/a%j' }
  await expect(device.control().addEngine(odd)).rejects.toMatchObject({ code: 'engine/bad-folder' })
  await expect(device.control().addEngine({ ...bad, url: 'ftp://head' })).rejects.toMatchObject({ code: 'engine/bad-address' })
  await expect(device.control().addEngine({ ...bad, url: 'http://head/x?token=1' })).rejects.toMatchObject({ code: 'engine/bad-address' })
  await expect(device.control().addEngine({ ...bad, url: 'http://head' })).rejects.toMatchObject({ code: 'engine/unreachable' })
  expect(await device.control().listEngines({ ask: false })).toMatchObject([{ name: 'gpu', state: 'away' }])
  mood = 'well'
  await device.control().lockDevice({})
  await device.control().unlockDevice({ passphrase: PASSPHRASE })
  const before = calls
  const unasked = { name: 'gpu', state: 'unasked', why: 'not asked yet' }
  expect(await device.control().listEngines({ ask: false })).toMatchObject([unasked])
  expect(calls).toBe(before)
  expect(await device.control().listEngines({ ask: true })).toMatchObject([{ name: 'gpu', state: 'ready', cores: 4 }])
  expect(await device.control().listEngines({ ask: false })).toMatchObject([{ name: 'gpu', state: 'ready', cores: 4 }])
  await device.control().removeEngine({ name: 'gpu' })
  await expect(device.control().removeEngine({ name: 'gpu' })).rejects.toMatchObject({ code: 'engine/unknown' })
})

it('[EN13] another cluster by that name: what runs is followed where it was sent, with its output where it was told to be', async () => {
  await start()
  first().job_state = 'RUNNING'
  await becomes({ state: 'running' })
  const exit = `/home/test/shared/.elsewhere-jobs/${await attemptNow()}.exit`
  const atHead = device.engineCall
  const told: string[] = []
  device.engineCall = async (request, signal) => {
    if (!request.url.startsWith('http://other')) return atHead(request, signal)
    told.push(`${request.method} ${request.url}`)
    const text = JSON.stringify({ ...CONDITION, jobs: [] })
    return { status: 200, text }
  }
  const other = { name: 'gpu', kind: 'slurm', url: 'http://other:6820', user: 'ada', shared: '/home/test/disk', token: 'ey.y' } as const
  await device.control().addEngine(other)
  device.stop()
  await device.start()
  await device.control().unlockDevice({ passphrase: PASSPHRASE })
  await becomes({ state: 'running' })
  expect(await device.control().listEngines({ ask: false })).toMatchObject([{ url: 'http://other:6820', jobs: 1 }])
  device.disk.files.set(exit, { bytes: new TextEncoder().encode('7\n'), version: 1 })
  first().job_state = 'FAILED'
  await becomes({ state: 'failed', exit: { code: 7 } })
  expect(told.filter((line) => !line.startsWith('GET'))).toEqual([])
  expect(submissions).toBe(1)
})

it('[EN13] a cluster with jobs is removed only by force; then they wait by code', async () => {
  await start()
  first().job_state = 'RUNNING'
  await becomes({ state: 'running' })
  await expect(device.control().removeEngine({ name: 'gpu' })).rejects.toMatchObject({ code: 'engine/in-use' })
  await device.control().removeEngine({ name: 'gpu', force: true })
  await becomes({ state: 'waiting', waitingFor: expect.stringMatching(/^\[engine\/unknown\].*--kind slurm --url http:\/\/head:6820/) })
})
