import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { execFileSync } from 'node:child_process'
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { whyNoMounts } from '../../testkit/mount-lab.ts'
import { MountedDevice } from './mounted-device.suite.ts'
import { buildIfStale } from './running-device.suite.ts'

const FILES = 30
let disk = ''
let mounted: MountedDevice | undefined
beforeAll(buildIfStale, 180_000)
beforeEach(() => {
  disk = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-disk-'))
})
afterEach(async () => {
  await mounted?.close()
  vi.unstubAllEnvs()
  execFileSync('umount', [disk])
  rmSync(disk, { recursive: true, force: true })
})

it.skipIf(whyNoMounts() !== undefined)(
  '[FM19] a files process that is killed comes back with all files while the disk of its device is full; a device that is started then says what to do, and goes on when there is room',
  { timeout: 240_000 },
  async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', disk])
    vi.stubEnv('TMPDIR', disk)
    mounted = await MountedDevice.open()
    const { home, lab, device } = mounted
    mkdirSync(path.join(home, 'kept'))
    const at = (n: number) => path.join(home, 'kept', `file ${n}`)
    for (let n = 0; n < FILES; n++) await writeFile(at(n), `text ${n}`)
    const allKept = async () => {
      for (let n = 0; n < FILES; n++) expect(await readFile(at(n), 'utf8')).toBe(`text ${n}`)
    }
    const write = () => lab.look('bash', ['-c', 'head -c 3000000 /dev/urandom > more && sync more'], { cwd: home })
    await lab.look('bash', ['-c', `cat /dev/zero > ${disk}/rest`]) // not a byte is left
    process.kill(mounted.filesPid, 'SIGKILL')
    await mounted.mounted()
    await allKept()
    expect((await write()).stderr).toContain('No space left on device')
    await allKept()
    // All of it is not begun without room: what it says is what to do.
    await device.end()
    await expect(mounted.start()).rejects.toThrow(/There is no space left for the data folder .* Free some.*\[start\/disk-full\]/)
    rmSync(path.join(disk, 'rest'))
    await mounted.start()
    await mounted.mounted()
    await allKept()
    await vi.waitFor(async () => expect((await write()).code).toBe(0), { timeout: 30_000, interval: 500 })
    await allKept()
    expect(mounted.fs('check')).toMatchObject({ status: 0 })
  },
)
