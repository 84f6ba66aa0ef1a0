import { expect, it } from 'vitest'
import { Emitter } from '../../../base/emitter.ts'
import { encodeJobDown, type JobDownFrame } from '../../../jobs/job-frames-contract.ts'
import type { JobInfo } from '../../../jobs/jobs-contract.ts'
import type { ByteChannel } from '../../../rpc/channel.ts'
import { JobOutput, type JobOutputCalls } from './job-output.ts'

function setup() {
  const received = new Emitter<Uint8Array>()
  const closed = new Emitter<{ reason: string }>()
  const paused: boolean[] = []
  const asked: (number | undefined)[] = []
  const channel = {
    id: 7,
    onDidReceive: received.event,
    onDidClose: closed.event,
    setPaused: (to: boolean) => paused.push(to),
    dispose: () => {},
  } as unknown as ByteChannel
  const calls: JobOutputCalls = {
    openJobOutput: async ({ from }) => {
      asked.push(from)
      return { channel: 7, info: {} as JobInfo }
    },
    channel: () => channel,
  }
  const shown: string[] = []
  const waiting: (() => void)[] = []
  const sink = {
    write(data: string | Uint8Array, done: () => void) {
      shown.push(typeof data === 'string' ? data : new TextDecoder().decode(data))
      waiting.push(done)
    },
  }
  const say = (frame: JobDownFrame) => received.fire(encodeJobDown(frame))
  const out = (offset: number, text: string, stream: 'out' | 'err' = 'out') =>
    say({ kind: 'output', stream, offset, bytes: new TextEncoder().encode(text) })
  return { calls, sink, shown, waiting, paused, asked, say, out, received, closed }
}

it('[AP122] nothing is shown twice, whatever comes again after a break', async () => {
  const { calls, sink, shown, out, asked } = setup()
  const output = await JobOutput.open(calls, { job: 'j', from: 2 }, sink)
  output.start()
  out(0, 'ab')
  out(0, 'abcd')
  out(3, 'def', 'err')
  expect(shown.join('')).toBe('cdef')
  expect(output.next).toBe(6)
  expect(asked).toEqual([2])
})

it('[AP122] output that is no longer kept is said, with how much it was', async () => {
  const { calls, sink, shown, out } = setup()
  const output = await JobOutput.open(calls, { job: 'j' }, sink)
  output.start()
  out(0, 'begin')
  out(5_000_005, 'end')
  expect(shown[1]).toContain('5.0 MB of output are not kept')
  expect(shown.at(-1)).toBe('end')
})

it('[AP122] one stream alone is shown alone, and both are counted', async () => {
  const { calls, sink, shown, out } = setup()
  const output = await JobOutput.open(calls, { job: 'j', only: 'err' }, sink)
  output.start()
  out(0, 'plain')
  out(5, 'wrong', 'err')
  expect(shown).toEqual(['wrong'])
  expect(output.next).toBe(10)
})

it('[AP122] a flood waits for the screen, and what is no frame is passed over', async () => {
  const { calls, sink, waiting, paused, out, received } = setup()
  const output = await JobOutput.open(calls, { job: 'j' }, sink)
  output.start()
  received.fire(Uint8Array.of(99, 1, 2))
  received.fire(new Uint8Array(0))
  const piece = 'x'.repeat(64 * 1024)
  for (let i = 0; i < 20; i++) out(i * piece.length, piece)
  expect(paused).toEqual([true])
  for (const done of waiting) done()
  expect(paused).toEqual([true, false])
})

it('[AP122] an end is told apart from a break', async () => {
  const { calls, sink, say, closed } = setup()
  const output = await JobOutput.open(calls, { job: 'j' }, sink)
  const told: string[] = []
  output.onDidEnd(({ code }) => told.push(`ended ${code}`))
  output.onDidClose(({ reason }) => told.push(reason))
  output.start()
  say({ kind: 'exit', code: 3, cpuMs: 0 })
  closed.fire({ reason: 'rpc/closed' })
  expect(told).toEqual(['ended 3', 'rpc/closed'])
})
