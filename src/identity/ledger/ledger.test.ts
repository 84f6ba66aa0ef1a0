import { describe, expect, it } from 'vitest'
import { fromBase64Url, toBase64Url, utf8 } from '../../base/bytes.ts'
import { deviceIdOf, type PersonId } from '../../base/ids.ts'
import { silentLogger } from '../../base/logger.ts'
import { StoreError } from '../../base/store-error.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import vectors from '../../../docs/vectors/ledger-v1.json' with { type: 'json' }
import { auditLedger, type LedgerFinding } from './audit-ledger.ts'
import { Ledger } from './ledger.ts'
import { readReceipt } from './ledger-receipt.ts'
import { readRecord } from './ledger-record.ts'
import { MemoryLedgerStore } from './ledger-store.ts'
import { ledgerSentence } from './ledger-words.ts'
import { GrowingRoot, MerkleTree, rootOfProof } from './merkle.ts'

const crypto = new SodiumCrypto()
const sha256 = (bytes: Uint8Array) => crypto.sha256(bytes)
const PEER = deviceIdOf(crypto.signingKey(new Uint8Array(32).fill(9)).publicKey)

function begin(store = new MemoryLedgerStore(), seed = 1) {
  const key = crypto.signingKey(new Uint8Array(32).fill(seed))
  const signer = { device: deviceIdOf(key.publicKey), sign: (message: Uint8Array) => key.sign(message) }
  const clock = new ManualClock()
  const person = PEER as string as PersonId
  const ledger = new Ledger({ crypto, clock, logger: silentLogger, signer, person, store })
  return { ledger, store, signer, clock }
}

function tenLinks(store?: MemoryLedgerStore, firstPath = 'host') {
  const begun = begin(store)
  for (let n = 0; n < 10; n++) begun.ledger.record({ kind: 'linked', peer: PEER, path: n === 0 ? firstPath : 'host' })
  return begun
}
describe('checking at rest', () => {
  it('[ID101] says the same in slices, with a rest every fifty entries, also of one that grows meanwhile', async () => {
    const begun = tenLinks()
    for (let n = 0; n < 290; n++) begun.ledger.record({ kind: 'linked', peer: PEER, path: 'host' })
    const receipt = begun.ledger.receipt()
    let rests = 0
    const rest = async () => {
      rests++
      begun.ledger.record({ kind: 'linked', peer: PEER, path: 'relay' })
    }
    expect(await begun.ledger.verifyAtRest([receipt], rest)).toBeUndefined()
    expect(rests).toBe(6)
    expect(await begun.ledger.verifyAtRest([{ ...receipt, root: 'A'.repeat(43) }], async () => undefined)).toEqual({
      fault: 'rewritten',
      at: 300,
    })
    const stop = new AbortController()
    stop.abort(new Error('gone'))
    await expect(begun.ledger.verifyAtRest([], async () => undefined, stop.signal)).rejects.toThrow('gone')
  })

  it('[ID103] the growing root is the root of each beginning', () => {
    const records = Array.from({ length: 40 }, (_, n) => utf8(`record ${n}`))
    const growing = new GrowingRoot(sha256)
    for (let count = 0; count <= records.length; count++) {
      expect(growing.root).toEqual(new MerkleTree(sha256, records.slice(0, count)).root)
      if (count < records.length) growing.add(records[count] as Uint8Array)
    }
  })

  it('[ID101] [DV74] a sign-in that its wallet did not sign is found, though the device signed the entry', () => {
    const wallet = crypto.signingKey(new Uint8Array(32).fill(3))
    const text = 'a sign-in'
    const entry = { kind: 'signed-in', display: 'd', way: 'wallet', wallet: deviceIdOf(wallet.publicKey), text } as const
    const honest = begin()
    honest.ledger.record({ ...entry, sig: toBase64Url(wallet.sign(utf8(text))) })
    expect(honest.ledger.verify()).toBeUndefined()
    honest.ledger.record({ ...entry, text: 'another', sig: toBase64Url(wallet.sign(utf8(text))) })
    expect(honest.ledger.verify()).toEqual({ fault: 'edited', at: 2 })
  })
})

const recordsOf = ({ ledger, store }: ReturnType<typeof begin>) =>
  Array.from({ length: ledger.count }, (_, seq) => store.read(seq) as Uint8Array)

type Audit = (records: readonly (Uint8Array | undefined)[]) => LedgerFinding | undefined

