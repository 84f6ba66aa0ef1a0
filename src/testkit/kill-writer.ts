import { writeSync } from 'node:fs'
import { WORKSPACE_DOC } from '../base/ids.ts'
import { SqliteEnvelopeLog } from '../platform/node/sqlite-envelope-log.ts'
import { SqliteKeyValueStore } from '../platform/node/sqlite-key-value-store.ts'
import { SqliteStore } from '../platform/node/sqlite-store.ts'
import { Documents } from '../sync/documents.ts'
import { fakeDevice, fakeSealer } from './fake-identity.ts'
import { syncContext } from './sync-device.ts'

/*
 * A device that writes as fast as it can until it is killed: `node kill-writer.ts STORE FROM`. Says `kept N` on stdout when
 * everything up to N is in the log. Cached states and snapshots are written far more often than in the product, so that a
 * kill meets them too.
 */
const [path, from] = process.argv.slice(2) as [string, string]
const store = new SqliteStore({ path, sealer: fakeSealer() })
const context = syncContext(fakeDevice('A'), { log: new SqliteEnvelopeLog(store), store: new SqliteKeyValueStore(store) })
const replica = new Documents(context, { replica: { snapshotEvery: 40 } }).open(WORKSPACE_DOC)

let written = Number(from)
replica.onDidAppend(() => writeSync(1, `kept ${written}\n`))

function write(): void {
  for (let n = 0; n < 3; n++) {
    written++
    replica.edit((doc) => doc.getMap('m').set(`k${written}`, written))
  }
  if (written % 30 === 0) replica.saveState()
  if (written % 100 === 0) replica.makeSnapshot()
  setTimeout(write, written % 4)
}
write()
