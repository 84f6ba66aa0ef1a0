import type { Clock } from '../base/clock.ts'
import type { Disposable } from '../base/disposable.ts'
import type { NodeId } from './op.ts'

/** What is another now in one dataset, as it is told to displays. */
export interface ToldChange {
  readonly dataset: string
  readonly nodes: NodeId[]
  readonly folders: NodeId[]
  readonly isMore: boolean
}

/** Named in one event. */
export const MAX_TOLD = 1000
/** The least between two events about one dataset: unpacking an archive is ten thousand changes a minute, and nobody looks that often. */
const TOLD_EVERY_MS = 100

interface Gathered {
  readonly nodes: Set<NodeId>
  readonly folders: Set<NodeId>
}

/** Tells the first change at once, and those that follow it closely together. */
export class GatheredChanges implements Disposable {
  readonly #clock: Clock
  readonly #tell: (change: ToldChange) => void
  /** Of each dataset that was told of a moment ago: what came since. */
  readonly #since = new Map<string, { timer: Disposable; gathered: Gathered | undefined }>()

  constructor(clock: Clock, tell: (change: ToldChange) => void) {
    this.#clock = clock
    this.#tell = tell
  }

  add({
    dataset,
    nodes,
    folders,
  }: {
    readonly dataset: string
    readonly nodes: ReadonlySet<NodeId>
    readonly folders: ReadonlySet<NodeId>
  }): void {
    const since = this.#since.get(dataset)
    if (!since) return this.#fire(dataset, { nodes: new Set(nodes), folders: new Set(folders) })
    since.gathered ??= { nodes: new Set(), folders: new Set() }
    addSome(since.gathered.nodes, nodes)
    addSome(since.gathered.folders, folders)
  }

  dispose(): void {
    for (const { timer } of this.#since.values()) timer.dispose()
    this.#since.clear()
  }

  #fire(dataset: string, { nodes, folders }: Gathered): void {
    const timer = this.#clock.after(TOLD_EVERY_MS, () => {
      const gathered = this.#since.get(dataset)?.gathered
      this.#since.delete(dataset)
      if (gathered) this.#fire(dataset, gathered)
    })
    this.#since.set(dataset, { timer, gathered: undefined })
    const isMore = nodes.size > MAX_TOLD || folders.size > MAX_TOLD
    this.#tell({ dataset, nodes: [...nodes].slice(0, MAX_TOLD), folders: [...folders].slice(0, MAX_TOLD), isMore })
  }
}

/** One more than is told says that there are more. */
function addSome(to: Set<NodeId>, ids: ReadonlySet<NodeId>): void {
  for (const id of ids) {
    if (to.size > MAX_TOLD) return
    to.add(id)
  }
}
