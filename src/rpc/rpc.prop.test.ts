import fc from 'fast-check'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { Emitter } from '../base/emitter.ts'
import type { MemoryTransport } from './memory-transport.ts'
import { memoryTransportPair } from './memory-transport.ts'
import { createClient } from './client.ts'
import { event, method, type Contract } from './contract.ts'
import { serve } from './serve.ts'

const contract = {
  echo: method({ needs: 'a:read', parseInput: z.object({ text: z.string() }).parse, parseOutput: z.string().parse }),
  open: method({ needs: 'a:read', parseInput: z.object({}).parse, parseOutput: z.object({ channel: z.number() }).parse }),
  onDidA: event({ needs: 'a:read', parse: z.object({ a: z.number() }).parse }),
} satisfies Contract

/** Close reasons the format itself may give; anything else came from a bug. */
const EXPECTED_REASONS = [undefined, 'rpc/malformed', 'rpc/too-large']

interface Conversation {
  readonly attack: 'caller' | 'callee'
  readonly echo: (text: string) => string
}

/** Plays `messages` to one side of a healthy conversation and returns that side. */
async function converse(messages: readonly (string | Uint8Array)[], { attack, echo }: Conversation): Promise<MemoryTransport> {
  const [near, far] = memoryTransportPair()
  const facts = new Emitter<{ a: number }>()
  serve(
    contract,
    {
      echo: ({ text }) => echo(text),
      open: (_, context) => {
        const channel = context.openChannel()
        channel.onDidReceive((bytes) => channel.send(bytes))
        return { channel: channel.id }
      },
      onDidA: facts.event,
    },
    far,
    { allow: () => true },
  )
  const client = createClient(contract, near)
  client.onDidA(() => {})
  const opened = await client.open({})
  client.channel(opened.channel).onDidReceive(() => {})
  client.echo({ text: 'x' }).catch(() => 'closed')
  for (const message of messages) (attack === 'caller' ? far : near).send(message)
  await new Promise((resolve) => setTimeout(resolve, 0))
  return attack === 'caller' ? near : far
}

/** What the attacked side did: the codes it answered with and how it ended. */
function outcomes(victim: MemoryTransport): string[] {
  const said = victim.sent.map((message) => {
    if (typeof message !== 'string') return 'bytes'
    const { t, code } = JSON.parse(message)
    return code ?? t
  })
  return [...said, victim.closeReason ?? 'open']
}

const small = fc.integer({ min: -1, max: 9 })
const almostMessage = fc
  .record(
    {
      t: fc.constantFrom('call', 'cancel', 'ok', 'error', 'event', 'ack', 'close', 'other'),
      id: fc.oneof(small, fc.double()),
      m: fc.constantFrom('echo', 'open', 'onDidA', '__proto__', 'nothing'),
      n: fc.constantFrom('onDidA', 'echo', 'constructor'),
      p: fc.oneof(fc.record({ text: fc.string() }), fc.record({ a: fc.integer() }), fc.jsonValue()),
      r: fc.jsonValue(),
      c: small,
      b: small,
      code: fc.string(),
      message: fc.string(),
      reason: fc.string(),
    },
    { requiredKeys: ['t'] },
  )
  .map((value) => JSON.stringify(value))
const callMessage = fc
  .record({
    id: fc.nat(9),
    m: fc.constantFrom('echo', 'open', 'nothing'),
    p: fc.oneof(fc.record({ text: fc.string({ maxLength: 6 }) }), fc.jsonValue()),
  })
  .map((value) => JSON.stringify({ t: 'call', ...value }))
const anyMessage = fc.oneof(
  { weight: 24, arbitrary: callMessage },
  { weight: 6, arbitrary: almostMessage },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string() },
  { weight: 3, arbitrary: fc.tuple(small, fc.uint8Array({ maxLength: 4 })).map(([c, rest]) => Uint8Array.from([Math.max(0, c), ...rest])) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
)

const messageRun = fc.array(anyMessage, { maxLength: 12 })
const faithful = (text: string) => text

it.each(['callee', 'caller'] as const)(
  '[DV1] no message breaks the %s: it answers, ignores or closes with a stable code',
  async (attack) => {
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(messageRun, async (messages) => {
        const victim = await converse(messages, { attack, echo: faithful })
        for (const outcome of outcomes(victim)) seen.add(outcome)
        expect(EXPECTED_REASONS).toContain(victim.closeReason)
        expect(outcomes(victim)).not.toContain('base/bug')
      }),
      { numRuns: 300 },
    )
    // the run reached the places it is meant to reach
    const reached =
      attack === 'callee' ? ['ok', 'bytes', 'rpc/bad-input', 'rpc/unknown-method', 'rpc/malformed', 'open'] : ['rpc/malformed', 'open']
    expect([...seen]).toEqual(expect.arrayContaining(reached))
  },
)

it('[DV1] the fuzz finds a handler that breaks on a rare input (planted)', async () => {
  const echo = (text: string) => (text === '' ? (undefined as unknown as string).toUpperCase() : text)
  const found = await fc.check(
    fc.asyncProperty(messageRun, async (messages) => {
      expect(outcomes(await converse(messages, { attack: 'callee', echo }))).not.toContain('base/bug')
    }),
    // Found after 140 runs in the middle, after 801 at the worst of a hundred seeds.
    { numRuns: 3_000, endOnFailure: true },
  )
  expect(found.failed).toBe(true)
})
