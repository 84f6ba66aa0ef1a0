import { errorCode } from '../base/errors.ts'
import type { Transport } from '../rpc/channel.ts'
import type { Contract } from '../rpc/contract.ts'
import { memoryTransportPair } from '../rpc/memory-transport.ts'
import type { SeededRandom } from './seeded-random.ts'

const KEYS = [
  'device',
  'terminalId',
  'pid',
  'force',
  'path',
  'to',
  'text',
  'expectedVersion',
  'columns',
  'rows',
  'cwd',
  'command',
  'url',
  '__proto__',
  'constructor',
]
const ODD = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  '',
  ' ',
  '/',
  '..',
  '\0',
  '\ud800',
  'x'.repeat(5000),
  '/etc/passwd',
  '../../etc/shadow',
  '{}',
  [],
  {},
]

/** Any JSON there is: odd values, nested, under names that contracts use. */
export function oddValue(random: SeededRandom, depth = 3): unknown {
  const kind = random.below(depth > 0 ? 5 : 2)
  if (kind < 2) return random.pick(ODD)
  if (kind === 2) return Array.from({ length: random.below(4) }, () => oddValue(random, depth - 1))
  return Object.fromEntries(Array.from({ length: random.below(6) }, () => [random.pick(KEYS), oddValue(random, depth - 1)]))
}

export interface FuzzedContract {
  /** Codes of all answers that were errors, with how often. */
  readonly codes: ReadonlyMap<string, number>
  readonly accepted: number
  /** What went wrong: calls without an answer, answers without a stable code, bugs. */
  readonly problems: readonly string[]
}

/**
 * Sends calls of every method with odd inputs, some of them near-valid through `plausible`, to a served contract, past
 * the client's own checks. Every call must be answered, and an error must have a code of ours.
 */
export async function fuzzContract(
  contract: Contract,
  serve: (transport: Transport) => void,
  random: SeededRandom,
  calls: number,
  plausible: (name: string, random: SeededRandom) => unknown,
): Promise<FuzzedContract> {
  const [near, far] = memoryTransportPair()
  serve(far)
  const names = Object.keys(contract).filter((name) => contract[name]?.kind === 'method')
  const codes = new Map<string, number>()
  const problems: string[] = []
  let accepted = 0
  for (let id = 1; id <= calls; id++) {
    const name = random.chance(0.03) ? 'noSuchMethod' : random.pick(names)
    const input = random.chance(0.5) ? plausible(name, random) : oddValue(random)
    const text = JSON.stringify({ t: 'call', id, m: name, p: input })
    const answer = await new Promise<{ t: string; code?: unknown; message?: unknown }>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${text.slice(0, 300)}`)), 20_000)
      const subscription = near.onDidReceive((message) => {
        if (typeof message !== 'string') return
        const parsed = JSON.parse(message)
        if (parsed.id !== id || (parsed.t !== 'ok' && parsed.t !== 'error')) return
        clearTimeout(timer)
        subscription.dispose()
        resolve(parsed)
      })
      near.send(text)
    }).catch((error: unknown) => ({ t: 'error', code: errorCode(error), message: String(error) }))
    if (answer.t === 'ok') accepted++
    else {
      const code = String(answer.code)
      codes.set(code, (codes.get(code) ?? 0) + 1)
      if (code === 'base/bug' || !/^[a-z]+\/[a-z-]+$/.test(code))
        problems.push(`${code} (${String(answer.message)}) for ${text.slice(0, 300)}`)
    }
    if (near.closeReason !== undefined) problems.push(`the transport closed (${near.closeReason}) after ${text.slice(0, 300)}`)
    if (problems.length > 0) break
  }
  near.close('rpc/closed')
  return { codes, accepted, problems }
}
