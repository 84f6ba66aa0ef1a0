import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, utimesSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { bubblewrapArguments } from './bubblewrap.ts'
import { killTrees, sendSignal } from './end-processes.ts'
import { JobCgroups, removeLeftGroups } from './job-limits.ts'
import { SystemCondition } from './machine-condition.ts'
import { NodeJobSpawner } from './node-job-spawner.ts'
import { listProcesses } from './proc-process-reader.ts'

/*
 * What ends a job leaves nothing of it (rule JB110). bwrap makes its child before it lets it go: whoever ends bwrap alone between the two
 * leaves a process that waits for ever.
 */

const why = new SystemCondition(process.env).noSandbox()
const isRoot = process.getuid?.() === 0
const folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-end-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const request = { program: '/bin/sleep', arguments: ['600'], environment: { PATH: '/usr/bin:/bin' }, folder: '/home/ada/project' }
const sandbox = { hostFolder: folder, home: '/home/ada', network: false, memoryMiB: 256 }
const TRIES = 40
/** Those of this test: their command names its folder, behind what `listProcesses` tells of it. */
const left = () => listProcesses({ commands: false }).filter(({ pid, zombie }) => !zombie && commandOf(pid).includes(folder))

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // gone meanwhile
  }
}

describe.skipIf(why !== undefined)(`what ends a job${why ? ` (no sandbox: ${why})` : ''}`, () => {
  it('[JB110] leaves nothing, whenever it comes; ending bwrap alone leaves a process that waits for ever', async () => {
    const alone = async (end: (pid: number) => void) => {
      for (let n = 0; n < TRIES; n++) {
        const child = spawn('bwrap', bubblewrapArguments(request, sandbox), {
          detached: true,
          stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
        })
        const gone = new Promise((resolve) => child.on('exit', resolve))
        await delay((n % 20) / 2)
        end(child.pid as number)
        await gone
      }
      await delay(200)
      return left()
    }
    const stuck = await alone((pid) => sendSignal(pid, 'SIGKILL'))
    for (const { pid } of stuck) sendSignal(pid, 'SIGKILL')
    expect(stuck.length).toBeGreaterThan(0)
    await expect.poll(() => left().length, { timeout: 10_000 }).toBe(0)
    expect(await alone((pid) => killTrees([pid], () => listProcesses({ commands: false })))).toEqual([])

    const spawner = new NodeJobSpawner()
    for (let n = 0; n < TRIES; n++) {
      const job = spawner.prepare({ ...request, sandbox }).start()
      await delay((n % 20) * 2)
      await job.end(0)
    }
    await spawner.end()
    await expect.poll(() => left(), { timeout: 10_000 }).toEqual([])
  }, 120_000)

  it.skipIf(!isRoot)('[JB110] ends what is left in control groups before they are removed', async () => {
    const groups = new JobCgroups(`end-${process.pid}`, 256)
    expect(groups.folders.length).toBeGreaterThan(0)
    const child = spawn('/bin/sh', [
      '-c',
      'for group; do echo $$ >"$group/cgroup.procs"; done; echo in; exec sleep 600',
      'sh',
      ...groups.folders,
    ])
    await new Promise((resolve) => child.stdout.once('data', resolve))
    const gone = new Promise((resolve) => child.on('exit', resolve))
    expect(groups.tryRemove()).toBe(false)
    await gone
    await expect.poll(() => groups.tryRemove(), { timeout: 10_000 }).toBe(true)
  })
})

it.skipIf(!isRoot || why !== undefined)(
  '[JB110] what waits in a group for a bwrap that is gone is ended with it; a job that runs is not',
  async () => {
    const cgroups = existsSync('/sys/fs/cgroup/cgroup.controllers') ? '/sys/fs/cgroup' : '/sys/fs/cgroup/pids'
    const root = path.join(cgroups, `end-${process.pid}`)
    const groupOf = (name: string) => path.join(root, `elsewhere-${name}`)
    const enter = (name: string) => {
      mkdirSync(groupOf(name), { recursive: true })
      const line = 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"'
      const words = ['-c', line, 'sh', groupOf(name), 'bwrap', ...bubblewrapArguments(request, sandbox)]
      return spawn('/bin/sh', words, { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
    }
    const there = (name: string) => existsSync(groupOf(name))
    const isHeld = (name: string) => readFileSync(path.join(groupOf(name), 'cgroup.procs'), 'utf8') !== ''
    const runs = enter('runs')
    try {
      await new Promise((resolve) => runs.stdio[3]?.once('data', resolve))
      for (let n = 0; n < 200 && !(there('stuck') && isHeld('stuck')); n++) {
        const child = enter('stuck')
        const gone = new Promise((resolve) => child.on('exit', resolve))
        await delay(10 + (n % 40) / 2)
        child.kill('SIGKILL')
        await gone
        await delay(50)
      }
      expect(isHeld('stuck')).toBe(true)
      await expect.poll(() => (removeLeftGroups(Date.now() + 120_000, [root]), there('stuck')), { timeout: 10_000 }).toBe(false)
      expect(isHeld('runs')).toBe(true)
    } finally {
      killTrees([runs.pid as number], () => listProcesses({ commands: false }))
      await expect.poll(() => (removeLeftGroups(Date.now() + 120_000, [root]), there('runs')), { timeout: 10_000 }).toBe(false)
      rmdirSync(root)
    }
  },
  60_000,
)

it('[JB110] groups that a host left are removed, but not those that may be entered in a moment', () => {
  for (const name of ['elsewhere-old', 'elsewhere-young', 'others']) mkdirSync(path.join(folder, 'groups', name), { recursive: true })
  const now = Date.now()
  for (const name of ['elsewhere-old', 'others'])
    utimesSync(path.join(folder, 'groups', name), new Date(now - 90_000), new Date(now - 90_000))
  removeLeftGroups(now, [path.join(folder, 'groups'), path.join(folder, 'nowhere')])
  expect(readdirSync(path.join(folder, 'groups')).sort()).toEqual(['elsewhere-young', 'others'])
})
