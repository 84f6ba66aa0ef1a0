import { expect, it } from 'vitest'
import { describeMountedTree } from '../files/mounted-tree.suite.ts'
import { ROOT_INO } from '../files/mounted-tree.ts'
import { MemoryMountedTree } from './memory-mounted-tree.ts'

describeMountedTree('MemoryMountedTree', async () => ({ tree: new MemoryMountedTree(), root: ROOT_INO, close: async () => {} }))

it('[MT4] nothing stays behind of what was removed and forgotten', () => {
  const tree = new MemoryMountedTree()
  for (let i = 0; i < 10; i++) {
    const { ino } = tree.create(ROOT_INO, 'f', 0o644)
    tree.lookup(ROOT_INO, 'f')
    tree.unlink(ROOT_INO, 'f')
    tree.forget(ino, 2)
  }
  expect(tree.nodeCount).toBe(1)
})
