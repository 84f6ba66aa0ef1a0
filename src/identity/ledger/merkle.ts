import { concatBytes } from '../../base/bytes.ts'

export type Sha256 = (bytes: Uint8Array) => Uint8Array

/** One step from a leaf to the root: the sibling, and on which side of it the way up goes. */
export interface ProofStep {
  readonly side: 'left' | 'right'
  readonly hash: Uint8Array
}

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

/** The tree of RFC 6962: leaves and nodes are hashed apart, the left side is the largest power of two. */
export class MerkleTree {
  readonly #sha256: Sha256
  readonly #leaves: readonly Uint8Array[]

  constructor(sha256: Sha256, records: readonly Uint8Array[]) {
    this.#sha256 = sha256
    this.#leaves = records.map((record) => sha256(concatBytes(LEAF, record)))
  }

  get root(): Uint8Array {
    return this.#leaves.length === 0 ? this.#sha256(new Uint8Array()) : this.#rootOf(0, this.#leaves.length)
  }

  /** From the leaf up. @throws RangeError  no such leaf */
  proof(index: number): readonly ProofStep[] {
    if (!Number.isInteger(index) || index < 0 || index >= this.#leaves.length) throw new RangeError('no such leaf')
    const steps: ProofStep[] = []
    let [from, to] = [0, this.#leaves.length]
    while (to - from > 1) {
      const middle = from + split(to - from)
      if (index < middle) {
        steps.unshift({ side: 'right', hash: this.#rootOf(middle, to) })
        to = middle
      } else {
        steps.unshift({ side: 'left', hash: this.#rootOf(from, middle) })
        from = middle
      }
    }
    return steps
  }

  #rootOf(from: number, to: number): Uint8Array {
    if (to - from === 1) return this.#leaves[from] as Uint8Array
    const middle = from + split(to - from)
    return this.#sha256(concatBytes(NODE, this.#rootOf(from, middle), this.#rootOf(middle, to)))
  }
}

/** The root of each beginning of a list, as the list grows: whole subtrees only are kept. */
export class GrowingRoot {
  readonly #sha256: Sha256
  /** Roots of whole trees, the largest first; how many leaves each has are the bits of `count`. */
  readonly #whole: Uint8Array[] = []
  #count = 0

  constructor(sha256: Sha256) {
    this.#sha256 = sha256
  }

  get count(): number {
    return this.#count
  }

  add(record: Uint8Array): void {
    this.#whole.push(this.#sha256(concatBytes(LEAF, record)))
    for (let bits = ++this.#count; bits % 2 === 0; bits /= 2) this.#join()
  }

  get root(): Uint8Array {
    if (this.#count === 0) return this.#sha256(new Uint8Array())
    return this.#whole.reduceRight((right, left) => this.#sha256(concatBytes(NODE, left, right)))
  }

  #join(): void {
    const [left, right] = this.#whole.splice(-2) as [Uint8Array, Uint8Array]
    this.#whole.push(this.#sha256(concatBytes(NODE, left, right)))
  }
}

/** The largest power of two below `count`. */
function split(count: number): number {
  let half = 1
  while (half * 2 < count) half *= 2
  return half
}

export function rootOfProof(sha256: Sha256, record: Uint8Array, steps: readonly ProofStep[]): Uint8Array {
  const leaf = sha256(concatBytes(LEAF, record))
  return steps.reduce(
    (below, { side, hash }) => sha256(side === 'left' ? concatBytes(NODE, hash, below) : concatBytes(NODE, below, hash)),
    leaf,
  )
}
