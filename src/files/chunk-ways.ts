import { toHex } from '../base/bytes.ts'
import type { Disposable } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { ChunkId } from './chunk-id.ts'
import type { ChunkFlow, ChunkPeer } from './chunk-peer.ts'

/** Asks by the direct way while there is one, else over the link. What the direct one owed when it ended comes over the link. */
export function askByBestWay(overLink: ChunkPeer['ask'], direct: () => ChunkPeer['ask'] | undefined): ChunkPeer['ask'] {
  return async (ids, signal, stretch) => {
    const ask = direct()
    if (!ask) return overLink(ids, signal, stretch)
    try {
      const { flow, more } = await ask(ids, signal, stretch)
      return { flow: new ContinuedFlow(flow, [...ids, ...more], async (left) => (await overLink(left, signal)).flow), more }
    } catch (error) {
      if (signal.aborted) throw error
      return overLink(ids, signal, stretch)
    }
  }
}

/** A flow that goes on as another one where the first ended: what came is not asked for again. */
class ContinuedFlow implements ChunkFlow {
  readonly #left: Set<ChunkId>
  readonly #goOn: (left: readonly ChunkId[]) => Promise<ChunkFlow>
  readonly #received = new Emitter<Uint8Array>()
  readonly #closed = new Emitter<{ readonly reason: string }>()
  #flow: ChunkFlow
  #isStarted = false
  #isClosed = false

  constructor(flow: ChunkFlow, ids: readonly ChunkId[], goOn: (left: readonly ChunkId[]) => Promise<ChunkFlow>) {
    this.#flow = flow
    this.#left = new Set(ids)
    this.#goOn = goOn
  }

  readonly onDidReceive = (listener: (frame: Uint8Array) => void): Disposable => {
    const subscription = this.#received.event(listener)
    if (!this.#isStarted) this.#follow(this.#flow, true)
    this.#isStarted = true
    return subscription
  }
  readonly onDidClose = this.#closed.event

  dispose(): void {
    this.#isClosed = true
    this.#flow.dispose()
  }

  #follow(flow: ChunkFlow, mayGoOn: boolean): void {
    this.#flow = flow
    flow.onDidReceive((frame) => {
      this.#left.delete(toHex(frame.subarray(0, 32)) as ChunkId)
      this.#received.fire(frame)
    })
    flow.onDidClose(({ reason }) => {
      if (this.#isClosed || this.#left.size === 0 || !mayGoOn) this.#closed.fire({ reason })
      else
        this.#goOn([...this.#left]).then(
          (next) => (this.#isClosed ? next.dispose() : this.#follow(next, false)),
          () => this.#closed.fire({ reason }),
        )
    })
  }
}
