import { describe, expect, it } from 'vitest'
import { toBase58 } from '../../base/base58.ts'
import { concatBytes, toHex } from '../../base/bytes.ts'
import type { DatasetId, DeviceId, PersonId } from '../../base/ids.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import { MAX_WRAPS } from './body-codec.ts'
import { decodeOperation, genesisIdOf, genesisOf, MAX_OPERATION_BYTES, MAX_PREVS, parse, signOperation } from './operation-codec.ts'
import type { Operation, OperationBody, OperationId } from './operation.ts'
import { parseDatasetId, parseGrantedProgram, parsePersonId, parseProgramId, programIdOfHash } from './program-id.ts'

const crypto = new SodiumCrypto()
const root = crypto.signingKey(new Uint8Array(32).fill(1))
const laptop = crypto.signingKey(new Uint8Array(32).fill(2))
const me = toBase58(root.publicKey) as PersonId
const device = toBase58(laptop.publicKey) as DeviceId
const dataset = toBase58(new Uint8Array(16).fill(9)) as DatasetId
const hash = (n: number) => n.toString(16).padStart(64, '0') as OperationId
const asRoot = { by: me, sign: (message: Uint8Array) => root.sign(message) }
const entry = { device, boxKey: new Uint8Array(32).fill(7), name: 'Laptop', platform: 'linux' }
const grant = {
  person: me,
  device,
  program: parseProgramId(`sha256:${'ab'.repeat(32)}`),
  on: device,
  target: { kind: 'dataset' as const, dataset },
  abilities: ['files:read', 'files:write'],
  mayDelegate: true,
  untilMs: 1_800_000_000_000,
}
const BODIES: readonly OperationBody[] = [
  { kind: 'add-device', role: 'admin', entry },
  { kind: 'remove-device', device, lastCounted: [{ doc: 'workspace', start: '0011223344556677', seq: 5 }] },
  { kind: 'role', role: 'admin', entry },
  { kind: 'role', role: 'member', device },
  { kind: 'rename', device, name: 'Desk' },
  { kind: 'box-key', boxKey: new Uint8Array(32).fill(8) },
  { kind: 'contact', person: me, name: 'Ada', checkedBy: 'words' },
  { kind: 'grant', grant },
  {
    kind: 'delegate',
    from: hash(3),
    grant: { person: me, target: { kind: 'port', port: 8080 }, abilities: ['ports:share'], mayDelegate: false },
  },
  { kind: 'grant', grant: { person: me, target: { kind: 'jobs', jobClass: 'batch' }, abilities: ['jobs:run'], mayDelegate: false } },
  { kind: 'grant', grant: { person: me, target: { kind: 'shell' }, abilities: ['shell'], mayDelegate: false } },
  { kind: 'revoke', target: hash(4) },
  { kind: 'rotate', dataset, epoch: 3, wraps: [{ device, sealed: new Uint8Array(80).fill(4) }], previous: new Uint8Array(72).fill(5) },
  { kind: 'acquaint', person: me, checkedBy: 'qr', sealed: new Uint8Array(99).fill(6) },
  { kind: 'contact-card', person: me, sealed: new Uint8Array(2048).fill(7) },
  { kind: 'part', person: me },
]
const sign = (body: OperationBody, prevs: readonly OperationId[] = [hash(2), hash(1)]): Operation =>
  signOperation(crypto, { seq: 7, atMs: 1_700_000_000_000, prevs, body }, asRoot)
const malformed = expect.objectContaining({ code: 'authority/malformed' })

