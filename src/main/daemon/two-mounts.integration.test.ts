import { createHash, randomBytes } from 'node:crypto'
import { open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { whyNoMounts } from '../../testkit/mount-lab.ts'
import { MountedDevice } from './mounted-device.suite.ts'
import { buildIfStale } from './running-device.suite.ts'

const why = whyNoMounts()
const MIB = 2 ** 20
const COLD_BYTES = 20 * MIB
/** Less than the cold file, so that it can be read only by letting go of what was read. */
const CACHE_BYTES = 8 * MIB
const PATIENT = { timeout: 60_000, interval: 50 }
/** Longest a read may wait for a device that does not answer, seconds: beyond that a program looks stuck. */
const GIVE_UP_S = 60

/** Two devices of one person on this machine, linked over loopback, each with its mount; the second keeps little. */
describe.skipIf(why !== undefined)(`two devices with mounts${why ? ` (cannot be made here: ${why})` : ''}`, () => {
  let lamp: MountedDevice
  let desk: MountedDevice
  beforeAll(async () => {
    buildIfStale()
    lamp = await MountedDevice.open({ name: 'Lamp' })
    desk = await MountedDevice.open({ name: 'Desk', env: { ELSEWHERE_CACHE_BYTES: String(CACHE_BYTES) } })
    await pair(lamp, desk)
  }, 240_000)
  afterAll(async () => {
    await desk?.close()
    await lamp?.close()
  })

  const onLamp = (name: string) => path.join(lamp.home, name)
  const onDesk = (name: string) => path.join(desk.home, name)
  const kept = () => JSON.parse(desk.fs('status', '--json').stdout) as { cachedBytes: number; limitBytes: number }
  /** A new file of Lamp, of which Desk knows. */
  const coldFile = async (name: string, bytes: Buffer) => {
    await writeFile(onLamp(name), bytes)
    await vi.waitFor(async () => expect(await desk.lab.run('stat', ['-c', '%s', onDesk(name)])).toBe(`${bytes.length}\n`), PATIENT)
  }

  it('[FM5] a file larger than the cache is read through the mount of the device that holds nothing of it', async () => {
    const bytes = randomBytes(COLD_BYTES)
    await coldFile('cold', bytes)
    expect(kept().cachedBytes).toBeLessThan(CACHE_BYTES)
    const digest = createHash('sha256').update(bytes).digest('hex')
    expect(await desk.lab.sh('sha256sum cold | cut -d" " -f1', { cwd: desk.home })).toBe(`${digest}\n`)
  })

  it('[FM5] what is saved on one is what the next look on the other finds, and a name that went is gone', async () => {
    await coldFile('note', Buffer.from('first'))
    expect(await readFile(onDesk('note'), 'utf8')).toBe('first')
    for (const text of ['second, longer', '3rd']) {
      await writeFile(onLamp('note'), text)
      await vi.waitFor(async () => expect(await readFile(onDesk('note'), 'utf8')).toBe(text), PATIENT)
    }
    await writeFile(onDesk('note'), 'back')
    await vi.waitFor(async () => expect(await readFile(onLamp('note'), 'utf8')).toBe('back'), PATIENT)
    await rename(onLamp('note'), onLamp('note renamed'))
    await vi.waitFor(async () => {
      await expect(readFile(onDesk('note'))).rejects.toMatchObject({ code: 'ENOENT' })
      expect(await readFile(onDesk('note renamed'), 'utf8')).toBe('back')
    }, PATIENT)
  })

  it('[FM5] an open file reads on while the other device replaces it, also what was not here yet', async () => {
    const [was, is] = [randomBytes(6 * MIB), randomBytes(5 * MIB)]
    await coldFile('replaced', was)
    const handle = await open(onDesk('replaced'))
    try {
      const part = async (at: number) => (await handle.read(Buffer.alloc(MIB), 0, MIB, at)).buffer
      expect((await part(0)).equals(was.subarray(0, MIB))).toBe(true)
      await writeFile(onLamp('replacing'), is)
      await rename(onLamp('replacing'), onLamp('replaced'))
      await vi.waitFor(async () => expect((await readFile(onDesk('replaced'))).equals(is)).toBe(true), PATIENT)
      for (let at = MIB; at < was.length; at += MIB) expect((await part(at)).equals(was.subarray(at, at + MIB))).toBe(true)
    } finally {
      await handle.close()
    }
  })

  it('[FM5] two contents of one file written at once are both kept, on both', async () => {
    await coldFile('both', Buffer.from('before'))
    // The process with the links stands still: its files process goes on alone.
    const pid = desk.device.processes.find(({ command }) => command.includes('device-main'))?.pid ?? 0
    process.kill(pid, 'SIGSTOP')
    try {
      await writeFile(onLamp('both'), 'of the lamp')
      await desk.lab.sh('echo -n of the desk > both; sync both', { cwd: desk.home })
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    await vi.waitFor(async () => {
      for (const { home } of [lamp, desk]) {
        const names = (await readdir(home)).filter((name) => name.startsWith('both'))
        expect(names.sort()).toEqual(['both', expect.stringMatching(/^both \(conflict .*(Lamp|Desk)\)$/)])
        const texts = await Promise.all(names.map((name) => readFile(path.join(home, name), 'utf8')))
        expect(texts.sort()).toEqual(['of the desk', 'of the lamp'])
      }
    }, PATIENT)
  })

  it.each(['removes', 'replaces'])(
    '[MT16] what is written into an open file that the other device %s is there on both when it is closed',
    async (how) => {
      const name = `open ${how}`
      await coldFile(name, Buffer.from('before'))
      await readdir(desk.home)
      const handle = await open(onDesk(name), 'r+')
      try {
        await handle.write('hours of work', 0)
        if (how === 'removes') await rm(onLamp(name))
        else {
          await writeFile(onLamp('saving'), 'saved on the lamp')
          await rename(onLamp('saving'), onLamp(name))
        }
        // Not opened to look: whoever closes it makes a version of what was written.
        await vi.waitFor(() => expect(desk.fs('history', `/${name}`).stdout).toContain('removed  Lamp'), PATIENT)
        await handle.write(' and more', 13)
      } finally {
        await handle.close()
      }
      await vi.waitFor(async () => {
        for (const { home } of [lamp, desk]) {
          const names = (await readdir(home)).filter((there) => there.startsWith(name))
          const texts = await Promise.all(names.map((there) => readFile(path.join(home, there), 'utf8')))
          expect(texts.sort()).toEqual(['hours of work and more', ...(how === 'removes' ? [] : ['saved on the lamp'])])
        }
      }, PATIENT)
    },
  )

  it('[FM4] with the other device gone silent a read of its bytes ends in an error, and all else goes on', async () => {
    await coldFile('away', randomBytes(12 * MIB))
    await coldFile('here', Buffer.from('held'))
    expect(await readFile(onDesk('here'), 'utf8')).toBe('held')
    desk.lab.dropCaches()
    const silent = lamp.device.processes.map(({ pid }) => pid)
    for (const pid of silent) process.kill(pid, 'SIGSTOP')
    try {
      // 124 would say that `timeout` ended it.
      const waiting = desk.lab.look('timeout', [String(GIVE_UP_S), 'cat', onDesk('away')])
      const state = { isWaiting: true }
      void waiting.finally(() => (state.isWaiting = false))
      let rounds = 0
      while (state.isWaiting) {
        await desk.lab.sh(`echo ${rounds} > mine; [ "$(cat mine)" = ${rounds} ]; [ "$(cat here)" = held ]; ls -l > /dev/null`, {
          cwd: desk.home,
        })
        rounds++
      }
      expect(rounds).toBeGreaterThan(1)
      const { code, signal, stderr } = await waiting
      expect({ code, signal, stderr }).toEqual({ code: 1, signal: null, stderr: expect.stringContaining('timed out') })
    } finally {
      for (const pid of silent) process.kill(pid, 'SIGCONT')
    }
    await vi.waitFor(async () => expect(await desk.lab.sh('wc -c < away', { cwd: desk.home })).toBe(`${12 * MIB}\n`), PATIENT)
    await vi.waitFor(async () => expect((await desk.lab.look('cmp', [onDesk('away'), onLamp('away')])).code).toBe(0), PATIENT)
  })

  it('[FM5] what does not fit into the small cache has gone again, what both hold is sound, and the large file comes once more', async () => {
    expect(kept().limitBytes).toBe(CACHE_BYTES)
    // It is looked at twice a minute.
    await vi.waitFor(() => expect(kept().cachedBytes).toBeLessThanOrEqual(CACHE_BYTES), { timeout: 60_000, interval: 500 })
    desk.lab.dropCaches()
    expect((await desk.lab.look('cmp', [onDesk('cold'), onLamp('cold')])).code).toBe(0)
    for (const device of [lamp, desk]) expect(device.fs('check')).toMatchObject({ status: 0 })
  })
})

/** As by the command line; both say yes, and Desk has the datasets of Lamp's person. */
async function pair(offers: MountedDevice, joins: MountedDevice): Promise<void> {
  const [a, b] = [await offers.device.connect(), await joins.device.connect()]
  const { code } = await a.offerPairing({})
  const { rendezvousPort } = await a.readSettings({})
  await b.joinPairing({ code: code as string, rendezvousUrl: `ws://127.0.0.1:${rendezvousPort}` })
  const both = async (step: string) => expect([(await a.readPairing({})).step, (await b.readPairing({})).step]).toEqual([step, step])
  await vi.waitFor(() => both('confirm'), PATIENT)
  await a.confirmPairing({ accept: true })
  await b.confirmPairing({ accept: true })
  await vi.waitFor(async () => expect((await a.listDevices({})).map(({ state }) => state).sort()).toEqual(['linked', 'self']), PATIENT)
  await writeFile(path.join(offers.home, 'from the first'), 'x')
  // The device is asked first: links and logs have their own tests, and here it would only be said that a file is not there.
  await vi.waitFor(() => expect(joins.fs('ls', '/').stdout).toContain('from the first'), PATIENT)
  expect(await readFile(path.join(joins.home, 'from the first'), 'utf8')).toBe('x')
}
