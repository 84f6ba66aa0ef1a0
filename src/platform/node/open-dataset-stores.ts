import { existsSync, mkdirSync, readdirSync, statfsSync, statSync } from 'node:fs'
import path from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { errorCode } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { DatasetStores } from '../../files/open-dataset.ts'
import { WriteBehindStore } from '../../files/write-behind-store.ts'
import { FileJournal } from './file-journal.ts'
import { FilesSealer } from './files-sealer.ts'
import { PackChunkStore } from './pack-chunk-store.ts'
import { finishSettingAside, setTreeAside } from './set-tree-aside.ts'
import { SqliteDatasetStore } from './sqlite-dataset-store.ts'

/** One page of SQLite's. */
const LEAST_TREE_BYTES = 4096

/**
 * The stores of one dataset in its folder: the tree in a journal and SQLite, contents in packs. ELSEWHERE_CACHE_BYTES decides
 * before the device's setting how much of them is kept.
 * A tree that is damaged, or found to be (`isDamaged`), is set aside; what can be read of it is carried over (rule DS12).
 * @throws StoreError
 */
export function openDatasetStores(
  folder: string,
  storageKey: Uint8Array,
  environment: Readonly<Record<string, string | undefined>>,
  log: Logger,
  { part = 'shared', isDamaged = false }: { readonly part?: 'shared' | 'local'; readonly isDamaged?: boolean } = {},
): DatasetStores {
  const owned = new DisposableStore()
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const sealer = owned.add(new FilesSealer(storageKey))
    const file = path.join(folder, 'tree.sqlite')
    finishSettingAside(file)
    let aside = isDamaged || isCutOff(folder, file) ? setTreeAside(file, sealer, part) : undefined
    const openTree = () => {
      const tree = new DisposableStore()
      try {
        const behind = tree.add(new SqliteDatasetStore(file, sealer))
        const journal = tree.add(new FileJournal(folder, sealer, log))
        const store = tree.add(new WriteBehindStore({ behind, journal, clock: systemClock, log }))
        return { tree, behind, store }
      } catch (error) {
        tree.dispose()
        throw error
      }
    }
    const openSound = () => {
      try {
        return openTree()
      } catch (error) {
        if (aside || errorCode(error) !== 'store/damaged') throw error
        aside = setTreeAside(file, sealer, part)
        return openTree()
      }
    }
    const { tree, behind, store } = openSound()
    owned.add(tree)
    const damaged = owned.add(new Emitter<void>())
    behind.onDamage = () => damaged.fire()
    if (aside) log.warn('the tree of files was damaged: it was set aside, and is made again of its logs', { ...aside })
    const chunks = owned.add(new PackChunkStore(path.join(folder, 'chunks')))
    const asked = Number(environment.ELSEWHERE_CACHE_BYTES)
    const limitBytes = asked > 0 ? asked : undefined
    const disk = () => {
      const { blocks, bavail, bsize } = statfsSync(folder)
      return { bytes: blocks * bsize, freeBytes: bavail * bsize }
    }
    return { store, chunks, limitBytes, disk, setAside: aside?.file, onDidDamage: damaged.event, dispose: () => owned.dispose() }
  } catch (error) {
    owned.dispose()
    throw error
  }
}

/** SQLite takes a file of less than a page for a new one; where contents lie it is none. */
function isCutOff(folder: string, file: string): boolean {
  if (existsSync(`${file}-wal`) || (existsSync(file) && statSync(file).size >= LEAST_TREE_BYTES)) return false
  const chunks = path.join(folder, 'chunks')
  return existsSync(chunks) && readdirSync(chunks).some((name) => name.endsWith('.pack'))
}
