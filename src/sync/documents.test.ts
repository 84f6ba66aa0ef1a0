import { afterEach, describe, expect, it } from 'vitest'
import { errorCode } from '../base/errors.ts'
import { WORKSPACE_DOC, type DocId } from '../base/ids.ts'
import { MemoryKeyValueStore } from '../base/key-value-store.ts'
import { StoreError } from '../base/store-error.ts'
import { FakeDeviceCheck, fakeDevice, fakeSigner } from '../testkit/fake-identity.ts'
import { syncContext } from '../testkit/sync-device.ts'
import { Documents } from './documents.ts'
import { Frontier } from './frontier.ts'
import { MemoryEnvelopeLog } from './memory-envelope-log.ts'
import { openTombstone, signTombstone } from './tombstone.ts'

const made: Documents[] = []
afterEach(() => {
  for (const documents of made.splice(0)) documents.dispose()
})
const open = (log = new MemoryEnvelopeLog(), store = new MemoryKeyValueStore()): Documents => {
  const documents = new Documents(syncContext(fakeDevice('A'), { log, store }))
  made.push(documents)
  return documents
}
const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'done'
  } catch (error) {
    return errorCode(error)
  }
}
const LETTER = 'text/letter' as DocId

describe('documents', () => {
  it.each(['', 'other', 'text/', 'text/a/b', 'text/../x', `text/${'a'.repeat(101)}`, 'Workspace'])(
    '[SY44] there is no document called "%s"',
    (name) => {
      expect(codeOf(() => open().open(name as DocId))).toBe('sync/wrong-doc')
    },
  )

  it('[SY44] what the log knows is opened at the start, and what was dropped is not', () => {
    const log = new MemoryEnvelopeLog()
    const first = open(log)
    for (const doc of [WORKSPACE_DOC, LETTER, 'text/gone' as DocId]) first.open(doc).edit((yDoc) => yDoc.getMap('m').set('a', doc))
    first.drop('text/gone' as DocId)
    first.dispose()
    const second = open(log)
    second.openAll()
    expect(second.all().map(({ docId }) => docId)).toEqual([WORKSPACE_DOC, LETTER])
    expect(codeOf(() => second.open('text/gone' as DocId))).toBe('sync/dropped')
  })

  it('[SY45] dropping is told once, and repeating it changes nothing', () => {
    const documents = open()
    documents.open(LETTER)
    const told: string[] = []
    documents.onDidDrop(({ doc, by, unseen }) => told.push(`${doc} ${by === fakeDevice('A')} ${unseen}`))
    documents.drop(LETTER)
    documents.drop(LETTER)
    expect(told).toEqual([`${LETTER} true undefined`])
  })

  it.each([
    ['of the workspace', () => signTombstone(WORKSPACE_DOC, new Frontier(), 0, fakeSigner(fakeDevice('B'))), 'sync/wrong-doc'],
    ['by an outsider', () => signTombstone(LETTER, new Frontier(), 0, fakeSigner(fakeDevice('X'))), 'sync/not-a-member'],
    [
      'with another signature',
      () => signTombstone(LETTER, new Frontier(), 0, fakeSigner(fakeDevice('B'))).fill(1, -64),
      'sync/bad-signature',
    ],
    ['cut short', () => signTombstone(LETTER, new Frontier(), 0, fakeSigner(fakeDevice('B'))).subarray(0, 50), 'sync/malformed'],
    ['of another format', () => Uint8Array.of(9), 'sync/version'],
  ])('[SY45] a tombstone %s drops nothing', (_name, make, code) => {
    const documents = open()
    documents.open(LETTER)
    expect(codeOf(() => documents.receiveDrop(make()))).toBe(code)
    expect(documents.get(LETTER)).toBeDefined()
    expect(codeOf(() => openTombstone(make(), new FakeDeviceCheck([fakeDevice('B')])))).toBe(code)
  })

  it('[SY94] a store that is found damaged while a document loads is empty at the second try', () => {
    class OnceDamaged extends MemoryEnvelopeLog {
      isDamaged = true
      override loadState(doc: DocId): Uint8Array | undefined {
        if (!this.isDamaged) return super.loadState(doc)
        this.isDamaged = false
        throw StoreError.damaged('store.sqlite', 'a value cannot be unsealed')
      }
    }
    expect(open(new OnceDamaged()).open(WORKSPACE_DOC).frontier.size).toBe(0)
  })
})