/** Spoils records in seeded ways; throws, with seed and round, where an audit says nothing of it. */
function spoil(honest: readonly Uint8Array[], audit: Audit): void {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  for (let round = 0; round < roundsOfRun(60, 2_000); round++) {
    const bad: (Uint8Array | undefined)[] = [...honest]
    const at = random.below(honest.length)
    const act = (['flip', 'drop', 'lose', 'double', 'swap', 'cut'] as const)[random.below(6)]
    if (act === 'flip') {
      const bytes = (honest[at] as Uint8Array).slice()
      bytes[random.below(bytes.length)]! ^= 1 << random.below(8)
      bad[at] = bytes
    } else if (act === 'drop') bad.splice(at, 1)
    else if (act === 'lose') bad[at] = undefined
    else if (act === 'double') bad.splice(at, 0, honest[at])
    else if (act === 'swap') [bad[at], bad[(at + 1) % bad.length]] = [bad[(at + 1) % bad.length], bad[at]]
    else bad.length = at
    if (audit(bad) === undefined) throw new Error(`not found: seed ${seed}, round ${round}, ${act} at ${at}`)
  }
}

describe('a ledger', () => {
  it('[ID100] begins with an entry, chains what it records, and goes on after a restart', () => {
    const first = tenLinks()
    expect(first.ledger.count).toBe(11)
    first.ledger.dispose()
    const again = begin(first.store)
    again.ledger.record({ kind: 'port-shared', peer: PEER, port: 3000 })
    expect([again.ledger.count, again.ledger.verify()]).toEqual([12, undefined])
    expect(again.ledger.recordAt(0).body.event.kind).toBe('began')
    expect(() => again.ledger.recordAt(12)).toThrow(expect.objectContaining({ code: 'ledger/unknown' }))
  })

  it('[ID101] finds an edited, a missing, a moved, a doubled and a cut-off entry', () => {
    const whole = tenLinks()
    const { device } = whole.signer
    const honest = recordsOf(whole)
    const head = whole.store.head
    const audit: Audit = (records) => auditLedger(crypto, device, records, { head })
    expect(audit(honest)).toBeUndefined()
    spoil(honest, audit)
    const blind: Audit = (records) => (audit(records)?.fault === 'broken' ? undefined : audit(records))
    expect(() => spoil(honest, blind), 'planted: an audit that does not look at the chain').toThrow(
      /seed \d+, round \d+, (drop|lose|double|swap)/,
    )
    const faults = (records: (Uint8Array | undefined)[]) => auditLedger(crypto, device, records, { head })
    expect(faults(honest.slice(0, 7))).toEqual({ fault: 'truncated', at: 7 })
    expect(faults([...honest.slice(0, 3), ...honest.slice(4)])).toEqual({ fault: 'broken', at: 3 })
    expect(faults(honest.map((bytes, at) => (at === 5 ? bytes.with(100, 0) : bytes)))).toEqual({ fault: 'edited', at: 5 })
  })

  it('[ID101] a history written anew with the own key is found by a receipt, and by nothing else', () => {
    const before = tenLinks()
    const receipt = readReceipt(crypto, JSON.parse(JSON.stringify(before.ledger.receipt())))
    before.ledger.record({ kind: 'linked', peer: PEER, path: 'relay' })
    expect(before.ledger.verify([receipt])).toBeUndefined()
    const rewritten = tenLinks(new MemoryLedgerStore(), 'relay')
    expect(rewritten.ledger.verify()).toBeUndefined()
    expect(rewritten.ledger.verify([receipt])).toEqual({ fault: 'rewritten', at: 10 })
    expect(begin().ledger.verify([receipt])).toEqual({ fault: 'truncated', at: 1 })
    for (const changed of [{ ...receipt, count: 3 }, { ...receipt, sig: receipt.sig.replace(/^./, '!') }, { ...receipt, device: 'x' }, 7]) {
      expect(() => readReceipt(crypto, changed)).toThrow(expect.objectContaining({ code: 'ledger/malformed' }))
    }
  })

  it('[ID102] entries wait for a full disk in order, and what is given up is counted', () => {
    const { ledger, store, clock } = begin()
    const append = store.append.bind(store)
    store.append = () => {
      throw StoreError.diskFull('the ledger')
    }
    clock.advance(1_000)
    for (let port = 1; port <= 1_030; port++) ledger.record({ kind: 'port-shared', peer: PEER, port })
    expect([ledger.count, ledger.waiting]).toEqual([1, 1_024])
    store.append = append
    clock.sleep(1_000) // a new entry comes before the timer
    ledger.record({ kind: 'port-shared', peer: PEER, port: 2_000 })
    expect(ledger.waiting).toBe(0)
    expect(ledger.recordAt(1).body.event).toEqual({ kind: 'lost', count: 6 })
    expect(ledger.recordAt(2).body.event).toMatchObject({ port: 7 })
    expect(ledger.recordAt(ledger.count - 1).body.event).toMatchObject({ port: 2_000 })
    expect(ledger.verify()).toBeUndefined()
  })

  it('[ID102] what waits is written by itself once there is room, tried ever more rarely meanwhile, and no timer is left', () => {
    const { ledger, store, clock } = begin()
    const append = store.append.bind(store)
    let tries = 0
    store.append = () => {
      tries++
      throw StoreError.diskFull('the ledger')
    }
    ledger.record({ kind: 'port-shared', peer: PEER, port: 1 })
    ledger.record({ kind: 'port-shared', peer: PEER, port: 2 })
    expect([tries, clock.pendingTimers]).toEqual([1, 1])
    clock.advance(3_600_000)
    expect(tries).toBeGreaterThan(60)
    expect(tries).toBeLessThan(70)
    expect(clock.pendingTimers).toBe(1)
    const told: number[] = []
    ledger.onDidChange((count) => told.push(count))
    store.append = append
    clock.advance(60_000)
    expect([told, ledger.waiting, clock.pendingTimers]).toEqual([[3], 0, 0])
    expect([1, 2].map((at) => ledger.recordAt(at).body.event)).toMatchObject([{ port: 1 }, { port: 2 }])
    store.append = () => {
      throw StoreError.diskFull('the ledger')
    }
    ledger.record({ kind: 'port-shared', peer: PEER, port: 3 })
    ledger.dispose()
    expect(clock.pendingTimers).toBe(0)
  })

  it('[ID103] a proof shows one entry under the root of any length, and nothing else', () => {
    for (const length of [1, 2, 3, 7, 8, 33]) {
      const records = Array.from({ length }, (_, n) => utf8(`record ${n}`))
      const tree = new MerkleTree(sha256, records)
      for (const [n, record] of records.entries()) {
        expect(rootOfProof(sha256, record, tree.proof(n))).toEqual(tree.root)
        expect(rootOfProof(sha256, utf8('another'), tree.proof(n))).not.toEqual(tree.root)
      }
      expect(() => tree.proof(length)).toThrow(RangeError)
    }
    const { ledger } = tenLinks()
    const { root, count } = ledger.receipt()
    expect(toBase64Url(rootOfProof(sha256, ledger.recordAt(4).bytes, ledger.prove(4, count)))).toBe(root)
    expect(() => ledger.prove(11, 11)).toThrow(expect.objectContaining({ code: 'ledger/unknown' }))
  })

  it('[ID103] equal events have unequal records: a root confirms no guess', () => {
    const [, first, second] = recordsOf(tenLinks()).map((bytes) => JSON.parse(new TextDecoder().decode(bytes.subarray(64))).salt)
    expect(fromBase64Url(first)).toHaveLength(16)
    expect(first).not.toBe(second)
  })

  it('[ID104] a signature made for something else is no entry, and words know newer kinds', () => {
    const { signer } = begin()
    const text = utf8(JSON.stringify({ v: 1, device: signer.device }))
    expect(readRecord(crypto, signer.device, new Uint8Array([...signer.sign(text), ...text]))).toBeUndefined()
    expect(ledgerSentence({ kind: 'teleported' }, String)).toBe('teleported (from a newer version)')
  })
})

