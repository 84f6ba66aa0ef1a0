import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { parseProgramId } from '../../identity/authority/program-id.ts'
import { NodeProgramIdentifier } from './node-program-identifier.ts'

const PATH = '/usr/bin:/bin'
let folder: string
const identifier = () => new NodeProgramIdentifier()
const write = (name: string, text: string | Uint8Array, mode = 0o755) => {
  const file = path.join(folder, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
  chmodSync(file, mode)
  return file
}
const idOf = async (program: string, tree?: string, one = identifier()) =>
  (await one.identify(program, { folder, searchPath: PATH, ...(tree === undefined ? {} : { tree }) })).id
const code = (expected: string) => expect.objectContaining({ code: expected })

describe('what a program is', () => {
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'ew-program-'))
    return () => rmSync(folder, { recursive: true, force: true })
  })

  it('[JB90] is the SHA-256 of its bytes, whatever it is called and wherever it lies, as sha256sum says it', async () => {
    const sh = await identifier().identify('sh', { folder, searchPath: PATH })
    expect(sh.id).toBe(`sha256:${execFileSync('sha256sum', [sh.path]).toString().slice(0, 64)}`)
    expect(parseProgramId(sh.id)).toBe(sh.id)
    const bytes = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 1, 2, 3)
    const one = write('one', bytes)
    write('deep/two', bytes)
    symlinkSync(one, path.join(folder, 'three'))
    expect(await idOf('./one')).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
    expect(new Set([await idOf('./one'), await idOf('deep/two'), await idOf('./three')]).size).toBe(1)
  })

  it('[JB90] of a script is its interpreter, what the first line tells that, and its text; a name of its own makes no other', async () => {
    write('a', '#!/bin/sh\necho hello\n')
    write('b', '#!/bin/sh\necho hello\n')
    write('changed', '#!/bin/sh\necho hello!\n')
    write('strict', '#!/bin/sh -e\necho hello\n')
    write('other', '#!/usr/bin/env cat\necho hello\n')
    const ids = await Promise.all(['./a', './changed', './strict', './other'].map((name) => idOf(name)))
    expect(new Set(ids).size).toBe(4)
    expect(await idOf('./b')).toBe(ids[0])
    const { interpreter, kind } = await identifier().identify('./other', { folder, searchPath: PATH })
    expect([kind, interpreter?.id]).toEqual(['script', await idOf('cat')])
  })

  it('[JB90] an interpreter that a script brings along is not the one of the system, though it has its name', async () => {
    write('tool', '#!/usr/bin/env cat\n')
    const honest = await idOf('./tool')
    write('bin/cat', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 9))
    const fooled = await identifier().identify('./tool', { folder, searchPath: `${path.join(folder, 'bin')}:${PATH}` })
    expect(fooled.id).not.toBe(honest)
  })

  it('[JB90] with its tree, every file of that counts: its bytes, its place, whether it is run, where links lead', async () => {
    write('app/main', '#!/bin/sh\n. ./lib.sh\n')
    write('app/lib.sh', 'echo one\n', 0o644)
    symlinkSync('lib.sh', path.join(folder, 'app/link'))
    const first = await idOf('app/main', 'app')
    expect(first).not.toBe(await idOf('app/main'))
    expect(await idOf('app/main', 'app')).toBe(first)
    const seen = [first]
    for (const change of [
      () => write('app/lib.sh', 'echo two\n', 0o644),
      () => write('app/lib.sh', 'echo two\n', 0o755),
      () => write('app/more', '', 0o644),
      () => {
        rmSync(path.join(folder, 'app/link'))
        symlinkSync('/etc/passwd', path.join(folder, 'app/link'))
      },
    ]) {
      change()
      const now = await idOf('app/main', 'app')
      expect(seen).not.toContain(now)
      seen.push(now)
    }
    await expect(idOf('sh', 'app')).rejects.toEqual(code('program/not-found'))
  })

  it('[JB90] one identifier reads a file once, and again when it has changed, also within one second and to the same size', async () => {
    const one = identifier()
    write('tool', Uint8Array.of(1, 2, 3))
    const before = await idOf('./tool', undefined, one)
    expect(await idOf('./tool', undefined, one)).toBe(before)
    write('tool', Uint8Array.of(1, 2, 4))
    expect(await idOf('./tool', undefined, one)).not.toBe(before)
  })

  it('[JB90] what is not there, cannot be run, or interprets itself for ever is refused by name', async () => {
    write('plain', 'x', 0o644)
    write('loop', `#!${path.join(folder, 'loop')}\n`)
    for (const name of ['./nothing', './plain', './loop', 'no-such-program-anywhere']) {
      await expect(idOf(name)).rejects.toEqual(code('program/not-found'))
    }
  })
})
