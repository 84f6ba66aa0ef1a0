import type { Event } from '../base/emitter.ts'
import type { ByteChannel } from './channel.ts'

/** What a caller must hold: checked before anything is parsed. */
export type Need = `${string}:${'read' | 'write' | 'run'}`

/** One remote call. Both parsers run on both ends: neither side trusts the other. */
export interface Method<Input, Output> {
  readonly kind: 'method'
  readonly needs: Need
  readonly parseInput: (value: unknown) => Input
  readonly parseOutput: (value: unknown) => Output
}

/** A fact the callee tells all callers that hold `needs`. */
export interface RemoteEvent<Payload> {
  readonly kind: 'event'
  readonly needs: Need
  readonly parse: (value: unknown) => Payload
}

// oxlint-disable-next-line typescript/no-explicit-any -- Client and Handlers restore the exact types
export type Contract = Readonly<Record<string, Method<any, any> | RemoteEvent<any>>>

export const method = <I, O>(definition: Omit<Method<I, O>, 'kind'>): Method<I, O> => ({ kind: 'method', ...definition })
export const event = <P>(definition: Omit<RemoteEvent<P>, 'kind'>): RemoteEvent<P> => ({ kind: 'event', ...definition })

export interface CallOptions {
  /** Aborting tells the callee to stop and rejects with `CancelledError`. */
  readonly signal?: AbortSignal
}

/** The caller's view of a contract: methods are functions, events are subscriptions. */
export type Calls<C extends Contract> = {
  readonly [K in keyof C]: C[K] extends Method<infer I, infer O>
    ? (input: I, options?: CallOptions) => Promise<O>
    : C[K] extends RemoteEvent<infer P>
      ? Event<P>
      : never
}

/** What a handler is given besides its input. */
export interface CallContext {
  /** Aborted when the caller cancels or goes away. */
  readonly signal: AbortSignal
  /** Opens a byte stream to the caller; the method returns its `id`. What is sent before the answer waits for it. */
  openChannel(): ByteChannel
}

/** The callee's view of a contract. */
export type Handlers<C extends Contract> = {
  readonly [K in keyof C]: C[K] extends Method<infer I, infer O>
    ? (input: I, context: CallContext) => Promise<O> | O
    : C[K] extends RemoteEvent<infer P>
      ? Event<P>
      : never
}
