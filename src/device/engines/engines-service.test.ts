import { expect, it, vi } from 'vitest'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { type Logger, silentLogger } from '../../base/logger.ts'
import { EngineBook } from '../../jobs/engines/engine-book.ts'
import { EnginePlaces } from '../../jobs/engines/engine-places.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { EnginesService, type EnginesServiceOptions } from './engines-service.ts'
import type { OpenDesk } from '../desk/open-desk.ts'

const RECORD = { format: 1, name: 'gpu', kind: 'slurm', url: 'http://head:6820', user: 'ada', shared: '/home/ada', token: 'ey.x' } as const

const asked = (folder: string) => ({ commandLine: 'sort words', folder, label: 'batch', folderBytes: Promise.resolve(undefined) }) as const

/** Of a cluster without jobs, to whatever is asked. */
const CONDITION = {
  ...{ errors: [], jobs: [], nodes: [{ cpus: 4, idle_cpus: 4, state: 'idle' }] },
  ...{ pings: [{ ping: 'UP' }], meta: { Slurm: { release: '22.05.8' } } },
}

function serviceWith(values = new MemoryKeyValueStore()) {
  const clock = new ManualClock()
  const warnings: object[] = []
  const log: Logger = { ...silentLogger, warn: (message, details) => void warnings.push({ message, ...details }) }
  const desk = { values, context: { signer: { device: 'me' } } } as unknown as OpenDesk
  const cluster = { isUp: false, calls: 0 }
  const call: EnginesServiceOptions['call'] = async () => {
    cluster.calls++
    if (!cluster.isUp) throw new Error('connect ECONNREFUSED')
    return { status: 200, text: JSON.stringify(CONDITION) }
  }
  const open = () => {
    const options = {
      clock,
      call,
      log,
      streams: { open: () => undefined, download: () => undefined },
      desk: () => desk,
    } as unknown as EnginesServiceOptions
    const service = new EnginesService(options)
    service.follow(desk)
    return service
  }
  const quiet = () => new Promise((resolve) => setTimeout(resolve))
  return { values, clock, cluster, open, quiet, warnings }
}

it('[EN4] no timer runs but while an order waits; it is given when the engine answers, also after the desk was closed', async () => {
  const { values, clock, cluster, open, quiet } = serviceWith()
  new EngineBook(values).put(RECORD)
  const service = open()
  expect(clock.pendingTimers).toBe(0)
  await expect(service.placeAt('engine:gpu').end('a1')).rejects.toMatchObject({ code: 'engine/unreachable' })
  expect(clock.pendingTimers).toBe(1)
  clock.advance(5_000)
  await quiet()
  expect({ calls: cluster.calls, timers: clock.pendingTimers }).toEqual({ calls: 2, timers: 1 })
  service.close()
  expect(clock.pendingTimers).toBe(0)
  const again = open()
  expect(clock.pendingTimers).toBe(1)
  cluster.isUp = true
  clock.advance(5_000)
  await quiet()
  expect({ calls: cluster.calls, timers: clock.pendingTimers, left: values.entries('engine-ends') }).toEqual({
    ...{ calls: 3, timers: 0, left: [] },
  })
  again.dispose()
})

it('[EN1] the store is read for engines once for each open desk, not at each placement', async () => {
  const { values, open } = serviceWith()
  new EngineBook(values).put(RECORD)
  const service = open()
  const reading = vi.spyOn(values, 'entries')
  for (let n = 0; n < 20; n++) expect((await service.candidates(undefined, asked('/tmp')))[0]?.name).toBe('gpu')
  expect(reading.mock.calls.filter(([space]) => space === 'engines').length).toBe(1)
})

it('[EN5] that it was away a moment ago counts where it would only suit, and not for who names it', async () => {
  const { values, cluster, open } = serviceWith()
  new EngineBook(values).put(RECORD)
  const service = open()
  const limit = async (only?: string) => {
    const before = cluster.calls
    const [row] = await service.candidates(only, asked('/home/ada/p'))
    return { limit: row?.limit, asked: cluster.calls > before }
  }
  const away = expect.stringContaining('does not answer') as string
  expect(await limit()).toEqual({ limit: away, asked: true })
  cluster.isUp = true
  expect(await limit()).toEqual({ limit: away, asked: false })
  expect(await limit('engine:gpu')).toEqual({ limit: undefined, asked: true })
  expect(await limit()).toEqual({ limit: undefined, asked: false })
})

it('[EN4] an end that cannot be ordered is logged, and ordered again after twice as long each time, five minutes at most', async () => {
  const { values, clock, cluster, open, quiet, warnings } = serviceWith()
  new EngineBook(values).put(RECORD)
  const service = open()
  await expect(service.placeAt('engine:gpu').end('a1')).rejects.toMatchObject({ code: 'engine/unreachable' })
  const waited: number[] = []
  for (let n = 0; n < 9; n++) {
    const before = cluster.calls
    let ms = 0
    for (; cluster.calls === before && ms < 400_000; ms += 1_000) {
      clock.advance(1_000)
      await quiet()
    }
    waited.push(ms)
  }
  expect(waited).toEqual([5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000])
  expect(warnings).toHaveLength(9)
  expect(warnings[0]).toMatchObject({ attempt: 'a1', code: 'engine/unreachable', why: expect.stringContaining('ECONNREFUSED') as string })
  service.dispose()
})

it('[EN4][EN13] what waits for an engine that is not here runs no timer, and is ordered once it is added', async () => {
  const { values, clock, cluster, open, quiet } = serviceWith()
  const book = new EngineBook(values)
  book.put(RECORD)
  const place = { format: 1, kind: 'slurm', url: RECORD.url, name: 'gpu', atMs: clock.nowMs(), service: false } as const
  new EnginePlaces(values).put('a1', place)
  book.remove('gpu')
  const service = open()
  await expect(service.placeAt('engine:gpu').end('a1')).rejects.toMatchObject({ code: 'engine/unknown' })
  expect({ timers: clock.pendingTimers, left: values.entries('engine-ends').length }).toEqual({ timers: 0, left: 1 })
  service.close()
  new EngineBook(values).put({ ...RECORD, name: 'again' })
  cluster.isUp = true
  const again = open()
  clock.advance(5_000)
  await quiet()
  expect([values.entries('engine-ends'), values.entries('engine-places')]).toEqual([[], []])
  again.dispose()
})
