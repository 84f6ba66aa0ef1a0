import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { silentLogger } from '../../base/logger.ts'
import { decodeJobRecord, encodeJobRecord, type JobRecord } from '../../jobs/job-record.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { BacalhauKind, type BacalhauKindOptions } from './bacalhau-kind.ts'
import type { EngineSink } from './engine-attempt.ts'

const golden = decodeJobRecord(
  utf8(readFileSync(new URL('../../jobs/golden/job-record-1.json', import.meta.url), 'utf8').trim()),
) as JobRecord
const RECORD = { format: 1, name: 'net', kind: 'bacalhau', url: 'http://net:1234', token: '' } as const
/** As ids of attempts and jobs look. */
const idOf = (n: number) =>
  `8mVJCrUQCQkqK5kXmxuLa${'abcdefghijkmnopqrstuvwxyz'[n % 25]}`.replace('xuL', `x${'ABCDEFGH'[Math.floor(n / 25)]}L`)
const sink = { offset: 0, isClosed: false, sayFinishing: () => undefined, put: async () => undefined } as EngineSink

it('[EN6] what is kept of jobs that run makes no room for others, whatever the clock shows; what is over does, and what is forgotten', async () => {
  const values = new MemoryKeyValueStore()
  const clock = new ManualClock()
  const streams = { open: async function* () {} }
  const kind = new BacalhauKind(RECORD, { clock, streams, log: silentLogger, values: () => values } as unknown as BacalhauKindOptions)
  const [first] = golden.info.attempts
  const run = async (n: number, state: 'running' | 'done') => {
    const attempt = idOf(n)
    const info = { ...golden.info, job: attempt, state, attempts: [{ ...first, attempt, endedAtMs: undefined }] }
    values.put('jobs', info.job, encodeJobRecord({ ...golden, info } as JobRecord))
    const trail = kind.trail({ attempt, folder: '/p' }, sink)
    await trail.read({ id: 'j', run: 'e', state: 'running' })
    trail.dispose()
  }
  for (let n = 0; n < 70; n++) await run(n, 'running')
  const kept = () => values.entries('engine-copies').map(([name]) => name)
  expect(kept()).toHaveLength(70)
  clock.sleepThrough(-900_000)
  await run(70, 'running')
  for (let n = 71; n < 76; n++) await run(n, 'done')
  expect(kept().toSorted()).toEqual([...Array.from({ length: 71 }, (_, n) => idOf(n)), idOf(75)].toSorted())
  kind.forget(idOf(3))
  expect(kept()).not.toContain(idOf(3))
})
