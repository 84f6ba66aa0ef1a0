import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toBase58 } from '../src/base/base58.ts'
import { utf8 } from '../src/base/bytes.ts'
import { systemClock } from '../src/base/clock.ts'
import type { DeviceId, PersonId } from '../src/base/ids.ts'
import { AuthorityLog } from '../src/identity/authority/authority-log.ts'
import { foldAuthority } from '../src/identity/authority/fold-authority.ts'
import { decodeOperation, genesisOf, signOperation } from '../src/identity/authority/operation-codec.ts'
import type { Operation, OperationBody } from '../src/identity/authority/operation.ts'
import { encodeState } from '../src/identity/authority/state-codec.ts'
import type { SigningKey } from '../src/identity/crypto.ts'
import { DeviceKeys } from '../src/identity/device-keys.ts'
import { SqliteAuthorityStore } from '../src/platform/node/sqlite-authority-store.ts'
import { SodiumCrypto } from '../src/platform/node/sodium-crypto.ts'
import { SqliteStore } from '../src/platform/node/sqlite-store.ts'
import { useLanePeer } from '../src/testkit/lane-peer-hook.ts'
import { batchCosts, cpuMs, handshakeMs, rotationMs } from './identity/links-and-gate.ts'
import { median, type Bench, type Row } from './report.ts'

/* `npm run bench -- identity`: what the authority log, links, the gate and new keys cost. CPU of this process. */

const DEVICES = 50
const FEW = 10_000
const MANY = 100_000
const NEWER = 200
const CUTS = 5
/** Of the grants, this part is live at the end; the others were withdrawn or replaced. */
const LIVE_GRANTS = 2_000

/** A long history of one person: devices come, are renamed, grants are made and withdrawn. In one line, as honest devices write. */
function history(crypto: SodiumCrypto, count: number): { readonly person: PersonId; readonly operations: readonly Operation[] } {
  const keys = Array.from({ length: DEVICES + 1 }, () => crypto.signingKey(crypto.bytes(32)))
  const ids = keys.map(({ publicKey }) => toBase58(publicKey)) as DeviceId[]
  const person = ids[0] as string as PersonId
  const operations: Operation[] = []
  const seqs = new Map<number, number>()
  const say = (signer: number, body: OperationBody): void => {
    const seq = body.kind === 'genesis' ? 0 : (seqs.get(signer) ?? 0) + 1
    seqs.set(signer, seq)
    const last = operations.at(-1)
    const key = keys[signer] as SigningKey
    const said = last ? { seq, atMs: 1_700_000_000_000 + operations.length, prevs: [last.id], body } : genesisOf(person)
    operations.push(signOperation(crypto, said, { by: ids[signer] as DeviceId, sign: (message) => key.sign(message) }))
  }
  say(0, { kind: 'genesis' })
  for (let n = 1; n <= DEVICES; n++) {
    const entry = { device: ids[n] as DeviceId, boxKey: crypto.bytes(32), name: `Device ${n}`, platform: 'linux' }
    say(0, { kind: 'add-device', role: n <= 5 ? 'admin' : 'member', entry })
  }
  const live: Operation[] = []
  while (operations.length < count) {
    const admin = 1 + (operations.length % 5)
    const about = ids[1 + (operations.length % DEVICES)] as DeviceId
    if (operations.length % 7 === 0) say(admin, { kind: 'rename', device: about, name: `Device ${operations.length}` })
    else if (live.length >= LIVE_GRANTS) say(admin, { kind: 'revoke', target: (live.shift() as Operation).id })
    else {
      say(admin, {
        kind: 'grant',
        grant: {
          person,
          device: about,
          target: { kind: 'port', port: 1 + (operations.length % 60_000) },
          abilities: ['ports:share'],
          mayDelegate: false,
        },
      })
      live.push(operations.at(-1) as Operation)
    }
  }
  return { person, operations }
}

