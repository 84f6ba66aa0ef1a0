import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { roundsOfRun } from '../testkit/seeded-random.ts'
import { KeyedArray } from './keyed-array.ts'

/** A million changes by five devices and two thousand displays with ELSEWHERE_ROUNDS=full; a hundredth of it usually. */
const FULL = process.env['ELSEWHERE_ROUNDS'] === 'full'
const CHANGES = roundsOfRun(10_000, 1_000_000, 4_000)
const DISPLAYS = roundsOfRun(100, 2_000, 40)
const DEVICES = 5
const KEYS = roundsOfRun(1_000, 1_000, 400)
/** Changes a device makes between two exchanges; the second test takes 1, which interleaves the writes of all devices one by one. */
const BURST = 50

/** Small numbers that repeat for a seed. */
function sequence(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

interface Device {
  readonly doc: Y.Doc
  readonly records: KeyedArray
  pending: Uint8Array[]
}

function grow(changes: number, displays: number, burst = BURST, keys = KEYS): Device {
  const next = sequence(7)
  const devices = Array.from({ length: DEVICES }, (_, i): Device => {
    const doc = new Y.Doc()
    doc.clientID = i + 1
    const device = { doc, records: new KeyedArray(doc, 'records'), pending: [] as Uint8Array[] }
    doc.on('update', (update: Uint8Array, origin: unknown) => origin !== 'remote' && device.pending.push(update))
    return device
  })
  let clients = DEVICES
  // All have come well before the end, so that each of them writes.
  const newDisplayEvery = Math.floor(changes / (displays * 1.25))
  for (let done = 0; done < changes; done += burst * DEVICES) {
    for (const device of devices) {
      device.doc.transact(() => {
        for (let i = 0; i < burst; i++) {
          const key = `place:w${next(keys)}:wide-landscape`
          device.records.set(key, { zone: 'none', x: next(1000) / 1000, y: next(1000) / 1000, width: 0.5, height: 0.5 })
        }
      })
    }
    for (const from of devices) {
      const update = Y.mergeUpdates(from.pending.splice(0))
      for (const to of devices) if (to !== from) Y.applyUpdate(to.doc, update, 'remote')
    }
    while (clients < displays && clients * newDisplayEvery <= done)
      (devices[clients % DEVICES] as Device).doc.clientID = ++clients * 7_919_317
  }
  return devices[0] as Device
}

it(`[SE1] ${CHANGES} changes by ${DEVICES} devices and ${DISPLAYS} displays stay under 5 MB`, { timeout: 1_800_000 }, () => {
  const { doc, records } = grow(CHANGES, DISPLAYS)
  const bytes = Y.encodeStateAsUpdate(doc)
  expect(records.size).toBe(KEYS)
  expect(doc.store.clients.size).toBeGreaterThanOrEqual(DISPLAYS)
  expect(bytes.length).toBeLessThan(5_000_000)

  const loaded = new Y.Doc()
  const startedMs = performance.now()
  const copy = new KeyedArray(loaded, 'records')
  Y.applyUpdate(loaded, bytes)
  if (FULL) console.info(`${bytes.length} bytes, loaded in ${(performance.now() - startedMs).toFixed(0)} ms`)
  const values = (from: KeyedArray) => new Map([...from.keys()].sort().map((key) => [key, from.get(key)]))
  expect(values(copy)).toEqual(values(records))
})

it('[SE1] what is kept is bounded by records and displays, not by changes', { timeout: 60_000 }, () => {
  const keys = 100
  const displays = 25
  const items = (changes: number) =>
    [...grow(changes, displays, 1, keys).doc.store.clients.values()].reduce((sum, structs) => sum + structs.length, 0)
  const some = items(1_000)
  expect(some).toBeLessThan(3 * keys + 4 * displays)
  expect(items(3_000)).toBeLessThan(some * 1.2)
})
