import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { MountLab, whyNoMounts } from '../../../testkit/mount-lab.ts'
import { SeededRandom } from '../../../testkit/seeded-random.ts'

const PROGRAM = fileURLToPath(new URL('../../../testkit/disk-mount-process.ts', import.meta.url))
const FILE_BYTES = 1_500_000
let lab: MountLab
beforeEach(async () => {
  lab = await MountLab.open()
})
afterEach(() => lab.close())

it.skipIf(whyNoMounts() !== undefined)(
  '[FM19] a disk that becomes full is told to whoever writes; what was synced before stays, also after kill -9 and a start without any room, and writing goes on when there is some',
  { timeout: 120_000 },
  async () => {
    const [disk, mnt] = [lab.at('disk'), lab.at()]
    mkdirSync(disk)
    await lab.run('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk])
    writeFileSync(path.join(disk, 'ballast'), new Uint8Array(8 * 1024 * 1024))
    const start = async () => {
      const client = lab.start(PROGRAM, [path.join(disk, 'device'), mnt])
      expect(await client.next()).toEqual({ t: 'mounted' })
      return client
    }
    const random = new SeededRandom(4)
    const kept: string[] = []
    const put = async (name: string): Promise<boolean> => {
      writeFileSync(lab.at(name), random.bytes(FILE_BYTES))
      const { code, stderr } = await lab.look('bash', ['-c', `cp ${lab.at(name)} ${mnt}/Home/${name} && sync ${mnt}/Home/${name}`])
      if (code === 0) kept.push(name)
      else expect(stderr).toMatch(/No space left on device/)
      return code === 0
    }
    const allKept = async () => {
      for (const name of kept) await lab.run('cmp', [lab.at(name), `${mnt}/Home/${name}`])
    }
    const first = await start()
    for (let n = 0; n < 40 && (await put(`file-${n}`)); n++);
    expect(kept.length).toBeGreaterThan(4)
    expect(kept.length).toBeLessThan(20)
    await allKept()
    expect(await put('not-yet')).toBe(false)
    await lab.run('ls', ['-la', `${mnt}/Home`])
    // Nothing that was being changed took an older file with it.
    await allKept()
    await first.kill('SIGKILL')
    await lab.look('bash', ['-c', `cat /dev/zero > ${disk}/rest`]) // not a byte is left
    let last = await start()
    await allKept()
    expect(await put('nor-now')).toBe(false)
    await lab.run('ls', ['-la', `${mnt}/Home`])
    await allKept()
    // Nor does a second start without room lose what the first could not carry.
    await last.kill('SIGKILL')
    last = await start()
    await allKept()
    rmSync(path.join(disk, 'rest'))
    rmSync(path.join(disk, 'ballast'))
    const before = kept.length
    for (let n = 0; n < 3; n++) expect(await put(`again-${n}`)).toBe(true)
    expect(kept.length).toBe(before + 3)
    await allKept()
    await last.kill('SIGKILL')
    await start()
    await allKept()
    expect(existsSync(path.join(disk, 'device/shared/chunks'))).toBe(true) // it was this disk that was full
    expect(readFileSync(path.join(mnt, 'Home', kept[0] as string)).length).toBe(FILE_BYTES)
  },
)
