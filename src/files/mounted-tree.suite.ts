import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Ino, MountedTree } from './mounted-tree.ts'
import { errorCode } from '../base/errors.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** Rules MT1-MT9: what every tree that can be mounted does. `make` opens an empty one, with a folder to work in. */
export function describeMountedTree(name: string, make: () => Promise<{ tree: MountedTree; root: Ino; close: () => Promise<void> }>): void {
  describe(name, () => {
    let made: Awaited<ReturnType<typeof make>>
    let tree: MountedTree
    let root: Ino
    beforeEach(async () => {
      made = await make()
      ;({ tree, root } = made)
    })
    afterEach(() => made.close())

    const text = async (ino: Ino, offset = 0, length = 1 << 20) => {
      const decoder = new TextDecoder()
      return (await tree.read(ino, offset, length)).map((piece) => decoder.decode(piece, { stream: true })).join('')
    }
    const names = async (ino: Ino) => (await tree.readdir(ino, 0, 1000)).map((entry) => entry.name).sort()
    const code = async (work: () => unknown): Promise<string> => {
      try {
        await work()
        return 'done'
      } catch (error) {
        return errorCode(error)
      }
    }

    it('[MT1] what is made is found by name and number, once per name', async () => {
      const file = await tree.create(root, 'a', 0o640)
      const folder = await tree.mkdir(root, 'sub', 0o750)
      const link = await tree.symlink(folder.ino, 'l', '../ä')
      expect(await tree.lookup(root, 'a')).toMatchObject({ ino: file.ino, kind: 'file', mode: 0o640, fileBytes: 0, linkCount: 1 })
      expect(await tree.getattr(folder.ino)).toMatchObject({ kind: 'folder', mode: 0o750 })
      expect(await tree.lookup(folder.ino, 'l')).toMatchObject({ ino: link.ino, kind: 'link', fileBytes: 5 })
      expect(await tree.readlink(link.ino)).toBe('../ä')
      expect(await tree.lookup(root, 'none')).toBeUndefined()
      expect(await code(() => tree.create(root, 'a', 0o644))).toBe('tree/exists')
      expect(await code(() => tree.mkdir(root, 'a', 0o644))).toBe('tree/exists')
      expect(await code(() => tree.lookup(file.ino, 'x'))).toBe('tree/not-a-folder')
      expect(await code(() => tree.getattr(999_999))).toBe('tree/not-found')
    })

    it('[MT2] bytes are read as they were written; holes and what a file grew by are zeros', async () => {
      const { ino } = await tree.create(root, 'f', 0o644)
      await tree.write(ino, 0, bytes('hello'))
      await tree.write(ino, 8, bytes('world'))
      expect(await text(ino)).toBe('hello\0\0\0world')
      await tree.setattr(ino, { fileBytes: 3 })
      await tree.setattr(ino, { fileBytes: 6 })
      expect(await text(ino)).toBe('hel\0\0\0')
      await tree.write(ino, 1, bytes('E'))
      await tree.flush(ino)
      await tree.fsync(ino)
      expect(await text(ino, 1, 3)).toBe('El\0')
      expect(await text(ino, 6)).toBe('')
      expect((await tree.getattr(ino)).fileBytes).toBe(6)
    })

    it('[MT2] bytes given to write may be used again at once', async () => {
      const { ino } = await tree.create(root, 'f', 0o644)
      const given = bytes('one')
      await tree.write(ino, 0, given)
      given.fill(0)
      expect(await text(ino)).toBe('one')
    })

    it('[MT3] room is made, holes are punched', async () => {
      const { ino } = await tree.create(root, 'f', 0o644)
      await tree.write(ino, 0, bytes('abcdef'))
      await tree.allocate(ino, 'punch', 1, 2)
      await tree.allocate(ino, 'keep-size', 0, 100)
      expect(await text(ino)).toBe('a\0\0def')
      await tree.allocate(ino, 'allocate', 4, 4)
      await tree.allocate(ino, 'zero', 5, 4)
      expect(await text(ino)).toBe('a\0\0de\0\0\0\0')
    })

    it('[MT4] a removed file stays readable and writable until it is forgotten', async () => {
      const { ino } = await tree.create(root, 'f', 0o644)
      await tree.write(ino, 0, bytes('kept'))
      await tree.unlink(root, 'f')
      expect(await tree.lookup(root, 'f')).toBeUndefined()
      await tree.write(ino, 4, bytes('!'))
      await tree.flush(ino)
      expect([await text(ino), (await tree.getattr(ino)).linkCount]).toEqual(['kept!', 0])
      tree.forget(ino, 1)
      expect(await code(() => tree.getattr(ino))).toBe('tree/not-found')
      expect(await code(() => tree.unlink(root, 'f'))).toBe('tree/not-found')
    })

    it('[MT4] a folder goes only when it is empty; files and folders are told apart', async () => {
      const folder = await tree.mkdir(root, 'd', 0o755)
      await tree.create(folder.ino, 'f', 0o644)
      expect(await code(() => tree.rmdir(root, 'd'))).toBe('tree/not-empty')
      expect(await code(() => tree.unlink(root, 'd'))).toBe('tree/is-a-folder')
      expect(await code(() => tree.rmdir(folder.ino, 'f'))).toBe('tree/not-a-folder')
      await tree.unlink(folder.ino, 'f')
      await tree.rmdir(root, 'd')
      expect(await names(root)).toEqual([])
      expect(await code(() => tree.create(folder.ino, 'late', 0o644))).toBe('tree/not-found')
    })

    it('[MT5] rename moves and replaces as rename(2) has it', async () => {
      const a = await tree.create(root, 'a', 0o644)
      await tree.write(a.ino, 0, bytes('A'))
      const b = await tree.create(root, 'b', 0o644)
      await tree.rename(root, 'a', root, 'b', 'replace')
      expect([await names(root), (await tree.lookup(root, 'b'))?.ino]).toEqual([['b'], a.ino])
      expect((await tree.getattr(b.ino)).linkCount).toBe(0)
      const folder = await tree.mkdir(root, 'd', 0o755)
      const inner = await tree.mkdir(folder.ino, 'e', 0o755)
      await tree.rename(root, 'b', inner.ino, 'b', 'replace')
      expect([await names(inner.ino), await text(a.ino)]).toEqual([['b'], 'A'])
      expect(await code(() => tree.rename(root, 'd', inner.ino, 'x', 'replace'))).toBe('tree/bad-argument')
      expect(await code(() => tree.rename(root, 'none', root, 'x', 'replace'))).toBe('tree/not-found')
      await tree.create(root, 'f', 0o644)
      expect(await code(() => tree.rename(root, 'f', root, 'd', 'replace'))).toBe('tree/is-a-folder')
      expect(await code(() => tree.rename(root, 'd', root, 'f', 'replace'))).toBe('tree/not-a-folder')
      await tree.mkdir(root, 'empty', 0o755)
      expect(await code(() => tree.rename(root, 'empty', root, 'd', 'replace'))).toBe('tree/not-empty')
      await tree.rename(root, 'd', root, 'empty', 'replace')
      expect(await names(root)).toEqual(['empty', 'f'])
    })

    it('[MT5] rename without replacing, and by exchange', async () => {
      const a = await tree.create(root, 'a', 0o644)
      const d = await tree.mkdir(root, 'd', 0o755)
      expect(await code(() => tree.rename(root, 'a', root, 'd', 'keep'))).toBe('tree/exists')
      await tree.rename(root, 'a', root, 'd', 'exchange')
      expect((await tree.lookup(root, 'a'))?.ino).toBe(d.ino)
      expect((await tree.lookup(root, 'd'))?.ino).toBe(a.ino)
      expect(await code(() => tree.rename(root, 'a', root, 'none', 'exchange'))).toBe('tree/not-found')
      await tree.rename(root, 'd', root, 'c', 'keep')
      expect(await names(root)).toEqual(['a', 'c'])
    })

    it('[MT6] a folder is listed in pages; what stays is listed once, also while others go', async () => {
      for (let i = 0; i < 25; i++) await tree.create(root, `f${i}`, 0o644)
      const seen: string[] = []
      for (let cookie = 0; ; ) {
        const page = await tree.readdir(root, cookie, 10)
        if (page.length === 0) break
        seen.push(...page.map((entry) => entry.name))
        cookie = page.at(-1)?.cookie ?? 0
        await tree.unlink(root, seen.at(-1) ?? '')
      }
      expect(seen.sort()).toEqual(Array.from({ length: 25 }, (_, i) => `f${i}`).sort())
    })

    it('[MT7] extended attributes are kept with their bytes', async () => {
      const { ino } = await tree.create(root, 'f', 0o644)
      await tree.setxattr(ino, 'user.a', Uint8Array.of(0, 255), 'any')
      await tree.setxattr(ino, 'user.b', bytes('x'), 'create')
      expect(await code(() => tree.setxattr(ino, 'user.a', bytes('y'), 'create'))).toBe('tree/exists')
      expect(await code(() => tree.setxattr(ino, 'user.c', bytes('y'), 'replace'))).toBe('tree/no-attribute')
      expect(Uint8Array.from((await tree.getxattr(ino, 'user.a')) ?? [])).toEqual(Uint8Array.of(0, 255))
      expect([...(await tree.listxattr(ino))].sort()).toEqual(['user.a', 'user.b'])
      await tree.removexattr(ino, 'user.a')
      expect([await tree.getxattr(ino, 'user.a'), await code(() => tree.removexattr(ino, 'user.a'))]).toEqual([
        undefined,
        'tree/no-attribute',
      ])
    })

    it('[MT8] times are kept to the nanosecond; changes move the right ones', async () => {
      const { ino } = await tree.create(root, 'f', 0o644)
      await tree.setattr(ino, { mtimeNs: 1_700_000_000_123_456_789n, atimeNs: 1n })
      await tree.setattr(ino, { mode: 0o4755 })
      expect(await tree.getattr(ino)).toMatchObject({ mtimeNs: 1_700_000_000_123_456_789n, atimeNs: 1n, mode: 0o4755 })
      await tree.setattr(root, { mtimeNs: 5n })
      await tree.create(root, 'g', 0o644)
      expect((await tree.getattr(root)).mtimeNs).toBeGreaterThan(5n)
    })

    it('[MT9] says how much room there is', async () => {
      const { totalBytes, freeBytes } = await tree.statfs()
      expect(totalBytes).toBeGreaterThan(0)
      expect(freeBytes).toBeLessThanOrEqual(totalBytes)
    })
  })
}
