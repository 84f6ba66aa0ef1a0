import { afterEach, beforeEach, expect, it } from 'vitest'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { silentLogger } from '../../base/logger.ts'
import type { AttemptRequest } from '../../jobs/attempt-contract.ts'
import { decodeJobUp, encodeJobDown, type JobUpFrame } from '../../jobs/job-frames-contract.ts'
import { ASKER_LEASE_MS } from '../../jobs/lease.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { memoryChannelPair } from '../../testkit/memory-channels.ts'
import { AttemptRun } from './attempt-run.ts'

const REQUEST = { attempt: '2'.repeat(16), folder: '/f' } as AttemptRequest
let clock: ManualClock
let run: AttemptRun
let far: ByteChannel
let heard: JobUpFrame[]
let isAnswerLost: boolean
let isUnreachable: boolean
/** How long the executor takes to answer. */
let answersAfterMs: number
const settle = async () => {
  for (let turns = 0; turns < 20; turns++) await Promise.resolve()
}
const open = async (): Promise<ByteChannel> => {
  if (isAnswerLost) throw Object.assign(new Error('cut'), { code: 'rpc/closed' })
  if (answersAfterMs > 0) await new Promise<void>((resolve) => void clock.after(answersAfterMs, resolve))
  const [near, other] = memoryChannelPair()
  far = other
  far.onDidReceive((message) => heard.push(decodeJobUp(message) as JobUpFrame))
  return near
}
const input = () => heard.flatMap((frame) => (frame.kind === 'input' ? [fromUtf8(frame.bytes)] : [])).join('')

beforeEach(() => {
  clock = new ManualClock()
  heard = []
  isAnswerLost = false
  isUnreachable = false
  answersAfterMs = 0
  run = new AttemptRun({
    request: REQUEST,
    place: () => {
      if (isUnreachable) throw Object.assign(new Error('not linked'), { code: 'job/device-away' })
      return { start: open, attach: open, end: async () => undefined, openShell: () => Promise.reject(new Error('no shells here')) }
    },
    clock,
    log: silentLogger,
    take: () => undefined,
    keep: () => 0,
    from: () => 0,
  })
})
afterEach(() => run.dispose())

it('[JB43] input goes on where the executor has it, also over a cut in the middle, and its end comes after it', async () => {
  await run.start(REQUEST)
  run.send({ kind: 'input', bytes: utf8('before ') })
  await settle()
  expect(input()).toBe('') // it has not said yet where input goes on
  far.send(encodeJobDown({ kind: 'input-taken', bytes: 0 }))
  await settle()
  run.send({ kind: 'input', bytes: utf8('lost on the way ') })
  far.close('link/cut')
  await settle()
  run.send({ kind: 'input', bytes: utf8('while away') })
  run.send({ kind: 'input-end' })
  heard = []
  await run.attach()
  far.send(encodeJobDown({ kind: 'input-taken', bytes: 'before '.length }))
  await settle()
  expect(input()).toBe('lost on the way while away')
  expect(heard.at(-1)).toEqual({ kind: 'input-end' })
})

it('[JB44] the lease is counted from before an attach is asked for: its answer may be lost after the executor has renewed', async () => {
  const news: string[] = []
  run.onDidHear(({ kind }) => news.push(kind))
  await run.start(REQUEST)
  isAnswerLost = true
  far.close('link/cut')
  await settle()
  expect(news).toEqual(['away'])
  // It is asked for every few seconds, and each question may have been heard: none of that time counts.
  for (let ms = 0; ms < ASKER_LEASE_MS * 2; ms += 1_000) {
    clock.advance(1_000)
    await settle()
  }
  expect(news).toEqual(['away'])
  isUnreachable = true
  for (let ms = 0; ms < ASKER_LEASE_MS + 2_000; ms += 1_000) {
    clock.advance(1_000)
    await settle()
  }
  expect(news).toEqual(['away', 'lease-over'])
})

it('[JB44] nor is it counted from before the executor has attached: what it counts begins there', async () => {
  const news: string[] = []
  run.onDidHear(({ kind }) => news.push(kind))
  answersAfterMs = 60_000 // a large folder, say
  const started = run.start(REQUEST)
  clock.advance(answersAfterMs)
  await started
  isUnreachable = true
  far.close('link/cut')
  await settle()
  for (let ms = 1_000; ms < ASKER_LEASE_MS; ms += 1_000) {
    clock.advance(1_000)
    await settle()
  }
  expect(news).toEqual(['away'])
  clock.advance(2_000)
  await settle()
  expect(news).toEqual(['away', 'lease-over'])
})

it('[JB43] of signals sent while its device is away, the newest reaches it when it is back', async () => {
  await run.start(REQUEST)
  far.close('link/cut')
  await settle()
  run.send({ kind: 'signal', signal: 'SIGINT' })
  run.send({ kind: 'signal', signal: 'SIGTERM' })
  heard = []
  await run.attach()
  await settle()
  expect(heard.filter(({ kind }) => kind === 'signal')).toEqual([{ kind: 'signal', signal: 'SIGTERM' }])
})
