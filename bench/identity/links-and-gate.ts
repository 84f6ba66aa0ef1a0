import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import * as Y from 'yjs'
import { utf8 } from '../../src/base/bytes.ts'
import type { DeviceId, PersonId } from '../../src/base/ids.ts'
import { publicKeyOf, WORKSPACE_DOC } from '../../src/base/ids.ts'
import { systemRandom } from '../../src/base/random.ts'
import { toBase58 } from '../../src/base/base58.ts'
import { offerSha256 } from '../../src/base/sha256.ts'
import type { DeviceKeys } from '../../src/identity/device-keys.ts'
import { DeviceKeys as Keys } from '../../src/identity/device-keys.ts'
import type { SodiumCrypto } from '../../src/platform/node/sodium-crypto.ts'
import { CausalState } from '../../src/sync/causal-state.ts'
import { clientIdOf, newStartId } from '../../src/sync/client-ids.ts'
import { decodeEnvelope, hashEnvelope, isSigned, NO_HASH, sealContextOf, signedPartOf, signEnvelope } from '../../src/sync/envelope.ts'
import { Gate } from '../../src/sync/gate.ts'
import { LinkHello } from '../../src/sync/link-hello.ts'
import { decodeWire } from '../../src/sync/link-wire.ts'
import { median } from '../report.ts'
import { MemoryEnvelopeLog } from '../../src/sync/memory-envelope-log.ts'

