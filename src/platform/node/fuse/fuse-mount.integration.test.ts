import { constants, mkdirSync, writeFileSync } from 'node:fs'
import { access, open, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { MountLab, stuckProcesses, whyNoMounts } from '../../../testkit/mount-lab.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../../testkit/seeded-random.ts'
import { readMountTable } from './mount-table.ts'

const CHECKS = fileURLToPath(new URL('../../../testkit/posix-checks.py', import.meta.url))
const why = whyNoMounts()

/* The driver on the real kernel, over a tree in memory. All looking is done with calls that do not hold this process's loop. */
describe.skipIf(why !== undefined)(`with mounts${why ? ` (cannot be made here: ${why})` : ''}`, () => {
  let lab: MountLab
  beforeEach(() => void (lab = new MountLab()))
  afterEach(() => lab.close())

  it.each(['root', 'unprivileged'] as const)('[FM2] [FM16] a mounted tree does what POSIX says of files (%s)', async (how) => {
    await lab.mounted(how)
    const said = (await lab.run('python3', [CHECKS, lab.at()])).trim().split('\n')
    expect(said.slice(0, -1)).toEqual([])
    expect(said.at(-1)).toMatch(/^7[6-9] checked, 0 failed$|^8[01] checked, 0 failed$/)
  })

  it('[FM3] random writes, cuts, holes and mappings read back as in a plain buffer', async () => {
    await lab.mounted()
    const seed = seedOfRun()
    const problems = await fsx(path.join(lab.at(), 'f'), seed, roundsOfRun(600, 100_000))
    expect({ seed, problems }).toEqual({ seed, problems: [] })
  })

  it('[FM3] the random writes find a file that lost one (planted)', async () => {
    await lab.mounted()
    const seed = seedOfRun()
    expect(await fsx(path.join(lab.at(), 'f'), seed, 600, 'lost-write')).not.toEqual([])
  })

  it('[FM4] a request that waits for the network holds nobody else, and can be given up', async () => {
    const client = await lab.mounted()
    await writeFile(lab.at('mnt/slow'), 'late')
    await writeFile(lab.at('mnt/quick'), 'now')
    await client.ask({ t: 'slow', ms: 5_000 })
    // Pages that are kept need no request: dropped, as a new mount would have none.
    await lab.sh('sync; echo 1 > /proc/sys/vm/drop_caches')
    const waiting = lab.run('timeout', ['-s', 'KILL', '2', 'cat', lab.at('mnt/slow')]).then(
      () => 'read',
      () => 'killed',
    )
    for (let i = 0; i < 20; i++) {
      expect(await readFile(lab.at('mnt/quick'), 'utf8')).toBe('now')
      await writeFile(lab.at(`mnt/other${i}`), 'x')
    }
    expect(await readdir(lab.at())).toHaveLength(22)
    expect(await waiting).toBe('killed')
    // What was asked for read-ahead comes in its time.
    await client.ask({ t: 'slow', ms: 20 })
    expect(await readFile(lab.at('mnt/slow'), 'utf8')).toBe('late')
  })

  it('[FM15] a file read in order is asked for in pieces as large as one answer may be, where this account may say so', async () => {
    await lab.mounted()
    const mounted = readMountTable().findLast(({ at }) => at === lab.at())
    const setting = `/sys/class/bdi/0:${mounted?.minor}/read_ahead_kb`
    const maySet = await access(setting, constants.W_OK).then(
      () => true,
      () => false,
    )
    if (maySet) await expect.poll(async () => (await readFile(setting, 'utf8')).trim()).toBe('1024')
  })

  it('[FM5] what another device changed is seen at once; an open file goes on reading what it was', async () => {
    const client = await lab.mounted()
    const file = lab.at('mnt/f')
    await writeFile(file, 'mine')
    const handle = await open(file)
    expect(await readdir(lab.at())).toEqual(['f'])
    await client.ask({ t: 'replace', name: 'f', text: 'theirs, longer' })
    await client.ask({ t: 'replace', name: 'new', text: 'made there' })
    await expect.poll(() => readFile(file, 'utf8')).toBe('theirs, longer')
    expect((await stat(file)).size).toBe(14)
    await expect.poll(async () => (await readdir(lab.at())).sort()).toEqual(['f', 'new'])
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(20), 0, 20, 0)
    expect(buffer.toString('utf8', 0, bytesRead)).toBe('mine')
    await handle.close()
  })

  it.each(['SIGKILL', 'hang'] as const)('[FM6] after %s nobody is stuck, and the next start clears the mount away', async (how) => {
    const client = await lab.mounted()
    await writeFile(lab.at('mnt/slow'), 'x'.repeat(10))
    await client.ask({ t: 'slow', ms: 600_000 })
    await lab.sh('sync; echo 1 > /proc/sys/vm/drop_caches')
    const readers = Array.from({ length: 3 }, () => lab.run('cat', [lab.at('mnt/slow')]).catch(() => 'ended'))
    const lister = lab.run('bash', ['-c', `sleep 0.3; ls -la ${lab.at()}`]).catch(() => 'ended')
    await new Promise((resolve) => setTimeout(resolve, 200))
    if (how === 'hang') void client.ask({ t: 'hang' })
    await new Promise((resolve) => setTimeout(resolve, 300))
    if (how === 'hang') {
      // A stuck process does not end by itself here: the next one to start takes its mount away from it.
      await lab.mounted()
    } else await client.kill('SIGKILL')
    expect(await Promise.all([...readers, lister])).toBeDefined()
    if (how === 'SIGKILL') {
      await expect(stat(lab.at())).rejects.toMatchObject({ code: 'ENOTCONN' })
      await lab.mounted()
    }
    await writeFile(lab.at('mnt/again'), 'x')
    expect(await readdir(lab.at())).toEqual(['again'])
    expect(stuckProcesses([process.pid, client.child.pid ?? 0])).toEqual([])
    expect(readMountTable().filter(({ at }) => at === lab.at())).toHaveLength(1)
  })

  it('[FM7] never over files of somebody, a foreign mount or a file; says so', async () => {
    mkdirSync(lab.at('full'))
    writeFileSync(lab.at('full/mine'), 'x')
    writeFileSync(lab.at('file'), 'x')
    mkdirSync(lab.at('foreign'))
    await lab.run('mount', ['-t', 'tmpfs', 'tmpfs', lab.at('foreign')])
    const codeAt = async (name: string) => {
      const event = await lab.start(undefined, [lab.at(name), 'root']).next()
      return event.t === 'failed' ? event.code : event.t
    }
    expect(await codeAt('full')).toBe('mount/not-empty')
    expect(await codeAt('file')).toBe('mount/not-a-folder')
    expect(await codeAt('foreign')).toBe('mount/taken')
    expect(await readdir(lab.at('full'))).toEqual(['mine'])
  })

  it.each(['root', 'unprivileged'] as const)(
    '[FM8] unmounts when asked; not under a program that uses it, unless forced (%s)',
    async (how) => {
      const client = await lab.mounted(how)
      await writeFile(lab.at('mnt/f'), 'x')
      const handle = await open(lab.at('mnt/f'))
      expect(await client.ask({ t: 'unmount', force: false })).toEqual({ t: 'refused', code: 'mount/busy' })
      expect(await readFile(lab.at('mnt/f'), 'utf8')).toBe('x')
      expect(await client.ask({ t: 'unmount', force: true })).toEqual({ t: 'done' })
      await handle.close().catch(() => {})
      expect(await readdir(lab.at())).toEqual([])
      expect(readMountTable().some(({ at }) => at === lab.at())).toBe(false)
    },
  )

  it('[FM2] two programs that replace a file by renames never show half of it', async () => {
    await lab.mounted()
    const file = lab.at('mnt/config')
    await writeFile(file, 'v0'.repeat(5000))
    for (let i = 1; i <= 30; i++) {
      await writeFile(`${file}.tmp`, `v${i % 10}`.repeat(5000))
      const [text] = await Promise.all([readFile(file, 'utf8'), rename(`${file}.tmp`, file)])
      expect([text.length, new Set(text.match(/v\d/g)).size]).toEqual([10_000, 1])
    }
  })
})

