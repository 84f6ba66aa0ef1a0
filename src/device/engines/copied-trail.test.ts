import { expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { silentLogger } from '../../base/logger.ts'
import { type CopyEngine, EngineError, type EngineOutput, type EngineResults } from '../../jobs/engines/engine.ts'
import type { FolderCopy } from '../../jobs/engines/folder-copy.ts'
import { JobError } from '../../jobs/job-error.ts'
import { itemsOf, piecesOf } from '../../testkit/stored-bytes.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { CopiedTrail, type FollowedRun } from './copied-trail.ts'

const ENDED = { id: 'j-1', run: 'e-1', state: 'ended', code: 3 } as const
const OUTPUTS = { out: utf8('MARKone two'), err: utf8('bad') }
const RESULTS: EngineResults = {
  leftOut: 2,
  bytesOf: (stream) => OUTPUTS[stream].length,
  output: (stream) => piecesOf(OUTPUTS[stream], 3),
  files: () => itemsOf([]),
  dispose: async () => undefined,
}

/** One that follows a job whose engine answers as told; what it keeps outlives it. */
class Follower {
  readonly clock = new ManualClock()
  kept: FollowedRun | undefined
  text = ''
  fetches = 0
  log: readonly EngineOutput[] | undefined
  results: () => Promise<EngineResults> = () => Promise.resolve(RESULTS)
  putBack: () => Promise<void> = () => Promise.resolve()
  #trail: CopiedTrail | undefined

  trail(): CopiedTrail {
    const log = () => this.log
    const engine = {
      output: async function* () {
        const told = log()
        if (!told) throw new EngineError('engine/refused', 'no such container')
        yield* told
      },
      results: () => {
        this.fetches++
        return this.results()
      },
    } as unknown as CopyEngine
    const decoder = new TextDecoder()
    const offset = () => this.text.length
    const sink = {
      ...{ isClosed: false, sayFinishing: () => undefined },
      get offset() {
        return offset()
      },
      put: async (_: string, at: number, bytes: Uint8Array) =>
        void (this.text += decoder.decode(bytes.subarray(Math.max(0, offset() - at)))),
    }
    const options = {
      ...{ name: 'net', engine, clock: this.clock, log: silentLogger, sent: [], mark: 'MARK', hasLog: true },
      followed: { get: () => this.kept, set: (run: FollowedRun) => void (this.kept = run) },
      openFolder: async () => ({ putBack: () => this.putBack(), dispose: () => undefined }) as unknown as FolderCopy,
    }
    this.#trail?.dispose()
    return (this.#trail = new CopiedTrail(options, sink))
  }

  /** Time goes on until that has come of it. */
  async over<T>(work: Promise<T>): Promise<T | { readonly thrown: unknown }> {
    const now = { isOver: false }
    const settled = work.catch((thrown: unknown) => ({ thrown })).finally(() => (now.isOver = true))
    while (!now.isOver) {
      for (let turns = 0; turns < 20; turns++) await Promise.resolve()
      this.clock.advance(500)
    }
    return settled
  }

  /** Followed anew after each failure, as a device does. */
  async untilExit(most: number) {
    for (let n = 0; n < most; n++) {
      const exit = await this.over(this.trail().exitOf(ENDED))
      if (exit && 'code' in exit) return exit
    }
    return undefined
  }
}

it('[EN9] results whose place is away for good are fetched so often and no more, over ten minutes; then the exit code is said', async () => {
  const follower = new Follower()
  follower.results = () => Promise.reject(new EngineError('engine/unreachable', 'no answer'))
  const beganMs = follower.clock.nowMs()
  expect(await follower.untilExit(100)).toMatchObject({
    code: 3,
    error: { code: 'engine/results-lost', message: expect.stringMatching(/ended with 3.*no answer/) },
  })
  expect(follower.fetches).toBe(16)
  expect(follower.clock.nowMs() - beganMs).toBeGreaterThan(600_000)
})

it('[EN9] what the folder does not take is tried five times; while the disk is full, longer', async () => {
  for (const [code, fetches] of [
    ['job/transfer-failed', 5],
    ['job/disk-full', 16],
  ] as const) {
    const follower = new Follower()
    follower.putBack = () => Promise.reject(new JobError(code, 'no'))
    expect(await follower.untilExit(100)).toMatchObject({ error: { code: 'engine/results-lost' } })
    expect(follower.fetches, code).toBe(fetches)
    expect(follower.text.match(/left out/g), code).toHaveLength(1)
  }
})

it.each([
  ['gone', undefined],
  ['cut short', [{ stream: 'out', text: 'MARKone' }]],
  [
    'whole',
    [
      { stream: 'out', text: 'MARKone two' },
      { stream: 'err', text: 'bad' },
    ],
  ],
] as const)('[EN10] its log is %s: the rest of both outputs is that of its results, once, also when they come late', async (_, log) => {
  const follower = new Follower()
  follower.log = log
  follower.putBack = () => (follower.fetches < 3 ? Promise.reject(new JobError('job/disk-full', 'full')) : Promise.resolve())
  expect(await follower.untilExit(10)).toEqual({ code: 3, cpuMs: 0 })
  expect(follower.text).toBe('one twobad[left out of its results: 2, links or devices]\n')
})

it('[EN10] what was read of a log that is gone later is known after a restart', async () => {
  const follower = new Follower()
  follower.log = [
    { stream: 'out', text: 'MARKone' },
    { stream: 'err', text: 'ba' },
  ]
  const trail = follower.trail()
  await trail.read({ id: 'j-1', run: 'e-1', state: 'running' })
  for (let turns = 0; turns < 40; turns++) await Promise.resolve()
  follower.log = undefined
  expect(await follower.untilExit(1)).toMatchObject({ code: 3 })
  expect(follower.text).toBe('oneba twod[left out of its results: 2, links or devices]\n')
})

it('[EN9] closed, it puts nothing into a folder any more, and asks no more', async () => {
  const follower = new Follower()
  let isPut = false
  follower.putBack = async () => void (isPut = true)
  follower.results = async () => {
    trail.dispose()
    return RESULTS
  }
  const trail = follower.trail()
  expect(await follower.over(trail.exitOf(ENDED))).toMatchObject({ thrown: { name: 'AbortError' } })
  expect({ isPut, missed: follower.kept?.missed }).toEqual({ isPut: false, missed: undefined })
})

it('[EN4] given up while it waits to fetch again it has ended, as cancelled', async () => {
  const follower = new Follower()
  follower.results = () => Promise.reject(new EngineError('engine/unreachable', 'no answer'))
  await follower.over(follower.trail().exitOf(ENDED))
  const trail = follower.trail()
  const exit = trail.exitOf(ENDED)
  for (let turns = 0; turns < 40; turns++) await Promise.resolve()
  trail.giveUp()
  expect(await follower.over(exit)).toEqual({ code: 3, cpuMs: 0, ended: 'cancelled' })
  expect(follower.fetches).toBe(1)
})