/** CPU milliseconds of this process. */
export const cpuMs = (work: () => void): number => {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

const HANDSHAKES = 1_000
const BATCHES = 400
const ROUNDS = 15
const WARM_UP = 10
const GATE_ROUNDS = 4

/** What came before must not be cleared away on the account of what is measured. Its own garbage is. */
const collectGarbage = (() => {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
})()

function twoDevices(crypto: SodiumCrypto): readonly [DeviceKeys, DeviceKeys] {
  const person = toBase58(crypto.bytes(32)) as PersonId
  return [Keys.create(crypto, person), Keys.create(crypto, person)]
}

const checkOf = (crypto: SodiumCrypto) => ({
  isMember: () => true,
  verify: (device: DeviceId, message: Uint8Array, signature: Uint8Array) => crypto.verify(publicKeyOf(device), message, signature),
})

/** CPU of one side of a link's hello: both proofs signed and checked, without what WebRTC does before. */
export function handshakeMs(crypto: SodiumCrypto): number {
  const [a, b] = twoDevices(crypto)
  const print = (byte: number) => new Uint8Array(32).fill(byte)
  const shared = { check: checkOf(crypto), random: systemRandom, head: () => new Uint8Array(40).fill(1) }
  const ms = cpuMs(() => {
    for (let n = 0; n < HANDSHAKES; n++) {
      const seen = { live: { local: print(1), remote: print(2) }, bulk: { local: print(3), remote: print(4) } }
      const mirrored = { live: { local: print(2), remote: print(1) }, bulk: { local: print(4), remote: print(3) } }
      const knock = new LinkHello({ ...shared, role: 'knock', signer: a.signer, peer: b.device, fingerprints: seen })
      const door = new LinkHello({ ...shared, role: 'door', signer: b.signer, peer: a.device, fingerprints: mirrored })
      const hear = (side: LinkHello, messages: readonly Uint8Array[]) =>
        messages.flatMap((bytes) => side.receive(decodeWire(bytes, 'bench'), bytes))
      const [fromKnock, fromDoor] = [knock.begin(), door.begin()]
      const proof = hear(knock, fromDoor)
      hear(door, fromKnock)
      hear(door, hear(knock, hear(door, proof)))
      if (!knock.isDone || !door.isDone) throw new Error('the hello of the bench did not end')
    }
  })
  return ms / HANDSHAKES / 2
}

export interface BatchCosts {
  /** Sealing and signing an envelope against a bare signature of its bytes, and reading and verifying one against a bare verification. */
  readonly signRatio: number
  readonly verifyRatio: number
  /** What the gate adds, as a part of what applying the updates of a batch one by one costs. */
  readonly gateShare: number
}

/** Typing in a text, a batch of so many updates an envelope, through a real gate with real signatures and seals. */
export function batchCosts(crypto: SodiumCrypto, size: number): BatchCosts {
  offerSha256((bytes) => crypto.sha256(bytes)) // as a device does
  const [author, reader] = twoDevices(crypto)
  const start = newStartId(systemRandom)
  const written = new Y.Doc()
  written.clientID = clientIdOf(author.device, { start, n: 1 })
  const singles: Uint8Array[][] = []
  for (let batch = 0; batch < BATCHES; batch++) {
    const updates: Uint8Array[] = []
    const listen = (update: Uint8Array) => void updates.push(update)
    written.on('update', listen)
    for (let n = 0; n < size; n++) written.getText('t').insert(Math.floor(Math.random() * (written.getText('t').length + 1)), 'word ')
    written.off('update', listen)
    singles.push(updates)
  }
  const merged = singles.map((updates) => Y.mergeUpdates(updates))
  const seal = author.datasetKeys
  const sealed = merged.map((update, i) => {
    const ref = { device: author.device, start, seq: i + 1 }
    return {
      ...ref,
      doc: WORKSPACE_DOC,
      epoch: seal.epoch,
      deps: [],
      clients: [{ start, n: 1 }],
      update: seal.seal(update, sealContextOf({ doc: WORKSPACE_DOC, ...ref })),
    }
  })
  const chain = () => {
    let prevHash: Uint8Array = NO_HASH
    return sealed.map((unsigned) => {
      const { bytes } = signEnvelope({ ...unsigned, prevHash }, author.signer)
      prevHash = hashEnvelope(bytes)
      return bytes
    })
  }
  const envelopes = chain()
  const parts = envelopes.map((bytes) => signedPartOf(bytes).slice())
  const signatures = envelopes.map((bytes) => decodeEnvelope(bytes).sig)
  const check = checkOf(crypto)
  const key = publicKeyOf(author.device)
  // In turn, so that a busy machine is busy for both; the first rounds, of code that is not compiled yet, do not count.
  collectGarbage()
  const rounds = Array.from({ length: ROUNDS + WARM_UP }, () => ({
    sign: cpuMs(() => void chain()),
    bareSign: cpuMs(() => parts.forEach((part) => author.signer.sign(part))),
    verify: cpuMs(() => envelopes.forEach((bytes) => isSigned(check, decodeEnvelope(bytes), bytes))),
    bareVerify: cpuMs(() => parts.forEach((part, i) => crypto.verify(key, part, signatures[i] as Uint8Array))),
  })).slice(WARM_UP)
  const gateRun = { envelopes, singles, check, seal, own: reader.device }
  const gateShare = median(Array.from({ length: GATE_ROUNDS }, () => gateShareOf(gateRun)).slice(1))
  const ratio = (of: 'sign' | 'verify', to: 'bareSign' | 'bareVerify') => median(rounds.map((round) => round[of] / round[to]))
  return { signRatio: ratio('sign', 'bareSign'), verifyRatio: ratio('verify', 'bareVerify'), gateShare }
}

interface GateRun {
  readonly envelopes: readonly Uint8Array[]
  readonly singles: readonly (readonly Uint8Array[])[]
  readonly check: ReturnType<typeof checkOf>
  readonly seal: DeviceKeys['datasetKeys']
  readonly own: DeviceId
}

/** Batch by batch, what a gate takes and what applying the batch's updates takes: a busy moment hits both. */
function gateShareOf({ envelopes, singles, check, seal, own }: GateRun): number {
  const [doc, raw] = [new Y.Doc(), new Y.Doc()]
  const causal = new CausalState()
  const gate = new Gate({
    docId: WORKSPACE_DOC,
    doc,
    causal,
    log: new MemoryEnvelopeLog(),
    check,
    seal,
    paused: { has: () => false, isSettled: () => false },
    own: { device: own, start: newStartId(systemRandom) },
  })
  collectGarbage()
  const looksMs = cpuMs(() => envelopes.forEach(() => cpuMs(() => undefined)))
  let [gateMs, applyMs] = [0, 0]
  for (const [i, bytes] of envelopes.entries()) {
    let verdict: ReturnType<typeof gate.examine> | undefined
    gateMs += cpuMs(() => (verdict = gate.examine(bytes)))
    if (verdict?.kind !== 'pass') throw new Error(`the gate of the bench refused: ${JSON.stringify(verdict)}`)
    causal.advance(verdict.envelope, verdict.hash)
    Y.applyUpdate(doc, verdict.update)
    applyMs += cpuMs(() => singles[i]?.forEach((update) => Y.applyUpdate(raw, update)))
  }
  return (gateMs - looksMs) / (applyMs - looksMs)
}

/** CPU of handing out a new epoch to so many devices, and of taking it. */
export function rotationMs(crypto: SodiumCrypto, devices: number): { readonly make: number; readonly take: number } {
  const person = toBase58(crypto.bytes(32)) as PersonId
  const keys = Array.from({ length: devices }, () => Keys.create(crypto, person))
  const root = utf8('x'.repeat(32))
  const wraps: Uint8Array[] = []
  const make = cpuMs(() => keys.forEach(({ box }) => wraps.push(crypto.sealTo(box.publicKey, root))))
  const take = cpuMs(() => keys.forEach(({ box }, i) => box.open(wraps[i] as Uint8Array)))
  return { make, take: take / devices }
}
