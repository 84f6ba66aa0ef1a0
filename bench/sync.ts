import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as Y from 'yjs'
import { systemClock } from '../src/base/clock.ts'
import { publicKeyOf, WORKSPACE_DOC } from '../src/base/ids.ts'
import { silentLogger } from '../src/base/logger.ts'
import { systemRandom } from '../src/base/random.ts'
import { toBase58 } from '../src/base/base58.ts'
import { DeviceKeys } from '../src/identity/device-keys.ts'
import { SodiumCrypto } from '../src/platform/node/sodium-crypto.ts'
import { SqliteEnvelopeLog } from '../src/platform/node/sqlite-envelope-log.ts'
import { SqliteKeyValueStore } from '../src/platform/node/sqlite-key-value-store.ts'
import { SqliteStore } from '../src/platform/node/sqlite-store.ts'
import { ClientIds, newStartId } from '../src/sync/client-ids.ts'
import { Frontier } from '../src/sync/frontier.ts'
import { PausedDevices } from '../src/sync/paused-devices.ts'
import { Replica } from '../src/sync/replica.ts'
import { quantile, type Bench, type Row } from './report.ts'

/** Bytes of envelopes in the log under test. */
const LOG_BYTES = 10 << 20

interface Rig {
  readonly replica: Replica
  readonly log: SqliteEnvelopeLog
  close(): void
}

/** One device with real keys and a real store, without links. */
function openRig(path: string, keys: DeviceKeys, crypto: SodiumCrypto): Rig {
  const store = new SqliteStore({ path, sealer: keys.sealer })
  const values = new SqliteKeyValueStore(store)
  const log = new SqliteEnvelopeLog(store)
  const start = newStartId(systemRandom)
  const replica = new Replica(
    {
      log,
      store: values,
      signer: keys.signer,
      check: { isMember: () => true, verify: (device, message, signature) => crypto.verify(publicKeyOf(device), message, signature) },
      seal: keys.datasetKeys,
      start,
      clientIds: new ClientIds({ device: keys.device, start, store: values, clock: systemClock }),
      paused: new PausedDevices(values),
      clock: systemClock,
      logger: silentLogger,
    },
    WORKSPACE_DOC,
    { snapshotEvery: Number.MAX_SAFE_INTEGER },
  )
  return {
    replica,
    log,
    close() {
      replica.dispose()
      store.dispose()
    },
  }
}

const timed = (work: () => void): number => {
  const from = performance.now()
  work()
  return performance.now() - from
}

const row = (id: string, what: string, value: number, unit: string, goal?: string): Row => ({
  id,
  what,
  value,
  unit,
  must: undefined,
  met: undefined,
  goal,
  peers: {},
})

async function run(): Promise<readonly Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'elsewhere-bench-'))
  const crypto = new SodiumCrypto()
  const keys = DeviceKeys.create(crypto, toBase58(crypto.bytes(32)) as never)
  const other = DeviceKeys.decode(crypto, keys.encode()) // reads the same epochs; a second chain comes from its own start
  try {
    const first = openRig(join(folder, 'a.sqlite'), keys, crypto)
    const kept: number[] = []
    for (let n = 0; first.log.size(WORKSPACE_DOC).bytes < LOG_BYTES; n++) {
      for (let part = 0; part < 100; part++) {
        kept.push(
          timed(() => {
            first.replica.edit((doc) =>
              doc.getMap('m').set(`k${(n * 100 + part) % 1_000}`, `value ${n} of a record as the desk has them, ${part}`),
            )
            first.replica.flush()
          }),
        )
      }
    }
    const { envelopes, bytes } = first.log.size(WORKSPACE_DOC)
    const replayMs = await reload(folder, keys, crypto, first, false)
    const second = openRig(join(folder, 'a.sqlite'), keys, crypto)
    const cachedMs = await reload(folder, keys, crypto, second, true)
    const third = openRig(join(folder, 'a.sqlite'), keys, crypto)
    const page = third.log.page(WORKSPACE_DOC, { after: 0, have: new Frontier(), maxBytes: Number.MAX_SAFE_INTEGER })
    const joiner = openRig(join(folder, 'b.sqlite'), other, crypto)
    const into = (update: Uint8Array): void => Y.applyUpdate(joiner.replica.doc, update, 'peer')
    const gateMs = page.rows.map(({ bytes: envelope }) => timed(() => joiner.replica.receive(envelope, into)))
    third.replica.makeSnapshot()
    const snapshot = third.log.loadSnapshot(WORKSPACE_DOC) as Uint8Array
    const newcomer = openRig(join(folder, 'c.sqlite'), other, crypto)
    const snapshotMs = timed(() =>
      newcomer.replica.receiveSnapshot(snapshot, (update) => Y.applyUpdate(newcomer.replica.doc, update, 'peer')),
    )
    for (const rig of [third, joiner, newcomer]) rig.close()
    const disk = statSync(join(folder, 'a.sqlite')).size
    return [
      row('sync-keep-p50', `a change: sealed, signed, in the log (${kept.length}), p50`, quantile(kept, 0.5) * 1_000, 'us'),
      row('sync-keep-p95', 'same, p95', quantile(kept, 0.95) * 1_000, 'us'),
      row('sync-gate-p50', 'an envelope of a peer: gate, log, document, p50', quantile(gateMs, 0.5) * 1_000, 'us'),
      row('sync-gate-p95', 'same, p95', quantile(gateMs, 0.95) * 1_000, 'us'),
      row(
        'sync-join-log',
        `new device: ${(bytes / 2 ** 20).toFixed(0)} MiB in ${envelopes} envelopes, one by one`,
        gateMs.reduce((a, b) => a + b, 0),
        'ms',
        '3 s',
      ),
      row('sync-join-snapshot', 'new device: the same by snapshot', snapshotMs, 'ms', '3 s'),
      row('sync-load-cached', 'start: the same log, cached state', cachedMs, 'ms', '300 ms'),
      row('sync-load-replay', 'start: the same log, no cached state', replayMs, 'ms'),
      row('sync-disk', 'store on disk per byte of envelopes', disk / bytes, 'x'),
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Closes and opens again; without a cached state, as after a damaged one, everything is replayed. */
async function reload(folder: string, keys: DeviceKeys, crypto: SodiumCrypto, rig: Rig, isCached: boolean): Promise<number> {
  if (isCached) rig.replica.saveState()
  else rig.replica.discard()
  rig.close()
  let again: Rig | undefined
  const ms = timed(() => {
    again = openRig(join(folder, 'a.sqlite'), keys, crypto)
  })
  again?.close()
  return ms
}

/** What keeping and merging changes costs, with real keys on a real disk. Not among the promises: shows where they come from. */
export const bench: Bench = { name: 'sync', run }
