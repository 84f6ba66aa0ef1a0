import * as z from 'zod'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import type { KeyValueStore } from '../../base/key-value-store.ts'

const SPACE = 'engine-places'

const engineStand = z.object({
  kind: z.enum(['slurm', 'bacalhau']),
  url: z.string().max(2_048),
  /** Of Bacalhau; absent: its default one. */
  namespace: z.string().max(64).optional(),
})
/** Where an engine stands, whatever it is called: jobs of one are known in no other. */
export type EngineStand = z.infer<typeof engineStand>

const enginePlace = engineStand.extend({
  format: z.literal(1),
  /** What the engine was called when it was submitted. */
  name: z.string().max(40),
  atMs: z.number(),
  service: z.boolean(),
  /** Of Slurm: where its output lies. */
  shared: z.string().max(4_096).optional(),
  /** What the engine calls it, once it has said so. */
  id: z.string().max(200).optional(),
})
export type EnginePlace = z.infer<typeof enginePlace>

interface Stands {
  readonly kind: EngineStand['kind']
  readonly url: string
  readonly namespace?: string | undefined
}

/** Pure. */
export const standOf = ({ kind, url, namespace }: Stands): EngineStand => ({
  ...{ kind, url },
  ...(namespace !== undefined && { namespace }),
})

/** Pure. */
export const isSameStand = (a: Stands, b: Stands): boolean =>
  a.kind === b.kind && a.url === b.url && (a.namespace ?? 'default') === (b.namespace ?? 'default')

/** Where each attempt on an engine was submitted, from before it is sent until it is over (rule EN13). Does not own the store. */
export class EnginePlaces {
  readonly #store: KeyValueStore

  constructor(store: KeyValueStore) {
    this.#store = store
  }

  /** Undefined: none is kept, or it is of a newer version. */
  of(attempt: string): EnginePlace | undefined {
    const bytes = this.#store.get(SPACE, attempt)
    return bytes && decode(bytes)
  }

  put(attempt: string, place: EnginePlace): void {
    this.#store.put(SPACE, attempt, utf8(JSON.stringify(place)))
  }

  forget(attempt: string): void {
    this.#store.delete(SPACE, attempt)
  }

  all(): ReadonlyMap<string, EnginePlace> {
    return new Map(
      this.#store.entries(SPACE).flatMap(([attempt, bytes]) => {
        const place = decode(bytes)
        return place ? [[attempt, place] as const] : []
      }),
    )
  }
}

function decode(bytes: Uint8Array): EnginePlace | undefined {
  try {
    return enginePlace.parse(JSON.parse(fromUtf8(bytes)))
  } catch {
    return undefined // of a newer version, or damaged: it is as if it was not kept
  }
}
