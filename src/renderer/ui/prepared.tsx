import { type FunctionComponent, lazy, useState } from 'react'

/** A component in a chunk of its own that can be fetched before it is shown. */
export interface Prepared<Props extends object> {
  readonly Component: FunctionComponent<Props>
  /** Fetches and compiles the chunk. Rejects when that fails; it may be asked again. */
  prepare(): Promise<void>
}

/**
 * As `lazy`, but what was prepared is drawn at once. A lazy component waits for its chunk's promise even when the chunk is
 * here, and React shows what waited no sooner than 300 ms after the fallback.
 */
export function prepared<Props extends object>(load: () => Promise<{ default: FunctionComponent<Props> }>): Prepared<Props> {
  let here: FunctionComponent<Props> | undefined
  const Later = lazy(load)
  const prepare = async () => {
    here = (await load()).default
  }
  function Component(props: Props) {
    const [Shown] = useState<FunctionComponent<Props>>(() => here ?? Later) // the same one as long as it is mounted
    return <Shown {...props} />
  }
  return { Component, prepare }
}