/**
 * As fsx: one file, one buffer that says what must be in it, random calls on both.
 *
 * @returns the first difference, with the steps before it
 */
async function fsx(file: string, seed: number, rounds: number, plant?: 'lost-write'): Promise<readonly string[]> {
  const random = new SeededRandom(seed)
  const MAX_BYTES = 300_000
  let model = Buffer.alloc(0)
  let handle = await open(file, 'w+')
  const steps: string[] = []
  const lengthen = (to: number) => {
    if (to > model.length) model = Buffer.concat([model, Buffer.alloc(to - model.length)])
  }
  try {
    for (let round = 0; round < rounds; round++) {
      const offset = random.below(MAX_BYTES)
      const length = random.chance(0.7) ? 1 + random.below(20_000) : 1 + random.below(MAX_BYTES - offset)
      const kind = random.below(10)
      if (kind < 4) {
        const bytes = Buffer.alloc(length, random.below(256))
        steps.push(`write ${offset}+${length}`)
        if (!(plant === 'lost-write' && round > 50 && random.chance(0.1))) await handle.write(bytes, 0, length, offset)
        lengthen(offset + length)
        model.set(bytes, offset)
      } else if (kind < 5) {
        steps.push(`truncate ${offset}`)
        await handle.truncate(offset)
        lengthen(offset)
        model = Buffer.from(model.subarray(0, offset))
      } else if (kind < 6) {
        steps.push('reopen')
        await handle.close()
        handle = await open(file, 'r+')
      } else if (kind < 7) {
        steps.push('sync')
        await handle.sync()
      } else {
        steps.push(`read ${offset}+${length}`)
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(length), 0, length, offset)
        const expected = model.subarray(offset, offset + length)
        if (!buffer.subarray(0, bytesRead).equals(expected)) return [...steps.slice(-15), 'differs']
      }
      if ((await handle.stat()).size !== model.length) return [...steps.slice(-15), 'another size']
    }
    return (await readFile(file)).equals(model) ? [] : [...steps.slice(-15), 'differs in the end']
  } finally {
    await handle.close()
  }
}