const shippedCheck = async () => {
  const script = new URL('../../../docs/verify.mjs', import.meta.url).href
  return ((await import(/* @vite-ignore */ script)) as { checkLedger(file: unknown, kept?: unknown): string | undefined }).checkLedger
}
const asFile = (bytes: Uint8Array) => ({ sig: toBase64Url(bytes.subarray(0, 64)), body: new TextDecoder().decode(bytes.subarray(64)) })
const exportOf = (begun: ReturnType<typeof begin>) => ({
  ...{ format: 'elsewhere-ledger', device: begun.signer.device as string, records: recordsOf(begun).map(asFile) },
  receipt: begun.ledger.receipt(),
})
const proofOf = (begun: ReturnType<typeof begin>) => {
  const receipt = begun.ledger.receipt()
  const path = begun.ledger.prove(4, receipt.count).map(({ side, hash }) => ({ side, hash: toBase64Url(hash) }))
  const record = asFile(begun.ledger.recordAt(4).bytes)
  return { format: 'elsewhere-ledger-proof', device: begun.signer.device as string, record, path, receipt }
}

describe('the shipped vectors (docs/vectors/ledger-v1.json)', () => {
  const device = vectors.export.device as never
  const bytesOf = ({ body, sig }: { body: string; sig: string }) => new Uint8Array([...fromBase64Url(sig), ...utf8(body)])
  const receipt = readReceipt(crypto, vectors.export.receipt)

  it('[ID104] are read as they were written', () => {
    const records = vectors.export.records.map(bytesOf)
    expect(auditLedger(crypto, device, records, { receipts: [receipt] })).toBeUndefined()
    const { path, record } = vectors.proof
    const steps = path.map(({ side, hash }) => ({ side: side as 'left' | 'right', hash: fromBase64Url(hash) }))
    expect(toBase64Url(rootOfProof(sha256, bytesOf(record), steps))).toBe(receipt.root)
  })

  it('[ID104] docs/verify.mjs says the same of them, and of every way they can be wrong', async () => {
    const checkLedger = await shippedCheck()
    const { export: file, proof, rewritten } = vectors
    expect([file, proof, file.receipt].map((each) => checkLedger(each))).toEqual([undefined, undefined, undefined])
    const at = (n: number) => file.records[n] as (typeof file.records)[number]
    const without = file.records.filter((_, n) => n !== 2)
    const edited = file.records.map((record, n) => (n === 2 ? { ...record, body: record.body.replace('linked', 'lynked') } : record))
    expect(checkLedger({ ...file, records: edited })).toBe('edited at 2')
    expect(checkLedger({ ...file, records: without })).toBe('broken at 2')
    expect(checkLedger({ ...file, records: file.records.slice(0, 2) })).toBe('truncated at 2')
    expect(checkLedger(rewritten)).toBeUndefined()
    expect(checkLedger(rewritten, file.receipt)).toBe(`rewritten before ${file.receipt.count}`)
    expect(checkLedger({ ...proof, record: at(0) })).toBe('the entry is not under this root')
    expect(checkLedger({ ...file, receipt: { ...file.receipt, count: 2 } })).toBe('the receipt was changed')
  })

  it('[ID104] it finds two histories that a device signed, from the receipts alone, also in a proof', async () => {
    const checkLedger = await shippedCheck()
    const [honest, told] = [tenLinks(), tenLinks(undefined, 'relay')]
    const [one, other] = [honest.ledger.receipt(), told.ledger.receipt()]
    expect([one.count, checkLedger(one, one), checkLedger(one, tenLinks().ledger.receipt())?.slice(0, 4)]).toEqual([11, undefined, 'fork'])
    expect(checkLedger(one, other)).toBe('fork: of as many entries two different histories were signed')
    expect(checkLedger(one, [one, other])).toContain('fork')
    expect(checkLedger(one, { ...other, count: '11' })).toBe('the receipt was changed')
    expect(checkLedger(proofOf(honest), one)).toBeUndefined()
    expect(checkLedger(proofOf(honest), other)).toContain('fork')
    told.ledger.record({ kind: 'linked', peer: PEER, path: 'host' })
    expect(checkLedger(one, told.ledger.receipt())).toBeUndefined() // of another length: only the entries would tell
    expect(checkLedger(exportOf(told), one)).toBe('rewritten before 11')
  })

  it('[ID104] it says of a ledger that was changed anywhere what the check here says', async () => {
    const checkLedger = await shippedCheck()
    const seed = seedOfRun()
    const random = new SeededRandom(seed)
    const wallet = crypto.signingKey(new Uint8Array(32).fill(3))
    const entry = { kind: 'signed-in', display: 'd', way: 'wallet', wallet: deviceIdOf(wallet.publicKey) } as const
    let found = 0
    const rounds = roundsOfRun(150, 3_000)
    for (let round = 0; round < rounds; round++) {
      const begun = tenLinks()
      const signedText = random.chance(0.8) ? 'a sign-in' : 'another'
      begun.ledger.record({ ...entry, text: 'a sign-in', sig: toBase64Url(wallet.sign(utf8(signedText))) })
      const file = exportOf(begun)
      const at = random.below(file.records.length)
      const record = file.records[at] as (typeof file.records)[number]
      const place = random.below(record.body.length)
      const ways = [
        () => undefined,
        () => void (record.body = record.body.slice(0, place) + random.pick(['0', 'a', '"', '']) + record.body.slice(place + 1)),
        () => void (record.sig = toBase64Url(fromBase64Url(record.sig).map((byte, n) => (n === place % 64 ? byte ^ 1 : byte)))),
        () => void file.records.splice(at, 1),
        () => void file.records.splice(at, 0, record),
        () => void file.records.reverse(),
        () => void file.records.splice(at),
      ]
      random.pick(ways)()
      const records = file.records.map(({ body, sig }) => new Uint8Array([...fromBase64Url(sig), ...utf8(body)]))
      const finding = auditLedger(crypto, begun.signer.device, records, { receipts: [begun.ledger.receipt()] })
      const said = checkLedger({ ...file, receipt: begun.ledger.receipt() })
      if (finding) found++
      expect(said === undefined, `seed ${seed}, round ${round}: ${said} and ${JSON.stringify(finding)}`).toBe(finding === undefined)
      if (finding && finding.fault !== 'rewritten') expect(said).toBe(`${finding.fault} at ${finding.at}`)
    }
    expect(found).toBeGreaterThan(rounds / 3)
  })
})
