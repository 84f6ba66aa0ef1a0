import { lstatSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { memoryChannelPair } from '../../testkit/memory-channels.ts'
import { itemsOf } from '../../testkit/stored-bytes.ts'
import { FolderCopy } from '../../jobs/engines/folder-copy.ts'
import { TreeOwner } from '../../jobs/tree-owner.ts'
import { NodeTreeFolder } from './node-tree-folder.ts'

let root = ''
beforeEach(() => (root = mkdtempSync(path.join(os.tmpdir(), 'ew-tree-'))))
afterEach(() => rmSync(root, { recursive: true, force: true }))

const at = (name: string) => path.join(root, name)

it('[JB47] a folder is made where nothing is, and takes the place of nothing', async () => {
  writeFileSync(at('file'), 'mine')
  symlinkSync('/mnt/big', at('link'))
  mkdirSync(at('folder'))
  writeFileSync(at('folder/kept'), 'mine')
  const folder = new NodeTreeFolder(root)
  for (const name of ['file', 'link']) await expect(folder.makeFolder(name, 0o755)).rejects.toMatchObject({ code: 'job/transfer-failed' })
  await folder.makeFolder('folder', 0o755)
  await folder.makeFolder('a/b', 0o700)
  expect(lstatSync(at('a/b')).isDirectory()).toBe(true)
  expect({ file: readFileSync(at('file'), 'utf8'), kept: readFileSync(at('folder/kept'), 'utf8'), link: readlinkSync(at('link')) }).toEqual(
    {
      ...{ file: 'mine', kept: 'mine', link: '/mnt/big' },
    },
  )
})

it('[EN9] folders of results lie beside files and links that stand here, also when no entry of the archive says that they are folders', async () => {
  writeFileSync(at('notes.txt'), 'mine')
  writeFileSync(at('words'), 'mine')
  symlinkSync('/mnt/big', at('data'))
  const [near, far] = memoryChannelPair()
  const owner = new TreeOwner(near, new NodeTreeFolder(root), 'net')
  const copy = new FolderCopy(far)
  const file = (name: string) =>
    ({ kind: 'file', path: name, mode: 0o644, modifiedMs: 5_000, bytes: new TextEncoder().encode(name) }) as const
  await copy.putBack(itemsOf([{ kind: 'folder', path: 'notes.txt', mode: 0o755 }, file('data/z'), file('words/deep/y')]), [])
  expect({
    notes: readFileSync(at('notes.txt'), 'utf8'),
    words: readFileSync(at('words'), 'utf8'),
    data: readlinkSync(at('data')),
  }).toEqual({
    ...{ notes: 'mine', words: 'mine', data: '/mnt/big' },
  })
  expect(lstatSync(at('notes.txt (from net)')).isDirectory()).toBe(true)
  expect(readFileSync(at('data (from net)/z'), 'utf8')).toBe('data/z')
  expect(readFileSync(at('words (from net)/deep/y'), 'utf8')).toBe('words/deep/y')
  expect(owner.count).toMatchObject({ files: 2, conflicts: 3 })
  copy.dispose()
})
