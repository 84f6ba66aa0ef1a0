import { existsSync, renameSync } from 'node:fs'
import path from 'node:path'
import type { Logger } from '../../base/logger.ts'
import type { Sealer } from '../../base/sealer.ts'
import type { DeviceParts, DeviceStore } from '../../device/device-parts.ts'
import { FolderKeyValueStore } from '../../platform/node/folder-key-value-store.ts'
import { SqliteAuthorityStore } from '../../platform/node/sqlite-authority-store.ts'
import { SqliteEnvelopeLog } from '../../platform/node/sqlite-envelope-log.ts'
import { SqliteKeyValueStore } from '../../platform/node/sqlite-key-value-store.ts'
import { SqliteLedgerStore } from '../../platform/node/sqlite-ledger-store.ts'
import { SqliteStore } from '../../platform/node/sqlite-store.ts'

/** The sealed store of one device. @throws StoreError `store/disk-full`, `store/read-only`, `store/failed` */
export function openDeviceStore(file: string, sealer: Sealer, log: Logger): DeviceStore {
  const store = new SqliteStore({ path: file, sealer })
  const aside = store.setAsideAtStart?.path
  if (aside !== undefined && existsSync(outputsOf(file))) renameSync(outputsOf(file), outputsOf(aside))
  const outputs = new FolderKeyValueStore(outputsOf(file), sealer, log)
  return {
    log: new SqliteEnvelopeLog(store),
    values: new SqliteKeyValueStore(store),
    outputs,
    authority: (person) => new SqliteAuthorityStore(store, person),
    setAside: aside && path.basename(aside),
    onDidSetAside: (listener) => store.onDidSetAside((moved) => listener(path.basename(moved.path))),
    dispose: () => {
      outputs.dispose()
      store.dispose()
    },
  }
}

/** Beside it, and put aside with it. */
const outputsOf = (file: string): string => `${file}-outputs`

/** The ledger's own file. @throws StoreError `store/disk-full`, `store/read-only`, `store/failed` */
export function openLedgerStore(file: string, sealer: Sealer): ReturnType<DeviceParts['openLedger']> {
  const store = new SqliteStore({ path: file, sealer })
  return { store: new SqliteLedgerStore(store), values: new SqliteKeyValueStore(store), dispose: () => store.dispose() }
}

/** Renames a closed store: `store.sqlite.before-joining`, with a number when there is one already. Still sealed by this device's keys. */
export function putStoreAside(file: string): void {
  let target = `${file}.before-joining`
  for (let n = 2; existsSync(target); n++) target = `${file}.before-joining-${n}`
  for (const suffix of ['', '-wal', '-shm', '-outputs']) if (existsSync(file + suffix)) renameSync(file + suffix, target + suffix)
}
