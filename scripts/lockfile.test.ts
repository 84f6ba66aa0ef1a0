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
