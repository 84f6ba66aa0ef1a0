import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import * as Y from 'yjs'
import { DEFAULT_PREFERENCES } from './preferences.ts'
import { NOTES, TestReplica } from '../testkit/session-replicas.ts'
import { MIGRATIONS, type Migration, migrate } from './migrations.ts'
import type { RecordValue } from './record-value.ts'
import { SCHEMA_VERSION } from './schema-version.ts'
import { changeRecords } from './session-change.ts'
import { WorkspaceDoc } from './workspace-doc.ts'

/** Two made-up steps: a key is renamed, then its value changes shape. */
const RENAME: Migration = (records) => ({
  set: [...records].filter(([key]) => key.startsWith('colour:')).map(([key, value]) => [key.replace('colour:', 'hue:'), value] as const),
  remove: [...records.keys()].filter((key) => key.startsWith('colour:')),
})
const RESHAPE: Migration = (records) => ({
  set: [...records].filter(([key]) => key.startsWith('hue:')).map(([key, value]) => [key, { hue: value as number }] as const),
  remove: [],
})
const old = new Map<string, RecordValue>([
  ['schema', 1],
  ['colour:a', 3],
  ['stays', 'x'],
])

it('[SE61] migrations run in order, as one change', () => {
  const change = migrate(old, 3, { 1: RENAME, 2: RESHAPE })!
  expect(changeRecords(old, change)).toEqual(
    new Map<string, RecordValue>([
      ['schema', 3],
      ['hue:a', { hue: 3 }],
      ['stays', 'x'],
    ]),
  )
  expect(change.remove).toEqual(['colour:a'])
  expect(change.set.map(([key]) => key).sort()).toEqual(['hue:a', 'schema'])
})

it('[SE61] nothing to do: no first content yet, up to date, or newer', () => {
  expect(migrate(new Map(), 3, {})).toBeUndefined()
  expect(migrate(new Map([['schema', 3]]), 3, {})).toBeUndefined()
  expect(migrate(new Map([['schema', 4]]), 3, {})).toBeUndefined()
  expect(migrate(new Map([['schema', 'rubbish']]), 3, {})).toBeUndefined()
})

it('[SE61] a gap is an error that says so', () => {
  expect(() => migrate(old, 3, { 2: RESHAPE })).toThrow(/no migration leads from desk schema 1 to 2/)
})

it('[SE61] there is a migration from every version before ours', () => {
  for (let version = 1; version < SCHEMA_VERSION; version++) expect(MIGRATIONS[version]).toBeTypeOf('function')
})

it('[SE61] a current desk is not written to', () => {
  const replica = new TestReplica(100)
  const before = Y.encodeStateAsUpdate(replica.doc)
  expect(replica.workspace.migrate()).toBe(false)
  expect(Y.encodeStateAsUpdate(replica.doc)).toEqual(before)
})

it('[SE60] a desk of a newer schema is shown, and refuses to be changed', () => {
  const newer = new TestReplica(100)
  newer.do({ type: 'window/open', app: NOTES })
  newer.workspace.write({ set: [['schema', SCHEMA_VERSION + 1]], remove: [], label: '' })
  const replica = new TestReplica(200)
  replica.pull(newer)
  expect([newer, replica].map(({ doc }) => new WorkspaceDoc(doc).readOnly)).toEqual([true, true])
  expect(new TestReplica(300).workspace.readOnly).toBe(false)
  expect(replica.state).toMatchObject({ readOnly: true, schema: SCHEMA_VERSION + 1 })
  expect(replica.state.stack.length).toBe(2)
  const before = Y.encodeStateAsUpdate(replica.doc)
  expect(() => replica.do({ type: 'window/open', app: NOTES })).toThrow(expect.objectContaining({ code: 'session/read-only' }))
  expect(() => replica.workspace.write({ set: [['x', 1]], remove: [], label: '' })).toThrow(/update Elsewhere/)
  expect(replica.workspace.migrate()).toBe(false)
  expect(Y.encodeStateAsUpdate(replica.doc)).toEqual(before)
})

it('[SE61] the golden desk of version 1 reads as it did', () => {
  const read = (name: string) => readFileSync(new URL(`./golden/${name}`, import.meta.url))
  const doc = new Y.Doc()
  Y.applyUpdate(doc, new Uint8Array(read('v1-desk.bin')))
  const workspace = new WorkspaceDoc(doc)
  const then = JSON.parse(read('v1-desk.json').toString('utf8'))
  // What a person could not choose yet is as it comes.
  const asWritten = { ...then, preferences: { ...DEFAULT_PREFERENCES, ...then.preferences } }
  const withLook = (key: string, value: { kind?: string } | null) =>
    key === 'app' && value?.kind === 'files' ? { look: false, ...value } : value
  expect(JSON.parse(JSON.stringify(workspace.state))).toEqual(JSON.parse(JSON.stringify(asWritten), withLook))
})
