import { expect, it } from 'vitest'
import { toBase58 } from '../../base/base58.ts'
import { utf8 } from '../../base/bytes.ts'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import type { ProgramId } from '../authority/program-id.ts'
import golden from '../golden/program-release-v1.json' with { type: 'json' }
import { programReleaseText, readProgramRelease, signProgramRelease } from './program-release.ts'
import { ProgramReleases } from './program-releases.ts'

const crypto = new SodiumCrypto()
const key = crypto.signingKey(new Uint8Array(32).fill(7))
const publisher = toBase58(key.publicKey)
const id = (n: number): string => `sha256:${n.toString(16).padStart(2, '0').repeat(32)}`
const sign = (more: object = {}) =>
  signProgramRelease({ publisher, name: 'resize', release: '1.2.0', ids: [id(2), id(1)], ...more }, (message) => key.sign(message))
const code = (expected: string) => expect.objectContaining({ code: expected })

it('[ID162] a release is read as its publisher signed it, and as the shipped vector has it', () => {
  expect(readProgramRelease(crypto, JSON.parse(JSON.stringify(sign())))).toEqual(sign())
  expect(sign().ids).toEqual([id(1), id(2)])
  expect(sign()).toEqual(golden.release)
  expect(programReleaseText(golden.release as ReturnType<typeof sign>)).toBe(golden.signed)
})

it.each([
  ['another program', { ids: [id(3)] }],
  ['one more', { ids: [id(1), id(2), id(3)] }],
  ['another name', { name: 'resizf' }],
  ['another release', { release: '1.2.1' }],
  ['another publisher', { publisher: toBase58(crypto.signingKey(new Uint8Array(32).fill(8)).publicKey) }],
  ['a signature made for something else', { sig: Buffer.from(key.sign(utf8('hello'))).toString('base64url') }],
])('[ID162] %s: its publisher did not sign that', (_, more) => {
  expect(() => readProgramRelease(crypto, { ...sign(), ...more })).toThrow(code('release/refused'))
})

it.each([
  ['a line end in its name', { name: 'a\nb' }],
  ['a name that turns others around', { name: 'a\u202eb' }],
  ['ids in disorder', { ids: [id(2), id(1)] }],
  ['an id twice', { ids: [id(1), id(1)] }],
  ['a publisher as an id', { ids: [`pub:${publisher}`] }],
  ['no id', { ids: [] }],
  ['too many', { ids: Array.from({ length: 65 }, (_, n) => id(n)) }],
  ['something besides', { more: 1 }],
  ['a publisher that is no key', { publisher: '1'.repeat(40) }],
])('[ID162] with %s it is refused by name', (_, more) => {
  expect(() => readProgramRelease(crypto, { ...sign(), ...more })).toThrow(code('release/malformed'))
})

it('[ID162] a device keeps what it was told, until it is told to forget it; the newest word on a release counts', () => {
  const values = new MemoryKeyValueStore()
  const releases = new ProgramReleases(values)
  releases.add(sign())
  releases.add(sign({ ids: [id(4)] }))
  releases.add(sign({ release: '2', ids: [id(5)] }))
  const again = new ProgramReleases(values)
  expect(again.all.map(({ release, ids }) => [release, ids])).toEqual([
    ['1.2.0', [id(4)]],
    ['2', [id(5)]],
  ])
  expect(again.idsOf(`pub:${publisher}` as ProgramId)).toEqual([id(4), id(5)])
  expect(again.idsOf(id(9) as ProgramId)).toEqual([id(9)])
  releases.forget({ publisher, name: 'resize', release: '2' })
  expect(again.all).toHaveLength(1)
  expect(() => releases.forget({ publisher, name: 'resize', release: '2' })).toThrow(code('release/unknown'))
})