describe('operations', () => {
  it.each(BODIES.map((body) => [`${body.kind}`, body] as const))('[ID53] %s survives its encoding', (_, body) => {
    const made = sign(body)
    expect(decodeOperation(crypto, made.bytes)).toEqual(made)
    expect(made).toMatchObject({ by: me, seq: 7, atMs: 1_700_000_000_000, prevs: [hash(1), hash(2)], body })
  })

  it('[ID52] genesis is one and the same for a person, also when signed again', () => {
    const { by, ...said } = genesisOf(me)
    const [one, two] = [signOperation(crypto, said, asRoot), signOperation(crypto, said, asRoot)]
    expect(toHex(one.bytes)).toBe(toHex(two.bytes))
    expect([by, one.id]).toEqual([me, genesisIdOf(crypto, me)])
  })

  it('[ID52] another genesis, or a line with nothing before it, is refused', () => {
    expect(() => signOperation(crypto, { ...genesisOf(me), atMs: 1 }, asRoot)).toThrow(malformed)
    expect(() => signOperation(crypto, { ...genesisOf(me), prevs: [hash(1)] }, asRoot)).toThrow(malformed)
    expect(() => sign(BODIES[0] as OperationBody, [])).toThrow(malformed)
  })

  it('[ID53] a signature made for something else does not fit', () => {
    const { bytes } = sign(BODIES[0] as OperationBody)
    const bare = root.sign(bytes.subarray(0, bytes.length - 64))
    expect(() => decodeOperation(crypto, concatBytes(bytes.subarray(0, bytes.length - 64), bare))).toThrow(malformed)
  })

  it('[ID53] a number written the long way is another encoding, and refused', () => {
    const { bytes } = sign({ kind: 'rename', device, name: 'Desk' })
    const long = concatBytes(bytes.subarray(0, 33), Uint8Array.of(0x87, 0x00), bytes.subarray(34, bytes.length - 64))
    expect(bytes[33]).toBe(7) // the sequence number
    const signed = concatBytes(long, root.sign(concatBytes(new TextEncoder().encode('elsewhere/authority-op/1\0'), long)))
    expect(() => decodeOperation(crypto, signed)).toThrow(/the one way/)
  })

  it('[ID53] a newer version says update', () => {
    const bytes = sign(BODIES[0] as OperationBody).bytes.slice()
    bytes[0] = 2
    expect(() => decodeOperation(crypto, bytes)).toThrow(expect.objectContaining({ code: 'authority/version' }))
  })

  it('[ID53] caps: heads, wraps, names that cannot be shown, empty grants, long lines', () => {
    const prevs = Array.from({ length: MAX_PREVS + 1 }, (_, n) => hash(n))
    const wraps = Array.from({ length: MAX_WRAPS + 1 }, () => ({ device, sealed: new Uint8Array(80) }))
    for (const make of [
      () => sign(BODIES[0] as OperationBody, prevs),
      () => sign({ kind: 'rotate', dataset, epoch: 1, wraps }),
      () => sign({ kind: 'rename', device, name: 'a\u202Eb' }),
      () => sign({ kind: 'rename', device, name: 'x'.repeat(81) }),
      () => sign({ kind: 'grant', grant: { ...grant, abilities: [] } }),
      () => sign({ kind: 'grant', grant: { ...grant, abilities: ['Anything!'] } }),
      () => sign(BODIES[0] as OperationBody, [hash(1), hash(1)]),
    ]) {
      expect(make).toThrow(malformed)
    }
    expect(() => decodeOperation(crypto, new Uint8Array(MAX_OPERATION_BYTES + 1))).toThrow(malformed)
    expect(sign({ kind: 'rotate', dataset, epoch: 1, wraps: wraps.slice(1) }).bytes.length).toBeLessThan(MAX_OPERATION_BYTES)
  })

  it('[ID53] no changed, cut or invented bytes are taken, and nothing but a named error is thrown', { timeout: 120_000 }, () => {
    const seed = seedOfRun()
    const random = new SeededRandom(seed)
    const rounds = roundsOfRun(3_000, 200_000)
    let parsed = 0
    for (let i = 0; i < rounds; i++) {
      const { bytes } = sign(random.pick(BODIES))
      const changed = random.chance(0.1) ? random.bytes(random.below(400)) : mutate(random, bytes)
      if (toHex(changed) === toHex(bytes)) continue
      const named = expect.objectContaining({ code: expect.stringMatching(/^authority\//) })
      expect(() => decodeOperation(crypto, changed), `seed ${seed}, round ${i}`).toThrow(named)
      try {
        parse(crypto, changed)
        parsed++ // well formed: only the signature told
      } catch (error) {
        expect(error).toEqual(named)
      }
    }
    console.info(`operation fuzz: seed ${seed}, ${rounds} changed operations, ${parsed} still well formed`)
    expect(parsed).toBeGreaterThan(rounds / 20)
  })
})

function mutate(random: SeededRandom, bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes)
  for (let n = 1 + random.below(3); n > 0; n--) {
    const at = random.below(changed.length)
    changed[at] = (changed[at] as number) ^ (1 << random.below(8))
  }
  return random.chance(0.1) ? changed.subarray(0, random.below(changed.length)) : changed
}

describe('ids', () => {
  it('[ID166] an image reads as one, and no grant names it', () => {
    const image = `image:sha256:${'ab'.repeat(32)}`
    expect(parseProgramId(image)).toBe(image)
    expect(() => parseGrantedProgram(image)).toThrow(expect.objectContaining({ code: 'grant/image' }))
    expect(parseGrantedProgram(image.slice(6))).toBe(image.slice(6))
    const named = { kind: 'grant', grant: { ...grant, program: parseProgramId(image) } } as const
    expect(() => decodeOperation(crypto, sign(named).bytes)).toThrow(malformed)
    for (const bad of ['image:', `image:pub:${me}`, `image:${image}`, `image:sha256:${'AB'.repeat(32)}`]) {
      expect(() => parseProgramId(bad)).toThrow(malformed)
      expect(() => parseGrantedProgram(bad)).toThrow(malformed)
    }
  })

  it('[ID51] programs, persons and datasets are what they say, and nothing else', () => {
    expect(programIdOfHash(new Uint8Array(32).fill(0xab))).toBe(`sha256:${'ab'.repeat(32)}`)
    expect([parseProgramId(`pub:${me}`), parsePersonId(me), parseDatasetId(dataset)]).toEqual([`pub:${me}`, me, dataset])
    for (const bad of [
      '',
      'sha256:',
      `sha256:${'AB'.repeat(32)}`,
      `sha1:${'ab'.repeat(32)}`,
      'pub:',
      'pub:0OIl',
      `pub:${dataset}`,
      'x'.repeat(500),
    ]) {
      expect(() => parseProgramId(bad)).toThrow(malformed)
    }
    for (const bad of ['', dataset, `${me}1`, '0OIl']) expect(() => parsePersonId(bad)).toThrow(malformed)
    expect(() => parseDatasetId(me)).toThrow(malformed)
  })
})
