import { expect, it, vi } from 'vitest'
import * as z from 'zod'
import { DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import { DomainError } from '../base/errors.ts'
import { memoryTransportPair } from './memory-transport.ts'
import { BULK_HIGH_BYTES, CHANNEL_HIGH_BYTES, CHANNEL_LIMIT_BYTES, type ByteChannel } from './channel.ts'
import { createClient, MAX_CALLS_IN_FLIGHT } from './client.ts'
import { event, method, type CallContext, type Contract, type Handlers } from './contract.ts'
import { pipeChannels } from './pipe-channels.ts'
import { serve } from './serve.ts'
import { MAX_CHANNELS, Wire } from './wire.ts'

const contract = {
  add: method({ needs: 'sum:read', parseInput: z.object({ a: z.number(), b: z.number() }).parse, parseOutput: z.number().parse }),
  wait: method({ needs: 'sum:read', parseInput: z.object({}).parse, parseOutput: z.string().parse }),
  fail: method({ needs: 'sum:read', parseInput: z.object({ how: z.string() }).parse, parseOutput: z.object({}).parse }),
  secret: method({ needs: 'vault:read', parseInput: z.object({}).parse, parseOutput: z.string().parse }),
  stream: method({ needs: 'sum:read', parseInput: z.object({}).parse, parseOutput: z.object({ channel: z.number() }).parse }),
  onDidSum: event({ needs: 'sum:read', parse: z.object({ sum: z.number() }).parse }),
  onDidOpenVault: event({ needs: 'vault:read', parse: z.object({}).parse }),
} satisfies Contract

class FullError extends DomainError {
  readonly code = 'sum/full'
}

function setUp(overrides: Partial<Handlers<typeof contract>> = {}) {
  const [near, far] = memoryTransportPair()
  const sums = new Emitter<{ sum: number }>()
  const vaults = new Emitter<{}>()
  const bugs: unknown[] = []
  const opened: ByteChannel[] = []
  const contexts: CallContext[] = []
  const grants = new Set(['sum:read'])
  const handlers: Handlers<typeof contract> = {
    add: ({ a, b }) => a + b,
    wait: (_, context) => {
      contexts.push(context)
      return new Promise(() => {})
    },
    fail: ({ how }) => {
      if (how === 'domain') throw new FullError('the sum is full; empty it')
      if (how === 'output') return 'not an object' as unknown as {}
      throw new TypeError('secret detail')
    },
    secret: () => 'opened',
    stream: (_, context) => {
      const channel = context.openChannel()
      channel.send(Uint8Array.of(1))
      opened.push(channel)
      return { channel: channel.id }
    },
    onDidSum: sums.event,
    onDidOpenVault: vaults.event,
    ...overrides,
  }
  const served = serve(contract, handlers, far, { allow: (need) => grants.has(need), onBug: (error) => bugs.push(error) })
  const client = createClient(contract, near)
  return { near, far, sums, vaults, bugs, opened, contexts, grants, served, client }
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0))
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error) => error.code,
  )

it('[DV1] a call is parsed, done and answered', async () => {
  expect(await setUp().client.add({ a: 2, b: 3 })).toBe(5)
})

it('[DV1] input that does not fit is refused on both ends, naming the field and not its content', async () => {
  const { client, near, far } = setUp()
  await expect(client.add({ a: 'hunter2' as unknown as number, b: 1 })).rejects.toMatchObject({
    code: 'rpc/bad-input',
    message: expect.stringMatching(/"a"/),
  })
  expect(near.sent).toEqual([])
  near.send(JSON.stringify({ t: 'call', id: 7, m: 'add', p: { a: 'hunter2', b: 1 } }))
  await settled()
  expect(JSON.parse(far.sent[0] as string)).toMatchObject({ t: 'error', id: 7, code: 'rpc/bad-input' })
  expect(far.sent[0]).not.toContain('hunter2')
})

it('[DV1] an answer that does not fit is a bug on the callee and rpc/bad-output on the caller', async () => {
  const { client, bugs, near, far, served } = setUp()
  expect(await codeOf(client.fail({ how: 'output' }))).toBe('base/bug')
  expect(bugs).toHaveLength(1)
  served.dispose()
  const asked = codeOf(client.add({ a: 1, b: 1 }))
  const { id } = JSON.parse(near.sent.at(-1) as string)
  far.send(JSON.stringify({ t: 'ok', id, r: 'two' }))
  expect(await asked).toBe('rpc/bad-output')
})

