import { expect, it } from 'vitest'
import type { AuthorityStore } from './authority-store.ts'
import type { OperationId } from './operation.ts'

/** Rules ID65-ID66, for every implementation. `reopen` gives the same store as a restarted device would find it. */
export function describeAuthorityStore(open: () => { readonly store: AuthorityStore; reopen?(): AuthorityStore }): void {
  const operation = (n: number) => ({ id: n.toString(16).padStart(64, '0') as OperationId, bytes: Uint8Array.of(n, n + 1) })

  it('[ID65] keeps operations in the order they were taken in, each once, across a restart', () => {
    const { store, reopen } = open()
    store.append([operation(3), operation(1)])
    store.append([operation(1), operation(2)])
    const kept = reopen?.() ?? store
    expect([kept.count, kept.read(0), kept.read(1), kept.read(9)]).toEqual([
      3,
      [operation(3), operation(1), operation(2)],
      [operation(1), operation(2)],
      [],
    ])
    expect([kept.has(operation(2).id), kept.has(operation(7).id)]).toEqual([true, false])
    expect([kept.find(operation(2).id), kept.find(operation(7).id)]).toEqual([operation(2).bytes, undefined])
    expect([0, 2, 3].map((position) => kept.idAt(position))).toEqual([operation(3).id, operation(2).id, undefined])
  })

  it('[ID66] keeps checkpoints, the newest first, until they are dropped', () => {
    const { store, reopen } = open()
    for (const count of [5, 12, 7]) store.putCheckpoint({ count, state: Uint8Array.of(count) })
    store.putCheckpoint({ count: 7, state: Uint8Array.of(77) })
    store.dropCheckpoint(5)
    store.dropCheckpoint(6)
    const kept = reopen?.() ?? store
    expect(kept.checkpoints()).toEqual([
      { count: 12, state: Uint8Array.of(12) },
      { count: 7, state: Uint8Array.of(77) },
    ])
  })
}
