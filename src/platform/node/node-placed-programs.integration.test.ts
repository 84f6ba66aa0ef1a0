import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { NodePlacedPrograms } from './node-placed-programs.ts'
import { NodeProgramIdentifier } from './node-program-identifier.ts'

const searchPath = '/usr/bin:/bin'
const code = (expected: string) => expect.objectContaining({ code: expected })
let hostFolder: string
const at = (more: object = {}) => ({ folder: '/home/ada/project', hostFolder, home: '/home/ada', searchPath, ...more })
const placed = (program: string, more: object = {}) => new NodePlacedPrograms().identify(program, at(more))
const own = (program: string, tree?: string) =>
  new NodeProgramIdentifier().identify(program, { folder: hostFolder, searchPath, ...(tree === undefined ? {} : { tree }) })
const write = (name: string, text: string) => {
  const file = path.join(hostFolder, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, text)
  chmodSync(file, 0o755)
}

beforeEach(() => {
  hostFolder = mkdtempSync(path.join(os.tmpdir(), 'ew-placed-'))
  return () => rmSync(hostFolder, { recursive: true, force: true })
})

it('[JB91] a program of the system is what it is anywhere, and is run by its own path', async () => {
  const found = await placed('sh')
  expect(found.ids).toEqual([(await own('sh')).id])
  expect(found.path).toMatch(/^\/(usr\/)?bin\/sh$/)
})

it('[JB91] one that came with the folder is what lies there as a whole: what lies beside it is read by it', async () => {
  write('tool', '#!/bin/sh\n. ./rest\n')
  write('rest', 'echo 1\n')
  const found = await placed('./tool')
  expect(found).toEqual({ ids: [(await own('./tool', '.')).id], path: '/home/ada/project/tool' })
  write('rest', 'echo 2\n')
  const other = await placed('./tool')
  expect(other.ids).toHaveLength(1)
  expect(other.ids).not.toEqual(found.ids)
})

it('[JB91] a link in the folder leads where it leads in the sandbox, whatever lies there on this machine', async () => {
  const outside = mkdtempSync(path.join(os.tmpdir(), 'ew-outside-'))
  try {
    writeFileSync(path.join(outside, 'genuine'), '#!/bin/sh\n', { mode: 0o755 })
    symlinkSync(path.join(outside, 'genuine'), path.join(hostFolder, 'out'))
    await expect(placed('./out')).rejects.toEqual(code('program/not-found'))
    // Named as a folder of this machine, the job's own is what is found.
    write('genuine', '#!/bin/sh\necho evil\n')
    symlinkSync(path.join(outside, 'genuine'), path.join(hostFolder, 'there'))
    const fooled = await placed('./there', { folder: outside })
    expect(fooled.ids).toEqual([(await own('./genuine', '.')).id])
    symlinkSync('/usr/bin/env', path.join(hostFolder, 'system'))
    expect((await placed('./system')).ids[0]).toBe((await own('env')).id)
    symlinkSync('loop', path.join(hostFolder, 'loop'))
    await expect(placed('./loop')).rejects.toEqual(code('program/not-found'))
  } finally {
    rmSync(outside, { recursive: true, force: true })
  }
})

it.each(['/home/ada', '/home', '/home/ada/.config', '/home/ada/.local/lib/python3.11/site-packages', '/home/ada/src/.git'])(
  '[JB91] a folder at %s would give a program its settings: nothing is told',
  async (folder) => {
    await expect(placed('sh', { folder })).rejects.toEqual(code('program/hidden'))
  },
)

it('[JB91] a program that the system names by way of its alternatives is that program', async () => {
  expect((await placed('awk')).ids).toEqual([(await own('awk')).id])
})

it.each(['/usr/bin', '/usr/lib/x', '/', '/etc', '/home/../usr/lib', '/bin', '/usr/', 'relative', '/proc/self'])(
  '[JB91] a folder or a home at %s would take the place of the system: nothing is told',
  async (folder) => {
    await expect(placed('sh', { folder })).rejects.toEqual(code('program/hidden'))
    await expect(placed('sh', { home: folder })).rejects.toEqual(code('program/hidden'))
  },
)
