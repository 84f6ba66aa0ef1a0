import { systemClock } from '../../base/clock.ts'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { silentLogger } from '../../base/logger.ts'
import { homeFilesContract } from '../../files/home-files-contract.ts'
import { serveFiles } from '../../files/serve-files.ts'
import { fuzzContract, oddValue } from '../../testkit/contract-fuzz.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import { NodeHomeDisk } from './node-home-disk.ts'

it('[FS1] whatever is asked of the files process, it answers with a stable code and touches nothing outside home', async () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  const base = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'elsewhere-fuzz-')))
  const home = path.join(base, 'home')
  mkdirSync(path.join(home, 'folder'), { recursive: true })
  writeFileSync(path.join(base, 'secret'), 'secret')
  symlinkSync(base, path.join(home, 'out'))
  symlinkSync('../secret', path.join(home, 'folder', 'way-out'))
  symlinkSync('loop', path.join(home, 'loop'))
  const names = [
    'a',
    'b',
    'folder',
    'out',
    'way-out',
    'loop',
    '..',
    '.',
    '',
    'x'.repeat(256),
    'ü',
    '-rf',
    '\\',
    ' ',
    '\n',
    '.hidden',
    'secret',
    '%2e%2e',
  ]
  const somewhere = () => `${random.chance(0.9) ? home : ''}/${Array.from({ length: random.below(4) }, () => random.pick(names)).join('/')}`
  const plausible = (name: string): unknown => ({
    device: 'd',
    path: somewhere(),
    ...(name === 'renameEntry' ? { to: somewhere() } : {}),
    ...(name === 'writeText' ? { text: random.pick(['', 'text', '\ud800', 'x'.repeat(1000)]) } : {}),
    ...(name === 'writeText' && random.chance(0.5) ? { expectedVersion: random.pick([null, '', 'old', oddValue(random, 0)]) } : {}),
  })
  const disk = new NodeHomeDisk({ home, trash: path.join(home, '.local/share/Trash') })
  const serve = (transport: Parameters<typeof serveFiles>[2]) => void serveFiles(disk, systemClock, transport, silentLogger)
  const { codes, accepted, problems } = await fuzzContract(homeFilesContract, serve, random, roundsOfRun(1_500, 100_000), plausible)
  expect({ seed, problems }).toEqual({ seed, problems: [] })
  expect(accepted).toBeGreaterThan(80)
  expect([...codes.keys()]).toEqual(
    expect.arrayContaining(['rpc/bad-input', 'file/outside-home', 'file/not-found', 'file/exists', 'file/bad-path']),
  )
  expect(codes.get('file/failed') ?? 0).toBe(0)
  expect(readdirSync(base).sort()).toEqual(['home', 'secret'])
  expect(readFileSync(path.join(base, 'secret'), 'utf8')).toBe('secret')
  rmSync(base, { recursive: true })
}, 600_000)

it('[FS1] the fuzz finds a call that breaks on a rare input (planted)', async () => {
  const random = new SeededRandom(seedOfRun())
  const home = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'elsewhere-fuzz-')))
  class BrokenDisk extends NodeHomeDisk {
    override makeFolder(...given: Parameters<NodeHomeDisk['makeFolder']>): ReturnType<NodeHomeDisk['makeFolder']> {
      if (JSON.stringify(given).includes('/7')) throw new TypeError('planted')
      return super.makeFolder(...given)
    }
  }
  const disk = new BrokenDisk({ home, trash: path.join(home, 'Trash') })
  const serve = (transport: Parameters<typeof serveFiles>[2]) => void serveFiles(disk, systemClock, transport, silentLogger)
  const { problems } = await fuzzContract(homeFilesContract, serve, random, 1_500, () => ({
    device: 'd',
    path: `${home}/${random.below(20)}`,
  }))
  expect(problems.join()).toContain('base/bug')
  rmSync(home, { recursive: true })
})
