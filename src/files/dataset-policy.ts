import { fromUtf8, utf8 } from '../base/bytes.ts'
import { type Disposable, DisposableStore } from '../base/disposable.ts'
import { Emitter } from '../base/emitter.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetStore } from './dataset-store.ts'
import { FIRST_POLICY, POLICY_NODE, policyIn, type PolicyInForce, type ReplicaPolicy } from './replica-policy.ts'

const SPACE = 'policy'
const SEEN = 'seen'

/**
 * The replica policy of one dataset as this device knows it (rule RP6), and how many devices have left. It only ever moves on: what was
 * seen last stays in force also while the tree is forgotten and fetched anew, for others let go of what this device signed for under it.
 * Owns its subscription.
 */
export class DatasetPolicy implements Disposable {
  readonly #store: DatasetStore
  readonly #owned = new DisposableStore()
  readonly #changed = this.#owned.add(new Emitter<PolicyInForce>())
  #dataset: Dataset | undefined
  #current: PolicyInForce

  readonly onDidChange = this.#changed.event

  constructor(store: DatasetStore) {
    this.#store = store
    const seen = store.value(SPACE, SEEN)
    this.#current = seen ? (JSON.parse(fromUtf8(seen)) as PolicyInForce) : { ...FIRST_POLICY, departures: 0 }
  }

  get current(): PolicyInForce {
    return this.#current
  }

  /** From now on it follows what the dataset's ops say. */
  follow(dataset: Dataset): void {
    this.#dataset = dataset
    this.#owned.add(dataset.onDidChange(({ nodes }) => nodes.has(POLICY_NODE) && this.review()))
    this.review()
  }

  /** On all devices of the dataset, as they hear of it. */
  set(policy: ReplicaPolicy): void {
    this.#dataset?.setPolicy(policy)
  }

  /** Looks at the tree: more of it is here. */
  review(): void {
    const next = policyIn(this.#store.node(POLICY_NODE))
    if (next.generation >= this.#current.generation) this.#moveTo({ ...next, departures: this.#current.departures })
  }

  noteDepartures(departures: number): void {
    if (departures > this.#current.departures) this.#moveTo({ ...this.#current, departures })
  }

  dispose(): void {
    this.#owned.dispose()
  }

  #moveTo(next: PolicyInForce): void {
    if (JSON.stringify(next) === JSON.stringify(this.#current)) return
    this.#current = next
    this.#store.putValue(SPACE, SEEN, utf8(JSON.stringify(next)))
    this.#changed.fire(next)
  }
}