it('[DV2] a need that is not held is refused before the input is looked at', async () => {
  const { client, near, far, grants } = setUp()
  near.send(JSON.stringify({ t: 'call', id: 1, m: 'secret', p: 'not even an object' }))
  await settled()
  expect(JSON.parse(far.sent[0] as string)).toMatchObject({ code: 'rpc/refused' })
  grants.add('vault:read')
  expect(await client.secret({})).toBe('opened')
})

it('[DV2] events reach only callers that hold their need at that moment', async () => {
  const { client, sums, vaults, grants } = setUp()
  const heard: unknown[] = []
  client.onDidSum((payload) => heard.push(payload))
  client.onDidOpenVault((payload) => heard.push(payload))
  sums.fire({ sum: 1 })
  vaults.fire({})
  await settled()
  expect(heard).toEqual([{ sum: 1 }])
  grants.add('vault:read')
  vaults.fire({})
  await settled()
  expect(heard).toHaveLength(2)
})

it('[DV1] a domain error keeps its code; anything else is base/bug and says nothing of the inside', async () => {
  const { client, bugs } = setUp()
  await expect(client.fail({ how: 'domain' })).rejects.toMatchObject({ code: 'sum/full', message: 'the sum is full; empty it' })
  expect(bugs).toEqual([])
  const error = await client.fail({ how: 'bug' }).catch((e) => e)
  expect(error.code).toBe('base/bug')
  expect(error.message).not.toContain('secret detail')
  expect(bugs).toHaveLength(1)
})

it('[DV1] inherited names are not methods', async () => {
  const { near, far } = setUp()
  for (const m of ['constructor', 'toString', '__proto__', 'onDidSum']) {
    near.send(JSON.stringify({ t: 'call', id: m.length, m, p: {} }))
    await settled()
  }
  await settled()
  expect(far.sent.map((text) => JSON.parse(text as string).code)).toEqual(Array(4).fill('rpc/unknown-method'))
})

it('[DV3] cancelling rejects at once and aborts the handler', async () => {
  const { client, contexts } = setUp()
  const abort = new AbortController()
  const asked = codeOf(client.wait({}, { signal: abort.signal }))
  await settled()
  abort.abort()
  expect(await asked).toBe('base/cancelled')
  await settled()
  expect(contexts[0]?.signal.aborted).toBe(true)
  expect(await codeOf(client.wait({}, { signal: abort.signal }))).toBe('base/cancelled')
  expect(contexts).toHaveLength(1)
})

it('[DV3] a caller that goes away aborts its handlers; its calls end with rpc/closed', async () => {
  const { client, contexts, near } = setUp()
  const asked = codeOf(client.wait({}))
  await settled()
  near.close('gone')
  await settled()
  expect(await asked).toBe('rpc/closed')
  expect(contexts[0]?.signal.aborted).toBe(true)
  expect(await codeOf(client.add({ a: 1, b: 1 }))).toBe('rpc/closed')
})

it('[DV3] calls in flight are bounded on both ends', async () => {
  const { client, near, far } = setUp()
  const waiting = Array.from({ length: MAX_CALLS_IN_FLIGHT }, () => codeOf(client.wait({})))
  expect(await codeOf(client.wait({}))).toBe('rpc/too-many-calls')
  await settled()
  near.send(JSON.stringify({ t: 'call', id: 99_999, m: 'add', p: { a: 1, b: 1 } }))
  await settled()
  expect(JSON.parse(far.sent.at(-1) as string)).toMatchObject({ id: 99_999, code: 'rpc/too-many-calls' })
  client.dispose()
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['rpc/closed']))
})

it('[DV4] channel bytes come after the answer, wait for a listener and keep their borders', async () => {
  const { client, opened, far } = setUp()
  const { channel: id } = await client.stream({})
  expect(far.sent.map((m) => typeof m)).toEqual(['string', 'object'])
  opened[0]?.send(Uint8Array.of(2, 3))
  await settled()
  const heard: number[][] = []
  const channel = client.channel(id)
  channel.onDidReceive((bytes) => heard.push([...bytes]))
  expect(heard).toEqual([[1], [2, 3]])
  const up: number[][] = []
  opened[0]?.onDidReceive((bytes) => up.push([...bytes]))
  channel.send(Uint8Array.of(9))
  await settled()
  expect(up).toEqual([[9]])
})

