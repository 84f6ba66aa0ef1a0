import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter, type Event } from '../base/emitter.ts'
import { CancelledError } from '../base/errors.ts'
import type { ByteChannel, Transport } from './channel.ts'
import type { CallOptions, Calls, Contract, Method, RemoteEvent } from './contract.ts'
import { RemoteError, RpcError } from './rpc-error.ts'
import { Wire } from './wire.ts'

/** Calls a caller may have in flight; the callee refuses more as well. */
export const MAX_CALLS_IN_FLIGHT = 256

/** What every client has besides its contract's calls. */
export interface ClientBase extends Disposable {
  /** Takes a channel whose id a method returned. */
  channel(id: number): ByteChannel
  /** Fires once. Calls in flight reject with `rpc/closed` first. */
  readonly onDidClose: Event<{ readonly reason: string }>
}

export type Client<C extends Contract> = Calls<C> & ClientBase

interface PendingCall {
  readonly name: string
  readonly parseOutput: (value: unknown) => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly release: () => void
}

/**
 * The caller's side of a contract over one transport. Inputs are parsed before they are sent and outputs before they are
 * returned. Calls reject with the callee's error (`RemoteError`, its code kept), `RpcError` or `CancelledError`.
 * Disposing closes the transport.
 */
export function createClient<C extends Contract>(contract: C, over: Transport | Wire): Client<C> {
  const wire = over instanceof Wire ? over : new Wire(over)
  const owned = new DisposableStore()
  const pending = new Map<number, PendingCall>()
  const events = new Map<string, Emitter<unknown>>()
  const closed = new Emitter<{ readonly reason: string }>()
  let nextId = 1

  const settle = (id: number): PendingCall | undefined => {
    const call = pending.get(id)
    pending.delete(id)
    call?.release()
    return call
  }

  const call = async (name: string, method: Method<unknown, unknown>, input: unknown, options?: CallOptions): Promise<unknown> => {
    const signal = options?.signal
    if (signal?.aborted) throw new CancelledError()
    if (wire.closeReason !== undefined) throw closedError(name, wire.closeReason)
    if (pending.size >= MAX_CALLS_IN_FLIGHT) {
      throw new RpcError('rpc/too-many-calls', `${MAX_CALLS_IN_FLIGHT} calls are in flight; ${name} was not sent`)
    }
    const parsed = parseOrThrow('rpc/bad-input', name, method.parseInput, input)
    const id = nextId++
    return new Promise((resolve, reject) => {
      const cancel = () => {
        settle(id)
        wire.send({ t: 'cancel', id })
        reject(new CancelledError())
      }
      signal?.addEventListener('abort', cancel, { once: true })
      const release = () => signal?.removeEventListener('abort', cancel)
      pending.set(id, { name, parseOutput: method.parseOutput, resolve, reject, release })
      try {
        wire.send({ t: 'call', id, m: name, p: parsed })
      } catch (error) {
        settle(id)
        reject(error)
      }
    })
  }

  owned.add(
    wire.bindCaller((message) => {
      if (message.t === 'event') {
        const definition = contract[message.n]
        if (definition?.kind !== 'event') return // a newer callee tells more than we know
        const listeners = events.get(message.n)
        if (listeners) listeners.fire(parseOrThrow('rpc/malformed', message.n, (definition as RemoteEvent<unknown>).parse, message.p))
        return
      }
      const asked = settle(message.id)
      if (!asked) return // cancelled meanwhile
      if (message.t === 'error') return asked.reject(new RemoteError(message.code, message.message))
      try {
        asked.resolve(parseOrThrow('rpc/bad-output', asked.name, asked.parseOutput, message.r))
      } catch (error) {
        asked.reject(error)
      }
    }),
  )
  wire.onDidClose(({ reason }) => {
    for (const id of [...pending.keys()]) {
      const asked = settle(id) as PendingCall
      asked.reject(closedError(asked.name, reason))
    }
    owned.dispose()
    closed.fire({ reason })
    for (const listeners of events.values()) listeners.dispose()
  })

  const client: Record<string, unknown> = {
    channel: (id: number) => wire.channel(id),
    onDidClose: closed.event,
    dispose: () => wire.dispose(),
  }
  for (const [name, definition] of Object.entries(contract)) {
    if (definition.kind === 'method') {
      client[name] = (input: unknown, options?: CallOptions) => call(name, definition, input, options)
    } else {
      const listeners = new Emitter<unknown>()
      events.set(name, listeners)
      client[name] = listeners.event
    }
  }
  return client as Client<C>
}

const closedError = (name: string, reason: string) =>
  new RpcError('rpc/closed', `${name} got no answer: the connection closed (${reason}); it may or may not have been done`)

/** @throws RpcError with `code` and the first thing that was wrong */
export function parseOrThrow<T>(
  code: 'rpc/bad-input' | 'rpc/bad-output' | 'rpc/malformed',
  name: string,
  parse: (value: unknown) => T,
  value: unknown,
): T {
  try {
    return parse(value)
  } catch (cause) {
    throw new RpcError(code, `${name}: ${describeIssue(cause)}`, { cause })
  }
}

/** Says which field was wrong, never what was in it: inputs hold passphrases. */
function describeIssue(cause: unknown): string {
  const issues = cause !== null && typeof cause === 'object' && 'issues' in cause && Array.isArray(cause.issues) ? cause.issues : []
  const first = issues[0] as { path?: unknown[]; code?: unknown } | undefined
  if (!first) return 'the value does not fit the contract'
  const path = (first.path ?? []).map(String).join('.').slice(0, 100)
  return `${path === '' ? 'the value' : `"${path}"`} does not fit the contract (${String(first.code)})`
}
