import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { SeededRandom } from '../../testkit/seeded-random.ts'
import { buildIfStale, RunningDevice, runCommand } from '../daemon/running-device.suite.ts'

const cleanUps: (() => unknown)[] = []
beforeAll(buildIfStale, 180_000)
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

it('[DV51] files put in with the command line come out as they were, also after a restart; nothing on disk tells them', async () => {
  const device = new RunningDevice()
  cleanUps.push(() => device.dispose())
  const folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-fs-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  const fs = (...args: string[]) => runCommand(['fs', ...args, '--data', device.folder])
  const lines = (text: string) => text.trim().split('\n')

  await device.start()
  const create = ['create', '--person', 'Ada', '--device', 'Lamp', '--unattended', '--data', device.folder]
  expect(runCommand(create, { input: 'correct horse battery\n' })).toMatchObject({ status: 0 })
  const big = path.join(folder, 'big.bin')
  writeFileSync(big, new SeededRandom(51).bytes(3_000_000)) // no two pieces of it are the same, however it is cut
  const note = path.join(folder, 'note.txt')
  writeFileSync(note, 'kingfisher-text one')
  expect(fs('mkdir', '/docs')).toMatchObject({ status: 0, stderr: '' })
  expect(fs('put', big, '/docs')).toMatchObject({ status: 0, stderr: '' })
  expect(fs('put', note, '/docs/kingfisher-name.txt')).toMatchObject({ status: 0 })
  writeFileSync(note, 'kingfisher-text two')
  expect(fs('put', note, '/docs/kingfisher-name.txt')).toMatchObject({ status: 0 })
  expect(fs('get', '/nothing', folder)).toMatchObject({ status: 1, stderr: expect.stringContaining('[file/not-found]') })

  await device.end()
  await device.start()
  expect(fs('get', '/docs/big.bin', path.join(folder, 'back.bin'))).toMatchObject({ status: 0, stderr: '' })
  expect(Buffer.compare(readFileSync(path.join(folder, 'back.bin')), readFileSync(big))).toBe(0)
  expect(fs('cat', '/docs/kingfisher-name.txt').stdout).toBe('kingfisher-text two')
  const versions = lines(fs('history', '/docs/kingfisher-name.txt').stdout)
  expect(versions.length).toBe(2)
  expect(fs('restore', '/docs/kingfisher-name.txt', versions[1]?.split(' ')[0] as string)).toMatchObject({
    status: 0,
    stdout: '/docs/kingfisher-name.txt\n',
  })
  expect(fs('cat', '/docs/kingfisher-name.txt').stdout).toBe('kingfisher-text one')
  // [DV63] A whole folder, twice: what is there already is left.
  const old = path.join(folder, 'old')
  mkdirSync(path.join(old, 'deep', 'node_modules'), { recursive: true })
  writeFileSync(path.join(old, 'deep', 'run.sh'), 'echo kingfisher', { mode: 0o755 })
  writeFileSync(path.join(old, 'deep', 'node_modules', 'm.js'), '1')
  symlinkSync('deep/run.sh', path.join(old, 'link'))
  const imported = (same: number) => ({
    status: 0,
    stdout: expect.stringMatching(`^/docs/in: 3 files, 3 folders, .*; ${same} were there already`),
  })
  expect(fs('import', old, '/docs/in')).toMatchObject(imported(0))
  expect(fs('import', old, '/docs/in')).toMatchObject(imported(3))
  expect(JSON.parse(fs('ls', '/docs/in', '--json').stdout)).toMatchObject([{ name: 'deep' }, { kind: 'link', target: 'deep/run.sh' }])
  // [DV108] And out again: into what is there, or as it; what is there already and equal is left, what differs is not replaced unasked.
  const out = path.join(folder, 'out')
  mkdirSync(out)
  const got = (same: number) => ({
    status: 0,
    stderr: '',
    stdout: expect.stringMatching(`^${out}/in: 3 files, 3 folders, .*; ${same} were there already`),
  })
  expect(fs('get', '/docs/in', out)).toMatchObject(got(0))
  expect(fs('get', '/docs/in', out)).toMatchObject(got(3))
  const script = path.join(out, 'in', 'deep', 'run.sh')
  expect([readFileSync(script, 'utf8'), statSync(script).mode & 0o777]).toEqual(['echo kingfisher', 0o755])
  expect(Math.floor(statSync(script).mtimeMs)).toBe(Math.floor(statSync(path.join(old, 'deep', 'run.sh')).mtimeMs))
  expect([readlinkSync(path.join(out, 'in', 'link')), readdirSync(path.join(out, 'in', 'deep')).sort()]).toEqual([
    'deep/run.sh',
    ['node_modules', 'run.sh'],
  ])
  writeFileSync(script, 'mine now')
  rmSync(path.join(out, 'in', 'deep', 'node_modules'), { recursive: true })
  symlinkSync(folder, path.join(out, 'in', 'deep', 'node_modules')) // what is in the way leads elsewhere
  const left = JSON.parse(fs('get', '/docs/in', out, '--json').stdout) as { skipped: string[] }
  expect(left).toMatchObject({
    files: 1,
    folders: 2,
    same: 1,
    skipped: [expect.stringContaining('run.sh: another'), expect.stringContaining('node_modules: ')],
  })
  expect([readFileSync(script, 'utf8'), readdirSync(folder).includes('m.js')]).toEqual(['mine now', false])
  expect(fs('get', '/docs/in', out, '--force')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('node_modules: something else'),
  })
  expect(readFileSync(script, 'utf8')).toBe('echo kingfisher')
  expect(fs('get', '/docs', path.join(folder, 'new'))).toMatchObject({ status: 0 })
  expect(Buffer.compare(readFileSync(path.join(folder, 'new', 'big.bin')), readFileSync(big))).toBe(0)
  expect(fs('pin', '/docs/in').stdout).toContain('in is kept here: 1 files')
  expect(fs('ls', '/docs').stdout).toMatch(/in {2}\(pinned\)/)
  // [RP6] [RP7] [RP8] Where copies have to be, and how much is kept here.
  expect(fs('policy').stdout).toContain('Home: on 1 device besides the one that wrote it')
  expect(JSON.parse(fs('policy', 'Home', '--copies', '3', '--on', 'Lamp', '--json').stdout)).toMatchObject({
    ...{ name: 'Home', copies: 3, on: [{ name: 'Lamp' }], unmet: { why: 'too-few', has: 0 } },
  })
  expect(fs('status').stdout).toMatch(/all of it on Lamp\n.*too few devices: 0 of 3/)
  expect(fs('policy', '--on', 'none').stdout).toContain('Home: on 3 devices')
  expect(fs('policy', '--copies', '9')).toMatchObject({ status: 2, stderr: expect.stringContaining('1 to 8') })
  expect(fs('policy', 'Nowhere')).toMatchObject({ status: 2, stderr: expect.stringContaining('no dataset "Nowhere"') })
  expect(fs('policy', '--copies', '1')).toMatchObject({ status: 0, stderr: '' })
  expect(fs('cache', '2G').stdout).toMatch(/^2G: .* of at most 2147.5 MB/)
  expect(fs('cache', '1K')).toMatchObject({ status: 2 })
  expect(JSON.parse(fs('cache', 'all', '--json').stdout)).toMatchObject({ limit: 'all', cutShort: [] })
  const then = new Date().toISOString()
  expect(fs('rm', '/docs')).toMatchObject({ status: 0 })
  expect(fs('cat', '/docs/in/deep/run.sh', '--at', then).stdout).toBe('echo kingfisher')
  expect(fs('ls').stdout).toBe('')
  expect(fs('trash').stdout).toContain('kingfisher-name.txt')
  expect(fs('check')).toMatchObject({ status: 0, stdout: expect.stringContaining('Nothing is wrong.') })
  expect(JSON.parse(fs('status', '--json').stdout)).toMatchObject({ name: 'Home', nodes: 7, pinned: { files: 0 } })
  expect(packBytes(device.data.datasets)).toBeGreaterThan(2_900_000)
  expect(fs('trash', 'empty')).toMatchObject({ status: 1, stderr: expect.stringContaining('cannot be undone') })
  expect(fs('trash', 'empty', '--force')).toMatchObject({ status: 0, stdout: expect.stringContaining('gone for good') })
  // What was written since the last start may still belong to something; the rest the disk has back.
  expect(fs('tidy')).toMatchObject({ status: 0 })
  expect(packBytes(device.data.datasets)).toBeLessThan(20_000)
  expect(fs('check')).toMatchObject({ status: 0, stdout: expect.stringContaining('Nothing is wrong.') })
  expect(statSync(device.data.datasets).mode & 0o777).toBe(0o700)
  await device.end()
  const told = (readdirSync(device.folder, { recursive: true }) as string[]).filter((name) => {
    const file = path.join(device.folder, name)
    return statSync(file).isFile() && readFileSync(file).includes('kingfisher')
  })
  expect(told).toEqual([])
})

/** What the packs of chunks take on the disk. */
function packBytes(folder: string): number {
  const files = (readdirSync(folder, { recursive: true }) as string[]).filter((name) => name.endsWith('.pack'))
  return files.reduce((sum, name) => sum + statSync(path.join(folder, name)).size, 0)
}
