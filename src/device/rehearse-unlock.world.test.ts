import { expect, it } from 'vitest'
import { systemClock } from '../base/clock.ts'
import { WORKSPACE_DOC } from '../base/ids.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { systemRandom } from '../base/random.ts'
import { MemoryAuthorityStore } from '../identity/authority/authority-store.ts'
import { MemoryLedgerStore } from '../identity/ledger/ledger-store.ts'
import { MemoryEnvelopeLog } from '../sync/memory-envelope-log.ts'
import { FakeRtcNetwork } from '../testkit/fake-rtc.ts'
import { QuickCrypto } from '../testkit/quick-crypto.ts'
import { type RehearsalParts, rehearseUnlock } from './rehearse-unlock.ts'

function setUp() {
  const kept = { log: new MemoryEnvelopeLog(), values: new MemoryKeyValueStore(), authority: new MemoryAuthorityStore() }
  const open = new Set<object>()
  let opened = 0
  let sockets = 0
  const counted = () => {
    const one = {}
    open.add(one)
    opened++
    return () => open.delete(one)
  }
  const parts: RehearsalParts = {
    clock: systemClock,
    random: systemRandom,
    crypto: new QuickCrypto(),
    openStore: () => ({
      log: kept.log,
      values: kept.values,
      outputs: new MemoryKeyValueStore(),
      authority: () => kept.authority,
      setAside: undefined,
      onDidSetAside: () => ({ dispose() {} }),
      dispose: counted(),
    }),
    openLedger: () => ({
      store: new MemoryLedgerStore(),
      values: new MemoryKeyValueStore(),
      outputs: new MemoryKeyValueStore(),
      dispose: counted(),
    }),
    createLinkPlatform: () => ({
      rtc: new FakeRtcNetwork(),
      openSocket: () => {
        sockets++
        return Promise.reject(new Error('nobody is met'))
      },
      onDidChangeNetwork: () => ({ dispose() {} }),
      dispose: counted(),
    }),
    platform: 'linux',
    hostName: 'test',
    version: '0.0.0',
  }
  return { parts, kept, open, opened: () => opened, sockets: () => sockets }
}

it('[DV77] a rehearsal opens a desk more than once, meets nobody, and leaves nothing open', async () => {
  const { parts, kept, open, opened, sockets } = setUp()
  await rehearseUnlock(parts, () => true)
  expect(opened()).toBeGreaterThanOrEqual(1 + 2 * 2) // the platform, and store and ledger of two desks
  expect(kept.log.size(WORKSPACE_DOC).envelopes).toBeGreaterThan(0) // windows were opened in it
  expect(open.size).toBe(0)
  expect(sockets()).toBe(0)
})

it('[DV77] it ends at its next step when its person comes, and when its parts fail', async () => {
  const { parts, open, opened } = setUp()
  await rehearseUnlock(parts, () => false)
  expect(opened()).toBe(1) // no desk
  let asked = 0
  await rehearseUnlock(parts, () => ++asked < 5)
  expect(opened()).toBe(1 + 3) // one desk, and no second
  expect(open.size).toBe(0)
  const full = {
    ...parts,
    openLedger: () => {
      throw new Error('the disk is full')
    },
  }
  await expect(rehearseUnlock(full, () => true)).rejects.toThrow()
  expect(open.size).toBe(0)
})
