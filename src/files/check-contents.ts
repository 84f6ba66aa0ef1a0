import { errorCode, errorMessage } from '../base/errors.ts'
import type { ChunkId } from './chunk-id.ts'
import type { ChunkStore } from './chunk-store.ts'
import type { Dataset } from './dataset.ts'
import type { DatasetStore } from './dataset-store.ts'
import type { DroppedVersions } from './dropped-versions.ts'
import type { Manifest, Piece } from './manifest.ts'
import type { NodeId, OpId } from './op.ts'
import { pagedVersions } from './paged-versions.ts'
import type { PieceBlock } from './piece-list.ts'
import type { ReplicationBook } from './replication-book.ts'
import { walkLists } from './walk-lists.ts'

export interface CheckContentsParts {
  readonly dataset: Dataset
  readonly store: DatasetStore
  readonly chunks: ChunkStore
  /** Absent: whatever is named must be here. */
  readonly book?: Pick<ReplicationBook, 'mustKeep'> | undefined
  readonly dropped?: Pick<DroppedVersions, 'batches'> | undefined
  readonly signal?: AbortSignal | undefined
  /** Others have the loop. */
  readonly pause: () => Promise<void>
}

export interface CheckedContents {
  readonly versions: number
  /** Chunks that lie on other devices only, as they may. */
  readonly awayChunks: number
  /** Versions whose list of pieces lies on other devices: what it names was not looked at. */
  readonly unlistedVersions: number
}

/** A device that does not answer holds up nobody: after so long in all, what is missing is only told. */
const FETCH_MS = 20_000

/** Chunks looked at before others have the loop: some milliseconds. */
const AT_ONCE = 32

/** Something that names chunks: a version, or what was synced and is none yet. */
interface Named {
  readonly node: NodeId | undefined
  /** undefined: on this device only. */
  readonly op: OpId | undefined
  readonly manifest: Manifest
}

/**
 * Every chunk of every version that is kept, opened and checked where it is here. *Damaged*: it was here and cannot be read, so it is
 * forgotten and fetched again. *Lost*: it is not here, and this device is the one that had to keep it (rule RP1, RP2); it is asked for, too.
 */
export async function checkContents(parts: CheckContentsParts, tell: (problem: string) => void): Promise<CheckedContents> {
  const { dataset, store, chunks, book, dropped, signal, pause } = parts
  const unsigned = new Set<OpId>(store.tail().map(({ id }) => id))
  const mustKeep = ({ op }: Named) => !book || op === undefined || unsigned.has(op) || book.mustKeep(op)
  /** Those that are here and were opened; and of those that are not, who names them. */
  const sound = new Set<ChunkId>()
  const damaged = new Map<ChunkId, Named>()
  const missing = new Map<ChunkId, { readonly due: Named[]; isElsewhere: boolean }>()
  let [unlistedVersions, looked] = [0, 0]

  const look = async (id: ChunkId, by: Named): Promise<Uint8Array | undefined> => {
    if (++looked % AT_ONCE === 0) await pause()
    if (damaged.has(id)) return undefined
    const wasHeld = chunks.has(id) // nothing comes between this and where it lies
    const chunk = await chunks.get(id)
    if (!chunk) {
      if (wasHeld) damaged.set(id, by)
      else {
        const found = missing.get(id) ?? { due: [], isElsewhere: false }
        missing.set(id, found)
        if (mustKeep(by)) found.due.push(by)
        else found.isElsewhere = true // a copy names what another version has elsewhere
      }
      return undefined
    }
    try {
      const plain = dataset.reader.open(chunk)
      sound.add(id)
      return plain
    } catch (error) {
      if (errorCode(error) === 'chunk/damaged') {
        damaged.set(id, by)
        await chunks.drop([id])
      } else tell(`chunk ${short(id)} of ${placeOf(dataset, by)} cannot be opened: ${errorMessage(error)}`)
      return undefined
    }
  }

  const lookAll = async (named: Named) => {
    const { manifest } = named
    const lookAt = async (pieces: readonly Piece[]) => {
      for (const { id } of pieces) if (id !== undefined && !sound.has(id)) await look(id, named)
    }
    if (manifest.depth === 0) return lookAt(manifest.pieces)
    const load = (id: ChunkId) => look(id, named)
    try {
      // Of its lists each is looked at when it is read.
      const visit = (block: PieceBlock, depth: number) => (depth === 0 ? lookAt(block.pieces()) : undefined)
      if (await walkLists(manifest, { load, visit, pause })) return
      unlistedVersions++
      await lookAt(manifest.pieces) // those after the one that is missing, too
    } catch (error) {
      if (errorCode(error) !== 'content/malformed') throw error
      tell(`the list of pieces of ${placeOf(dataset, named)} cannot be read: ${errorMessage(error)}`)
    }
  }

  let versions = 0
  for (const { node, version } of pagedVersions(store)) {
    versions++
    if (version.content.kind === 'file') await lookAll({ node, op: version.op, manifest: version.content.manifest })
  }
  for (const [, batch] of dropped?.batches ?? [])
    for (const { op, manifest } of batch.versions) if (book?.mustKeep(op)) await lookAll({ node: undefined, op, manifest })
  for (const { node, manifest } of dataset.syncedContents()) await lookAll({ node, op: undefined, manifest })

  // Receipts may have come meanwhile, and chunks.
  const lost = [...missing].flatMap(([id, { due, isElsewhere }]): [ChunkId, Named][] => {
    const by = isElsewhere || chunks.has(id) ? undefined : due.find(mustKeep)
    return by ? [[id, by]] : []
  })
  const until = AbortSignal.timeout(FETCH_MS)
  const wait = signal ? AbortSignal.any([signal, until]) : until
  const isBack = async (id: ChunkId) => {
    try {
      wait.throwIfAborted()
      await dataset.reader.ensure(id, wait)
      return true
    } catch {
      signal?.throwIfAborted()
      return false // nobody who is linked has it
    }
  }
  for (const [id, by] of damaged) {
    const what = `damaged: chunk ${short(id)} of ${placeOf(dataset, by)}`
    if (await isBack(id)) tell(`${what}; it was fetched again`)
    else
      tell(`${what}; ${mustKeep(by) ? 'no other device is known to have it' : 'it is fetched again when a device that has it is linked'}`)
  }
  for (const [id, by] of lost) {
    const what = `lost: chunk ${short(id)} of ${placeOf(dataset, by)} is not here, and this device had to keep it`
    tell((await isBack(id)) ? `${what}; another device had it, and it was fetched` : `${what}; no linked device has it`)
  }
  const awayChunks = [...missing.keys()].filter((id) => !chunks.has(id)).length
  return { versions, awayChunks, unlistedVersions }
}

const short = (id: string): string => id.slice(0, 16)

function placeOf(dataset: Dataset, { node, op }: Named): string {
  if (node === undefined) return 'an earlier version'
  const shown = dataset.node(node)
  const isNow = op === undefined || shown?.version === op
  return `${isNow ? '' : 'an earlier version of '}${shown ? dataset.pathOf(node) : 'something in the trash'}`
}