it('[DV4] a channel opened by a call that fails is closed, and its bytes never leave', async () => {
  const { client, far } = setUp({
    stream: (_, context) => {
      context.openChannel().send(Uint8Array.of(1))
      throw new FullError('no')
    },
  })
  expect(await codeOf(client.stream({}))).toBe('sum/full')
  await settled()
  expect(far.sent.map((m) => (typeof m === 'string' ? JSON.parse(m).t : 'bytes'))).toEqual(['error'])
})

it('[DV4] a call cancelled while its answer is under way leaves no channel open, however often', async () => {
  const { client, far, opened } = setUp()
  let abort = new AbortController()
  const send = far.send.bind(far)
  far.send = (message) => {
    send(message)
    if (typeof message === 'string' && message.includes('"t":"ok"')) abort.abort()
  }
  for (let i = 0; i <= MAX_CHANNELS; i++) {
    abort = new AbortController()
    expect(await codeOf(client.stream({}, { signal: abort.signal }))).toBe('base/cancelled')
    await settled()
  }
  const reasons: string[] = []
  for (const channel of opened) channel.onDidClose(({ reason }) => reasons.push(reason))
  await settled()
  expect(reasons).toEqual(opened.map(() => 'rpc/cancelled'))
  abort = new AbortController()
  expect(await client.add({ a: 1, b: 1 })).toBe(2)
})

it('[DV4] a channel closed inside its call delivers what was sent, then closes', async () => {
  const { client } = setUp({
    stream: (_, context) => {
      const channel = context.openChannel()
      channel.send(Uint8Array.of(5))
      channel.close('test/whole')
      return { channel: channel.id }
    },
  })
  const channel = client.channel((await client.stream({})).channel)
  await settled()
  const heard: unknown[] = []
  channel.onDidClose(({ reason }) => heard.push(reason))
  channel.onDidReceive((bytes) => heard.push([...bytes]))
  expect(heard).toEqual([[5], 'test/whole'])
})

it('[DV5] a sender sees what is not consumed yet and hears when the other end has caught up', async () => {
  const { client, opened } = setUp()
  const channel = client.channel((await client.stream({})).channel)
  const sender = opened[0] as ByteChannel
  const drained = vi.fn()
  sender.onDidDrain(drained)
  channel.setPaused(true)
  const got: number[] = []
  channel.onDidReceive((bytes) => got.push(bytes.length))
  for (let i = 0; i < 8; i++) sender.send(new Uint8Array(CHANNEL_HIGH_BYTES / 8))
  await settled()
  expect(got).toEqual([])
  expect(sender.unackedBytes).toBeGreaterThanOrEqual(CHANNEL_HIGH_BYTES)
  expect(drained).not.toHaveBeenCalled()
  channel.setPaused(false)
  await settled()
  expect(got).toHaveLength(9)
  expect(drained).toHaveBeenCalledTimes(1)
  expect(sender.unackedBytes).toBeLessThan(CHANNEL_HIGH_BYTES / 2)
})

it('[DV5] a sender of bulk may let more wait, and hears of it by that measure', async () => {
  const { client, opened } = setUp()
  const channel = client.channel((await client.stream({})).channel)
  const sender = opened[0] as ByteChannel
  sender.highBytes = BULK_HIGH_BYTES
  const unackedThen: number[] = []
  sender.onDidDrain(() => unackedThen.push(sender.unackedBytes))
  channel.setPaused(true)
  channel.onDidReceive(() => undefined)
  for (let i = 0; i < 16; i++) sender.send(new Uint8Array(BULK_HIGH_BYTES / 16))
  await settled()
  expect(sender.unackedBytes).toBeGreaterThanOrEqual(BULK_HIGH_BYTES)
  channel.setPaused(false)
  await settled()
  expect(unackedThen).toHaveLength(1)
  expect(unackedThen[0]).toBeLessThan(BULK_HIGH_BYTES / 2)
  expect(unackedThen[0]).toBeGreaterThan(CHANNEL_HIGH_BYTES / 2)
})

