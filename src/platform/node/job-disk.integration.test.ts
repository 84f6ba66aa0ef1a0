import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi, onTestFinished } from 'vitest'
import { systemClock } from '../../base/clock.ts'
import { AttemptHost } from '../../jobs/attempt-host.ts'
import { type AttemptExit, decodeJobDown, encodeJobUp } from '../../jobs/job-frames-contract.ts'
import { attemptHostParts } from '../../testkit/attempt-host-parts.ts'
import { memoryChannelPair } from '../../testkit/memory-channels.ts'
import { SystemCondition } from './machine-condition.ts'
import { NodeJobSpawner } from './node-job-spawner.ts'
import { NodeTreePlaces } from './node-tree-places.ts'

const why = process.getuid?.() === 0 ? new SystemCondition(process.env).noSandbox() : 'mounting a small file system needs root'
const DISK_MIB = 640
const ID = '2'.repeat(16)

describe.skipIf(why !== undefined)(`a job that fills the disk${why ? ` (${why})` : ''}`, () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'ew-disk-'))
    for (const name of ['disk', 'project', 'other']) mkdirSync(path.join(folder, name))
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'none', path.join(folder, 'disk')])
  })
  afterEach(() => {
    execFileSync('umount', ['-l', path.join(folder, 'disk')])
    rmSync(folder, { recursive: true, force: true })
  })

  it('[JB41] it is ended while 512 MiB are free or nearly so, what it wrote is removed, and the next one runs', async () => {
    const disk = path.join(folder, 'disk')
    const freeMiB = () => statfsSync(disk).bavail * (statfsSync(disk).bsize / 1024 ** 2)
    const spawner = new NodeJobSpawner()
    onTestFinished(() => spawner.end())
    const host = new AttemptHost(
      attemptHostParts(systemClock, { spawner, places: new NodeTreePlaces(path.join(disk, 'jobs'), '/home/ada') }),
    )
    const near = new AttemptHost(attemptHostParts(systemClock, { places: new NodeTreePlaces(path.join(folder, 'near'), '/home/ada') }))
    const run = async (id: string, line: string, project: string): Promise<AttemptExit> => {
      const [asking, channel] = memoryChannelPair()
      const [nearTree, tree] = memoryChannelPair()
      const ended = new Promise<AttemptExit>((resolve) => {
        asking.onDidReceive((message) => {
          const frame = decodeJobDown(message)
          if (frame?.kind === 'exit') resolve(frame)
        })
      })
      await near.offerTree(id, path.join(folder, project), 'server', nearTree)
      const request = {
        attempt: id,
        program: '/bin/sh',
        arguments: ['-c', line],
        environment: {},
        folder: `/home/ada/${project}`,
        home: '/home/ada',
        network: false,
        service: false,
        withoutSandbox: false,
        containers: false,
      }
      await host.startFor('kitchen', request, channel, tree)
      const renewing = setInterval(() => asking.send(encodeJobUp({ kind: 'renew' })), 10_000)
      return ended.finally(() => clearInterval(renewing))
    }
    try {
      // Above what is left by 16 MB, and not all of the disk.
      const fills = 'n=0; while [ $n -lt 18 ]; do head -c 8000000 /dev/zero >> fill; n=$((n + 1)); sleep 0.2; done; sleep 3600'
      expect(await run(ID, fills, 'project')).toMatchObject({ ended: 'disk' })
      await vi.waitFor(() => expect(readdirSync(path.join(disk, 'jobs', 'run'))).toEqual([]), 60_000)
      expect(freeMiB()).toBeGreaterThan(DISK_MIB - 20)
      expect(await run(`${ID.slice(1)}3`, 'exit 7', 'other')).toMatchObject({ code: 7 })
    } finally {
      await host.endAll()
      host.dispose()
      near.dispose()
    }
  }, 240_000)
})
