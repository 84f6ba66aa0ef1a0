import { mkdirSync, statfsSync } from 'node:fs'
import path from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { DisposableStore } from '../../base/disposable.ts'
import type { Logger } from '../../base/logger.ts'
import type { DatasetStores } from '../../files/open-dataset.ts'
import { WriteBehindStore } from '../../files/write-behind-store.ts'
import { FileJournal } from './file-journal.ts'
import { FilesSealer } from './files-sealer.ts'
import { PackChunkStore } from './pack-chunk-store.ts'
import { SqliteDatasetStore } from './sqlite-dataset-store.ts'

/** What a device keeps of contents by default: 10 GiB, but no more than a tenth of its disk. */
const DEFAULT_LIMIT_BYTES = 10 * 1024 ** 3
const DEFAULT_SHARE = 0.1

/**
 * The stores of one dataset in its folder: the tree in a journal and SQLite, contents in packs. ELSEWHERE_CACHE_BYTES sets another limit.
 * @throws StoreError
 */
export function openDatasetStores(
  folder: string,
  storageKey: Uint8Array,
  environment: Readonly<Record<string, string | undefined>>,
  log: Logger,
): DatasetStores {
  const owned = new DisposableStore()
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const sealer = owned.add(new FilesSealer(storageKey))
    const behind = owned.add(new SqliteDatasetStore(path.join(folder, 'tree.sqlite'), sealer))
    const journal = owned.add(new FileJournal(folder, sealer, log))
    const store = owned.add(new WriteBehindStore({ behind, journal, clock: systemClock, log }))
    const chunks = owned.add(new PackChunkStore(path.join(folder, 'chunks')))
    const { blocks, bsize } = statfsSync(folder)
    const asked = Number(environment.ELSEWHERE_CACHE_BYTES)
    const limitBytes = asked > 0 ? asked : Math.min(DEFAULT_LIMIT_BYTES, Math.floor(blocks * bsize * DEFAULT_SHARE))
    return { store, chunks, limitBytes, dispose: () => owned.dispose() }
  } catch (error) {
    owned.dispose()
    throw error
  }
}