it('[DV5] a sender that ignores backpressure loses that channel and nothing else', async () => {
  const { client, opened } = setUp()
  const channel = client.channel((await client.stream({})).channel)
  const closed = vi.fn()
  channel.onDidClose(closed)
  channel.setPaused(true)
  const sender = opened[0] as ByteChannel
  const chunk = new Uint8Array(8 * 1024 * 1024)
  for (let sent = 0; sent <= CHANNEL_LIMIT_BYTES; sent += chunk.length) sender.send(chunk)
  await settled()
  channel.onDidReceive(() => {})
  channel.setPaused(false)
  expect(closed).toHaveBeenCalledWith({ reason: 'rpc/channel-flooded' })
  expect(await client.add({ a: 1, b: 1 })).toBe(2)
})

it('[DV4] either side closes a channel; bytes under way for it are dropped without a fault', async () => {
  const { client, opened } = setUp()
  const channel = client.channel((await client.stream({})).channel)
  const closed = vi.fn()
  opened[0]?.onDidClose(closed)
  channel.close('test/done')
  opened[0]?.send(Uint8Array.of(4)) // not heard yet that it closed
  await settled()
  expect(closed).toHaveBeenCalledWith({ reason: 'test/done' })
  expect(await client.add({ a: 1, b: 1 })).toBe(2)
})

it('[DV4] both sides of one transport may call, serve and open channels', async () => {
  const [a, b] = memoryTransportPair()
  const wires = [new Wire(a), new Wire(b)] as const
  const owned = new DisposableStore()
  const heard: string[] = []
  const clients = wires.map((wire, side) => {
    const quiet = new Emitter<never>()
    owned.add(
      serve(
        { stream: contract.stream, onDidSum: contract.onDidSum },
        {
          stream: (_, context) => {
            const channel = context.openChannel()
            channel.onDidReceive((bytes) => heard.push(`side ${side} got ${bytes}`))
            return { channel: channel.id }
          },
          onDidSum: quiet.event,
        },
        wire,
        { allow: () => true },
      ),
    )
    return createClient({ stream: contract.stream }, wire)
  })
  const ids = await Promise.all(clients.map((client) => client.stream({})))
  expect(ids).toEqual([{ channel: 1 }, { channel: 1 }])
  clients[0]?.channel(1).send(Uint8Array.of(10))
  clients[1]?.channel(1).send(Uint8Array.of(20))
  await settled()
  expect(heard.sort()).toEqual(['side 0 got 20', 'side 1 got 10'])
  owned.dispose()
})

it('[DV5] joined channels carry both ways, slow the fast end down and close together', async () => {
  const one = setUp()
  const two = setUp()
  const near = one.client.channel((await one.client.stream({})).channel)
  const far = two.client.channel((await two.client.stream({})).channel)
  await settled()
  const [a, b] = [one.opened[0] as ByteChannel, two.opened[0] as ByteChannel]
  pipeChannels(near, far)
  const got: number[] = []
  b.setPaused(true)
  b.onDidReceive((bytes) => got.push(bytes.length))
  const piece = CHANNEL_HIGH_BYTES / 4
  for (let i = 0; i < 16; i++) a.send(new Uint8Array(piece))
  await settled()
  expect(a.unackedBytes).toBeGreaterThan(CHANNEL_HIGH_BYTES)
  b.setPaused(false)
  await settled()
  await settled()
  expect(got.reduce((sum, n) => sum + n, 0)).toBe(16 * piece + 1)
  const closed = vi.fn()
  b.onDidClose(closed)
  a.close('test/over')
  await settled()
  await settled()
  expect(closed).toHaveBeenCalledWith({ reason: 'test/over' })
})

it.each([
  ['not JSON', '{'],
  ['unknown message', '{"t":"shout"}'],
  ['too deep', '['.repeat(70)],
  ['answer to a side that never asked', '{"t":"ok","id":1,"r":1}'],
  ['ack of a channel that never was', '{"t":"ack","c":2,"b":5}'],
  ['bytes for a channel that never was', Uint8Array.of(2, 1)],
  ['bytes without a reference', Uint8Array.of(0x80)],
  ['a caller opening a channel', Uint8Array.of(3, 1)],
])('[DV1] %s closes the transport with rpc/malformed', async (_, message) => {
  const { near } = setUp()
  near.send(message)
  await settled()
  expect(near.closeReason).toBe('rpc/malformed')
})
