import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { CancelledError, DomainError } from '../base/errors.ts'
import type { Transport } from './channel.ts'
import { MAX_CALLS_IN_FLIGHT, parseOrThrow } from './client.ts'
import type { CallContext, Contract, Handlers, Method, Need, RemoteEvent } from './contract.ts'
import { RpcError } from './rpc-error.ts'
import { CHANNEL_UNWANTED, Wire } from './wire.ts'
import type { WireChannel } from './wire-channel.ts'

export interface ServeOptions {
  /** Does this caller hold `need` now? Asked at every call before its input is parsed, and at every event. */
  allow(need: Need): boolean
  /** Something we did not foresee; the caller only hears `base/bug`. */
  onBug?(error: unknown, name: string): void
}

type AnyHandler = (input: unknown, context: CallContext) => unknown
type Answer = { t: 'ok'; id: number; r: unknown } | { t: 'error'; id: number; code: string; message: string }

const MAX_MESSAGE_LENGTH = 8000 // as wire-message.ts reads it

/**
 * The callee's side of a contract over one transport. Checks the need, parses the input, runs the handler, parses the
 * output. A caller that goes away or cancels aborts its handlers. Disposing stops serving and leaves the wire open.
 */
export function serve<C extends Contract>(contract: C, handlers: Handlers<C>, over: Transport | Wire, options: ServeOptions): Disposable {
  const wire = over instanceof Wire ? over : new Wire(over)
  const owned = new DisposableStore()
  const running = new Map<number, AbortController>()
  /** Open channels by the call that was answered with them: a cancel that crossed that answer closes them. */
  const granted = new Map<number, readonly WireChannel[]>()
  const reportBug = (error: unknown, name: string) => options.onBug?.(error, name)

  const run = async (name: string, input: unknown, context: CallContext): Promise<unknown> => {
    const definition = Object.hasOwn(contract, name) ? contract[name] : undefined
    if (definition?.kind !== 'method')
      throw new RpcError('rpc/unknown-method', `there is no method ${JSON.stringify(name.slice(0, 64))} here`)
    if (!options.allow(definition.needs))
      throw new RpcError('rpc/refused', `${name} needs ${definition.needs}, which this caller does not hold`)
    const method = definition as Method<unknown, unknown>
    const parsed = parseOrThrow('rpc/bad-input', name, method.parseInput, input)
    const output = await (handlers[name] as AnyHandler)(parsed, context)
    return parseOrThrow('rpc/bad-output', name, method.parseOutput, output)
  }

  const answerCall = async (id: number, name: string, input: unknown): Promise<void> => {
    const abort = new AbortController()
    running.set(id, abort)
    const channels: WireChannel[] = []
    const context: CallContext = {
      signal: abort.signal,
      openChannel() {
        const channel = wire.openChannel()
        channels.push(channel)
        return channel
      },
    }
    let answer: Answer
    try {
      answer = { t: 'ok', id, r: await run(name, input, context) }
    } catch (error) {
      answer = describeError(id, name, error, reportBug)
    }
    running.delete(id)
    const kept = !abort.signal.aborted && sendAnswer(answer, name)
    for (const channel of channels) {
      if (kept) channel.release()
      else channel.discard()
    }
    if (!kept || channels.length === 0) return
    granted.set(id, channels)
    for (const channel of channels) channel.onDidClose(() => granted.delete(id))
  }

  /** Whether the caller heard `ok`. */
  const sendAnswer = (answer: Answer, name: string): boolean => {
    try {
      wire.send(answer)
      return answer.t === 'ok'
    } catch (error) {
      wire.send(describeError(answer.id, name, error, reportBug))
      return false
    }
  }

  owned.add(
    wire.bindCallee((message) => {
      if (message.t === 'cancel') {
        running.get(message.id)?.abort(new CancelledError())
        for (const channel of granted.get(message.id) ?? []) channel.close(CHANNEL_UNWANTED)
        return
      }
      if (running.has(message.id)) throw new RpcError('rpc/malformed', 'two calls in flight have one id')
      if (running.size >= MAX_CALLS_IN_FLIGHT) {
        const text = `more than ${MAX_CALLS_IN_FLIGHT} calls are in flight`
        return wire.send({ t: 'error', id: message.id, code: 'rpc/too-many-calls', message: text })
      }
      void answerCall(message.id, message.m, message.p)
    }),
  )
  for (const [name, definition] of Object.entries(contract)) {
    if (definition.kind !== 'event') continue
    const source = handlers[name] as unknown as (listener: (payload: unknown) => void) => Disposable
    owned.add(
      source((payload) => {
        if (!options.allow(definition.needs)) return
        try {
          wire.send({ t: 'event', n: name, p: parseOrThrow('rpc/bad-output', name, (definition as RemoteEvent<unknown>).parse, payload) })
        } catch (error) {
          reportBug(error, name)
        }
      }),
    )
  }
  owned.add(
    wire.onDidClose(() => {
      for (const abort of running.values()) abort.abort(new CancelledError('the caller went away'))
      owned.dispose()
    }),
  )
  return owned
}

function describeError(id: number, name: string, error: unknown, onBug: (error: unknown, name: string) => void): Answer {
  if (error instanceof DomainError && !(error instanceof RpcError && error.code === 'rpc/bad-output')) {
    return { t: 'error', id, code: error.code.slice(0, 120), message: error.message.slice(0, MAX_MESSAGE_LENGTH) }
  }
  if (error instanceof CancelledError) return { t: 'error', id, code: error.code, message: error.message }
  onBug(error, name)
  return { t: 'error', id, code: 'base/bug', message: `${name} failed in a way nobody foresaw; the device's log says more` }
}
