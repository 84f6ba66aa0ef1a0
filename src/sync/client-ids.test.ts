import { expect, it } from 'vitest'
import { WORKSPACE_DOC, type DocId } from '../base/ids.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { fakeDevice } from '../testkit/fake-identity.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { ClientIds, clientIdOf, type StartId } from './client-ids.ts'

const DAY_MS = 86_400_000
const started = (start: string, store: MemoryKeyValueStore, clock: ManualClock): ClientIds =>
  new ClientIds({ device: fakeDevice('A'), start: start as StartId, store, clock })

it('[SY10] an id given out is the one that every gate recomputes; none is given twice', () => {
  const ids = started('0000000000000001', new MemoryKeyValueStore(), new ManualClock())
  const issued = Array.from({ length: 100 }, () => ids.issue(WORKSPACE_DOC))
  expect(new Set(issued.map(({ clientId }) => clientId)).size).toBe(100)
  for (const one of issued) expect(clientIdOf(fakeDevice('A'), one)).toBe(one.clientId)
})

it('[SY11] ids of earlier starts are known for 90 days, with their document', () => {
  const store = new MemoryKeyValueStore()
  const clock = new ManualClock()
  const first = started('0000000000000001', store, clock).issue('text/one' as DocId)
  clock.advance(89 * DAY_MS)
  expect(started('0000000000000002', store, clock).find(first.clientId)).toEqual(first)
  clock.advance(2 * DAY_MS)
  expect(started('0000000000000003', store, clock).find(first.clientId)).toBeUndefined()
  expect(store.entries('client-ids')).toEqual([])
})
