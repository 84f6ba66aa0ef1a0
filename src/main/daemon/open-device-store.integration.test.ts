import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { silentLogger } from '../../base/logger.ts'
import { fakeSealer } from '../../testkit/fake-identity.ts'
import { openDeviceStore } from './open-device-store.ts'

it('[SY102] outputs of jobs are put aside with the damaged store they belong to', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, 'store.sqlite')
  const before = openDeviceStore(file, fakeSealer('key'), silentLogger)
  before.outputs.put('jobs', 'one', utf8('output'))
  before.dispose()
  writeFileSync(file, 'not a database')
  const store = openDeviceStore(file, fakeSealer('key'), silentLogger)
  onTestFinished(() => store.dispose())
  expect(store.setAside).toContain('store.sqlite.damaged-')
  expect(store.outputs.entries('jobs')).toEqual([])
  const names = readdirSync(folder)
  expect([names.includes('store.sqlite-outputs'), names.includes(`${store.setAside}-outputs`)]).toEqual([false, true])
})
