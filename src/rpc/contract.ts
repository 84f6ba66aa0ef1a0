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
