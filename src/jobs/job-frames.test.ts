import { expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import {
  decodeJobDown,
  decodeJobUp,
  encodeJobDown,
  encodeJobUp,
  type JobDownFrame,
  type JobUpFrame,
  MAX_PIECE_BYTES,
} from './job-frames-contract.ts'
import { decodeTreeFrame, encodeTreeFrame, type TreeFrame } from './tree-frames.ts'

it('[JB43] frames of an attempt read back as they were written', () => {
  const down: JobDownFrame[] = [
    { kind: 'output', stream: 'err', offset: 2 ** 40 + 3, bytes: utf8('text') },
    { kind: 'output', stream: 'out', offset: 0, bytes: new Uint8Array(MAX_PIECE_BYTES) },
    { kind: 'state', state: 'running', ports: [80, 65_535] },
    { kind: 'exit', code: -1, signal: 'SIGKILL', ended: 'memory', cpuMs: 12 },
    { kind: 'exit', code: 0, cpuMs: 0, error: { code: 'job/no-sandbox', message: 'why' } },
    { kind: 'input-taken', bytes: 7 },
  ]
  for (const frame of down) expect(decodeJobDown(encodeJobDown(frame))).toEqual(frame)
  const up: JobUpFrame[] = [
    { kind: 'input', bytes: utf8('x') },
    { kind: 'input-end' },
    { kind: 'signal', signal: 'SIGINT' },
    { kind: 'renew' },
    { kind: 'kept', offset: 9 },
  ]
  for (const frame of up) expect(decodeJobUp(encodeJobUp(frame))).toEqual(frame)
})

it('[JB49] frames of a folder transfer read back as they were written; a path that leads elsewhere is none', () => {
  const frames: TreeFrame[] = [
    { kind: 'list' },
    { kind: 'entries', entries: [{ kind: 'file', path: 'a/b', bytes: 1, modifiedMs: 2, mode: 0o644 }], end: true },
    { kind: 'want', paths: ['a/b'] },
    { kind: 'put', entry: { kind: 'link', path: 'l', target: '../x' }, bases: [{ bytes: 1, modifiedMs: 2 }] },
    { kind: 'piece', bytes: utf8('x') },
    { kind: 'remove', removed: [{ path: 'a', bases: [] }] },
    { kind: 'finished' },
    { kind: 'kept' },
  ]
  for (const frame of frames) expect(decodeTreeFrame(encodeTreeFrame(frame))).toEqual(frame)
  for (const path of ['', '/etc/passwd', '../x', 'a/../../x', 'a//b', './a', 'a\0b', `${'n'.repeat(256)}/x`]) {
    expect({ path, frame: decodeTreeFrame(encodeTreeFrame({ kind: 'want', paths: [path] })) }).toEqual({ path, frame: undefined })
  }
})

it('[JB49] no bytes make a decoder throw, and what it takes is within bounds', () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  const samples = [
    encodeJobDown({ kind: 'state', state: 'running', ports: [1] }),
    encodeJobUp({ kind: 'kept', offset: 5 }),
    encodeTreeFrame({ kind: 'put', entry: { kind: 'file', path: 'a', bytes: 3, modifiedMs: 0, mode: 0 }, bases: [] }),
  ]
  let taken = 0
  for (let round = 0; round < roundsOfRun(5_000, 500_000); round++) {
    const bytes = random.chance(0.5) ? random.bytes(random.below(40)) : (random.pick(samples) as Uint8Array).slice()
    if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256)
    for (const decode of [decodeJobDown, decodeJobUp, decodeTreeFrame]) {
      const frame = decode(bytes)
      if (!frame) continue
      taken += 1
      if ('offset' in frame) expect({ seed, ok: Number.isSafeInteger(frame.offset) }).toEqual({ seed, ok: true })
    }
  }
  expect(taken).toBeGreaterThan(0)
})
