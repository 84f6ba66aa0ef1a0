import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { fakeSealer } from '../../testkit/fake-identity.ts'
import { SqliteLedgerStore } from './sqlite-ledger-store.ts'
import { SqliteStore } from './sqlite-store.ts'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'elsewhere-ledger-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

it('[ID100] records and head are there after a restart, also when the file was set aside as damaged', () => {
  const path = join(folder, 'ledger.sqlite')
  const open = () => new SqliteStore({ path, sealer: fakeSealer() })
  const first = open()
  const store = new SqliteLedgerStore(first)
  expect([store.head, store.read(0)]).toEqual([undefined, undefined])
  const head = { count: 2, hash: new Uint8Array(32).fill(7) }
  store.append(0, [utf8('one'), utf8('two')], head)
  first.setAside('a planted fault')
  expect([store.head, store.read(1)]).toEqual([head, utf8('two')])
  first.dispose()
  const second = open()
  const again = new SqliteLedgerStore(second)
  again.append(2, [utf8('three')], { ...head, count: 3 })
  expect([again.head?.count, again.read(0), again.read(2)]).toEqual([3, utf8('one'), utf8('three')])
  second.dispose()
})
