import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { exitFile, slurmScript, SPOOL } from './slurm-script.ts'

/* The script as a cluster runs it: by a real /bin/sh. */

let shared: string
beforeEach(() => {
  shared = mkdtempSync(path.join(os.tmpdir(), "ew engine's "))
  mkdirSync(path.join(shared, SPOOL))
})
afterEach(() => rmSync(shared, { recursive: true, force: true }))

function run(line: string, environment: Readonly<Record<string, string>> = {}) {
  const job = slurmScript({ name: 'a1', arguments: ['-c', line], folder: shared, environment: {} }, shared)
  const { status, stdout } = spawnSync('/bin/sh', ['-s'], {
    input: job.script,
    env: { ...job.environment, ...environment },
    encoding: 'utf8',
  })
  const exit = exitFile(shared, 'a1')
  return { status, stdout, exit: existsSync(exit) ? readFileSync(exit, 'utf8') : undefined }
}

it('[EN3] its line runs in its folder, and its exit code is written down', () => {
  expect(run('pwd; echo "it\'s"; exit 3')).toEqual({ status: 3, stdout: `${shared}\nit's\n`, exit: '3\n' })
  expect(run('true', { SLURM_RESTART_COUNT: '0' })).toEqual({ status: 0, stdout: '', exit: '0\n' })
})

it('[EN3] begun again by Slurm, since its node was lost, it does nothing and says so', () => {
  expect(run('echo once >> did', { SLURM_RESTART_COUNT: '1' })).toEqual({
    ...{ status: 75, stdout: 'its node was lost or it was requeued, and it is not begun again\n', exit: undefined },
  })
  expect(existsSync(path.join(shared, 'did'))).toBe(false)
})

it('[EN3] what the first time wrote down stays when it is begun again', () => {
  expect(run('exit 4').exit).toBe('4\n')
  expect(run('exit 0', { SLURM_RESTART_COUNT: '2' })).toMatchObject({ status: 75, exit: '4\n' })
})
