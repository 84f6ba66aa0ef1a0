import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { silentLogger } from '../base/logger.ts'
import { JobBook } from './job-book.ts'
import { JobOutputBook } from './job-output-book.ts'
import { decodeJobRecord, encodeJobRecord, type JobRecord } from './job-record.ts'
import { MAX_JOBS } from './jobs-contract.ts'

const golden = readFileSync(new URL('./golden/job-record-1.json', import.meta.url), 'utf8').trim()
const record = decodeJobRecord(utf8(golden)) as JobRecord

it('[JB50] a record of version 1 is read and written for ever as it was', () => {
  expect(record.info.job).toBe('8mVJCrUQCQkqK5kXmxuL7m')
  expect(JSON.parse(new TextDecoder().decode(encodeJobRecord(record)))).toEqual(JSON.parse(golden))
  expect(decodeJobRecord(utf8(golden.replace('"format":1', '"format":2')))).toBeUndefined()
  expect(decodeJobRecord(utf8(golden.slice(0, 100)))).toBeUndefined()
})

it('[JB40][JB50] the oldest that is over makes room; one that cannot be read is left out, the others are there', () => {
  const store = new MemoryKeyValueStore()
  const book = new JobBook(store, new MemoryKeyValueStore(), silentLogger)
  const named = (n: number, state: JobRecord['info']['state'] = 'done'): JobRecord => ({
    ...record,
    info: { ...record.info, job: `8mVJCrUQCQkqK5kXmxu${String(n).padStart(4, '1').replaceAll('0', '9')}`, askedAtMs: n, state },
  })
  const jobs = Array.from({ length: MAX_JOBS }, (_, n) => named(n + 1111, n === 0 ? 'running' : 'done'))
  for (const job of jobs) book.put(job)
  const kept = new Set(jobs.map(({ info }) => info.job))
  expect(book.all.length).toBe(kept.size)
  for (let n = 0; book.all.length < MAX_JOBS; n++) book.put(named(7111 + n))
  book.put(named(9111))
  expect(book.all.length).toBe(MAX_JOBS)
  expect(book.all[0]?.info.askedAtMs).toBe(9111)
  expect(book.all.some(({ info }) => info.state === 'running')).toBe(true) // it is the oldest of all, and runs
  store.put('jobs', 'damaged', utf8('{'))
  expect(new JobBook(store, new MemoryKeyValueStore(), silentLogger).all.length).toBe(MAX_JOBS)
})

it('[JB50] output that was kept beside the records, before it had a store of its own, is read and forgotten there', () => {
  const [store, outputs] = [new MemoryKeyValueStore(), new MemoryKeyValueStore()]
  const { job } = record.info
  new JobBook(store, outputs, silentLogger).put(record)
  const old = new JobOutputBook(store, job)
  old.append({ stream: 'out', offset: 0, bytes: utf8('from before') })
  old.flush()
  const book = new JobBook(store, outputs, silentLogger)
  expect(new TextDecoder().decode(book.output(job).read(0)[0]?.bytes)).toBe('from before')
  const later = { ...record, info: { ...record.info, job: '8mVJCrUQCQkqK5kXmxu2222' } }
  book.put(later)
  book.output(later.info.job).append({ stream: 'out', offset: 0, bytes: utf8('new') })
  book.output(later.info.job).flush()
  expect([store.entries('job-output').length, outputs.entries('job-output').length]).toEqual([1, 1])
  book.forget(job)
  book.forget(later.info.job)
  expect([store.entries('job-output').length, outputs.entries('job-output').length]).toEqual([0, 0])
})
