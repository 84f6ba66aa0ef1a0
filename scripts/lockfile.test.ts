import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { lockfileFaults } from './lockfile.ts'
import { inProject } from './project.ts'

it('the lockfile holds every platform, and a missing one is named', async () => {
  const lockfile = JSON.parse(await readFile(inProject('package-lock.json'), 'utf8'))
  expect(lockfileFaults(lockfile)).toEqual([])
  delete lockfile.packages['node_modules/@lydell/node-pty-darwin-arm64']
  lockfile.packages['node_modules/zod'].integrity = undefined
  expect(lockfileFaults(lockfile)).toEqual([
    expect.stringContaining('@lydell/node-pty-darwin-arm64 is missing'),
    'node_modules/zod has no integrity hash',
  ])
})

it('npm ci runs no install script but those that are known; electron fetches its binary only when somebody asks for it', async () => {
  const { packages } = JSON.parse(await readFile(inProject('package-lock.json'), 'utf8'))
  const withScript = Object.keys(packages).filter((place) => packages[place].hasInstallScript)
  // bufferutil and utf-8-validate fall back to JavaScript; electron-winstaller and esbuild choose among files they hold
  expect(withScript.map((place) => place.replace('node_modules/', ''))).toEqual([
    'bufferutil',
    'electron-winstaller',
    'esbuild',
    'koffi',
    'utf-8-validate',
  ])
  expect(packages['node_modules/electron'].dev).toBe(true)
})