/** CPU of opening a real store whose log has a checkpoint and newer operations behind it. */
function openings(crypto: SodiumCrypto, { person, operations }: ReturnType<typeof history>, checkpoint: Uint8Array): number[] {
  const folder = mkdtempSync(join(tmpdir(), 'elsewhere-bench-'))
  const { sealer } = DeviceKeys.create(crypto, person)
  const openStore = () => new SqliteStore({ path: join(folder, 'store.sqlite'), sealer })
  try {
    const first = openStore()
    const store = new SqliteAuthorityStore(first, person)
    store.append(operations)
    store.putCheckpoint({ count: MANY, state: checkpoint })
    first.dispose()
    return Array.from({ length: 9 }, () => {
      const again = openStore()
      const ms = cpuMs(() =>
        AuthorityLog.open({ crypto, clock: systemClock, person, store: new SqliteAuthorityStore(again, person) }).dispose(),
      )
      again.dispose()
      return ms
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function run(): Promise<readonly Row[]> {
  const crypto = new SodiumCrypto()
  const few = history(crypto, FEW)
  const checkMs = cpuMs(() => few.operations.forEach(({ bytes }) => decodeOperation(crypto, bytes)))
  const foldMs = cpuMs(() => void foldAuthority(few.person, few.operations))
  const perSecond = FEW / ((checkMs + foldMs) / 1_000)
  const message = utf8('x'.repeat(256))
  const key = crypto.signingKey(crypto.bytes(32))
  const signature = key.sign(message)
  const bareMs = cpuMs(() => {
    for (let n = 0; n < FEW; n++) crypto.verify(key.publicKey, message, signature)
  })
  const many = history(crypto, MANY + NEWER)
  const before = foldAuthority(many.person, many.operations.slice(0, MANY)).state
  const kept = encodeState(before)
  const opens = openings(crypto, many, kept)
  const fullMs = cpuMs(() => void foldAuthority(many.person, many.operations))
  const perSide = median(Array.from({ length: 5 }, () => handshakeMs(crypto)))
  const of50 = batchCosts(crypto, 50)
  const of200 = batchCosts(crypto, 200)
  const rotation = rotationMs(crypto, DEVICES)
  useLanePeer()
  const { anchorCost, cutMs } = await import('./identity/cut-and-anchor.ts')
  const cuts = await repeat(CUTS, cutMs)
  const slowest = Math.max(...cuts.flatMap((cut) => Object.values(cut)))
  const anchors = await Promise.all([1, 1_000, FEW].map((entries) => anchorCost(crypto, entries)))
  return [
    row('identity-handshake', 'proof of both keys, fingerprints and heads, without WebRTC', perSide, 'ms CPU a side', '<= 5', perSide <= 5),
    row(
      'identity-batch-sign',
      'envelope of 50 updates signed, against a bare signature of its bytes',
      of50.signRatio,
      'times',
      '<= 1.5',
      of50.signRatio <= 1.5,
    ),
    row(
      'identity-batch-verify',
      'the same read and verified, against a bare verification',
      of50.verifyRatio,
      'times',
      '<= 1.5',
      of50.verifyRatio <= 1.5,
    ),
    row(
      'identity-gate-50',
      'what the gate adds to applying updates, batches of 50',
      100 * of50.gateShare,
      '%',
      '<= 25',
      of50.gateShare <= 0.25,
    ),
    row('identity-gate-200', 'the same, batches of 200', 100 * of200.gateShare, '%', '<= 10', of200.gateShare <= 0.1),
    {
      ...row(
        'identity-cut',
        'from the word that a device is removed until it is out, slowest of all',
        slowest,
        'ms',
        '<= 2000',
        slowest <= 2_000,
      ),
      n: CUTS,
      peers: Object.fromEntries((['terminal', 'job', 'transfer'] as const).map((what) => [what, median(cuts.map((cut) => cut[what]))])),
    },
    {
      ...row(
        'identity-anchor',
        `transactions for one anchor of 1, 1000 and ${FEW} entries, the most of them`,
        Math.max(...anchors.map(({ transactions }) => transactions)),
        'transactions',
        '= 1',
        anchors.every(({ transactions }) => transactions === 1),
      ),
      peers: { lamports: Math.max(...anchors.map(({ lamports }) => lamports)) },
    },
    {
      ...row('identity-rotation', `a new epoch sealed to ${DEVICES} devices`, rotation.make, 'ms CPU'),
      peers: { 'opening it on one': rotation.take },
    },
    row(
      'identity-fold',
      `full fold of ${FEW} operations, ${DEVICES} devices: form, signature and fold`,
      perSecond,
      'operations per CPU s',
      '>= 5000',
      perSecond >= 5_000,
    ),
    row('identity-fold-alone', 'same, the fold alone', FEW / (foldMs / 1_000), 'operations per CPU s'),
    {
      ...row('identity-check', 'form and signature of an operation', checkMs / FEW, 'ms CPU'),
      peers: { 'bare verify of 256 B': bareMs / FEW },
    },
    row(
      'identity-open',
      `sealed store with a log of ${MANY} (${LIVE_GRANTS} grants live) from a checkpoint of ${(kept.length / 1024).toFixed(0)} KiB, with ${NEWER} newer`,
      median(opens),
      'ms CPU',
      '<= 100',
      median(opens) <= 100,
    ),
    row(
      'identity-fold-many',
      `full fold of ${MANY}, already checked`,
      MANY / (fullMs / 1_000),
      'operations per CPU s',
      '>= 5000',
      MANY / (fullMs / 1_000) >= 5_000,
    ),
    row(
      'identity-bytes',
      'operation on disk and wire, mean',
      many.operations.reduce((sum, { bytes }) => sum + bytes.length, 0) / many.operations.length,
      'bytes',
    ),
  ]
}

async function repeat<T>(times: number, work: () => Promise<T>): Promise<T[]> {
  const all: T[] = []
  for (let n = 0; n < times; n++) all.push(await work())
  return all
}

const row = (id: string, what: string, value: number, unit: string, must?: string, met?: boolean): Row => ({
  id,
  what,
  value,
  unit,
  must,
  met,
  goal: undefined,
  peers: {},
})

export const bench: Bench = { name: 'identity', run }
