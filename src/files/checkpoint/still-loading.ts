import { ContentError } from '../content-error.ts'

/** What is asked for is in the part of a checkpoint that is not here yet. `whenLoaded` brings it and asks again. */
export class StillLoading extends ContentError {
  /** Resolves when it is here. @throws ContentError `chunk/unavailable`, `dataset/loading` */
  readonly bring: () => Promise<void>

  constructor(bring: () => Promise<void>) {
    super('dataset/loading', 'this part of the files is still being fetched from another device; try again when it is linked')
    this.bring = bring
  }
}

/** Each time something comes that was missing; a call that asks for more than this is no call. */
const MAX_TRIES = 100_000

/** Does `work` once what it asks for is here; at once, if it is. @throws what `work` throws; ContentError `chunk/unavailable`, `dataset/loading` */
export function whenLoaded<T>(work: () => T): T | Promise<Awaited<T>> {
  try {
    const result = work()
    if (!(result instanceof Promise)) return result
    return result.catch((error: unknown) => again(error, work)) as Promise<Awaited<T>>
  } catch (error) {
    if (!(error instanceof StillLoading)) throw error
    return again(error, work)
  }
}

async function again<T>(error: unknown, work: () => T): Promise<Awaited<T>> {
  let missing = error
  for (let tries = 0; missing instanceof StillLoading && tries < MAX_TRIES; tries++) {
    await missing.bring()
    try {
      return await work()
    } catch (next) {
      missing = next
    }
  }
  throw missing
}
