import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { readFile, readdir, rename, watch, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type LabAccount, type MountLab, stateOfProcess, whyNoMounts } from '../../testkit/mount-lab.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import { MountedDevice } from './mounted-device.suite.ts'
import { buildIfStale, CLI } from './running-device.suite.ts'

const ROUNDS_OF_ONE_START = 4
const CHECKS = fileURLToPath(new URL('../../testkit/posix-checks.py', import.meta.url))
const FSX = fileURLToPath(new URL('../../testkit/fsx.py', import.meta.url))
/** What a program hears whose mount went away under it: ENOTCONN, ECONNABORTED, ETIMEDOUT. */
const CUT_OFF = /not connected|caused connection abort|timed out/
const why = whyNoMounts()

/* The mount as a person gets it: a whole device, its files process, contents sealed in chunks on the disk. */
describe.skipIf(why !== undefined)(`with mounts${why ? ` (cannot be made here: ${why})` : ''}`, () => {
  let mounted: MountedDevice
  let lab: MountLab
  let home: string
  beforeAll(buildIfStale, 180_000)
  beforeEach(async () => {
    mounted = await MountedDevice.open()
    ;({ lab, home } = mounted)
  })
  afterEach(() => mounted.close())

  it('[FM9] holds what POSIX says, and what is written there is in the dataset, also after a restart', async () => {
    mkdirSync(path.join(home, 'checks'))
    const said = (await lab.run('python3', [CHECKS, path.join(home, 'checks')])).trim().split('\n')
    expect(said.slice(0, -1)).toEqual([])
    await lab.sh('echo one > f; mkdir d; echo two > d/g; mv f d/f; ln -s d/f l', { cwd: home })
    expect(mounted.fs('cat', '/d/f').stdout).toBe('one\n')
    writeFileSync(lab.at('put'), 'from the command line')
    expect(mounted.fs('put', lab.at('put'), '/d/g')).toMatchObject({ status: 0 })
    await expect.poll(() => readFile(path.join(home, 'd/g'), 'utf8')).toBe('from the command line')
    // A folder of this device only, in and out of which programs move things.
    await lab.sh(
      'mkdir -p p/node_modules/x && echo made > p/node_modules/x/i.js && echo kept > p/k && mv p/k p/node_modules/ && mv p/node_modules/k p/',
      {
        cwd: home,
      },
    )
    expect(mounted.fs('ls', '/p').stdout).toMatch(/^d .*node_modules {2}\(only on this device\)\n- .*k\n$/)
    expect([mounted.fs('cat', '/p/node_modules/x/i.js').stdout, mounted.fs('history', '/p/k').status]).toEqual(['made\n', 0])
    expect(mounted.fs('status').stdout).toContain('which stay on this device')
    await lab.sh('echo last > unclosed; exec 7> open; echo "not closed yet" >&7; sleep 0.1', { cwd: home })
    await mounted.device.end()
    expect(lab.mountsAt()).toEqual([])
    await mounted.start()
    await mounted.mounted()
    expect(await lab.sh('cat l unclosed open d/g', { cwd: home })).toBe('one\nlast\nnot closed yet\nfrom the command line')
    expect(await lab.sh('cat p/node_modules/x/i.js p/k; ls p/node_modules', { cwd: home })).toBe('made\nkept\nx\n')
    expect(mounted.fs('check')).toMatchObject({ status: 0 })
  })

  it('[FM10] is taken away and put back with the command line, and stays as chosen', async () => {
    // [DV63] A folder is imported, and a link to it lies in its old place.
    const old = lab.at('old')
    mkdirSync(old)
    writeFileSync(path.join(old, 'f'), 'from before')
    expect(mounted.fs('import', old, '--link')).toMatchObject({ status: 0 })
    expect([readFileSync(path.join(old, 'f'), 'utf8'), realpathSync(old)]).toEqual(['from before', path.join(home, 'old')])
    expect(readFileSync(path.join(lab.at('old (before Elsewhere)'), 'f'), 'utf8')).toBe('from before')
    expect(mounted.fs('unmount')).toMatchObject({ status: 0, stderr: '' })
    expect(existsSync(home)).toBe(false)
    const other = lab.at('other place')
    expect(mounted.fs('mount', other)).toMatchObject({ status: 0, stdout: `${other}\n` })
    expect(await readdir(other)).toEqual(['Home'])
    mkdirSync(lab.at('full/x'), { recursive: true })
    expect(mounted.fs('mount', lab.at('full'))).toMatchObject({ status: 1, stderr: expect.stringContaining('[mount/not-empty]') })
  })

  it('[FM12] a watcher hears of what an editor saves, by renaming and in place', async () => {
    const file = path.join(home, 'text')
    await writeFile(file, 'one')
    const heard: string[] = []
    const end = new AbortController()
    const watching = (async () => {
      for await (const { filename } of watch(home, { signal: end.signal })) heard.push(filename ?? '')
    })().catch(() => {})
    await expect.poll(async () => (await writeFile(path.join(home, 'probe'), 'x'), heard.length)).toBeGreaterThan(0)
    await writeFile(`${file}.tmp`, 'two')
    await rename(`${file}.tmp`, file)
    await writeFile(file, 'three')
    await expect.poll(() => heard.includes('text') && heard.includes('text.tmp')).toBe(true)
    end.abort()
    await watching
    expect(readFileSync(file, 'utf8')).toBe('three')
  })

  it('[FM3] random writes, cuts, holes, copies and mappings of a file of Home read back, and it is sound after that', async () => {
    const said = await lab.run('python3', [FSX, path.join(home, 'f'), String(seedOfRun()), String(roundsOfRun(500, 50_000))])
    expect(said).toBe('')
    expect(mounted.fs('check')).toMatchObject({ status: 0 })
    const before = await lab.run('sha256sum', [path.join(home, 'f')])
    await mounted.device.end()
    await mounted.start()
    await mounted.mounted()
    lab.dropCaches()
    expect(await lab.run('sha256sum', [path.join(home, 'f')])).toBe(before)
    expect(mounted.fs('check')).toMatchObject({ status: 0 })
  })

  it('[FM13] kill -9 of the files process: what was closed or synced is there, nobody is stuck, the mount comes back', {
    timeout: 3_600_000,
  }, async () => {
    const seed = seedOfRun()
    const random = new SeededRandom(seed)
    const fell = new Map<string, number>()
    for (let round = 0; round < roundsOfRun(2, 100); round++) {
      // Another process writes down each file that it was told is done, and what it waits for; it ends when the mount goes under it.
      const [acknowledged, phase] = [lab.at('acknowledged'), lab.at('phase')]
      writeFileSync(acknowledged, '')
      writeFileSync(phase, 'starting')
      const writer = lab.run('python3', ['-c', WRITER, path.join(home, `r${round}`), acknowledged, phase]).catch(() => 'ended')
      await expect.poll(() => readFileSync(acknowledged, 'utf8').split('\n').length, { timeout: 30_000 }).toBeGreaterThan(20)
      await new Promise((resolve) => setTimeout(resolve, random.below(400)))
      // Every third round history is tidied and space given back meanwhile.
      const tidying =
        round % 3 === 1 ? lab.run(process.execPath, [CLI, 'fs', 'tidy', '--data', mounted.device.folder]).catch(() => 'ended') : undefined
      if (tidying) await new Promise((resolve) => setTimeout(resolve, 200 + random.below(600)))
      process.kill(mounted.filesPid, 'SIGKILL')
      const at = `${readFileSync(phase, 'utf8').trim()}${tidying ? ', asked to tidy' : ''}`
      fell.set(at, (fell.get(at) ?? 0) + 1)
      await Promise.all([writer, tidying])
      await mounted.mounted()
      const lines = readFileSync(acknowledged, 'utf8').trim().split('\n')
      const lost: string[] = []
      for (const line of lines) {
        const [name = '', length = '0'] = line.split(' ')
        const bytes = await readFile(path.join(home, `r${round}`, name)).catch(() => undefined)
        if (
          !bytes ||
          bytes.length < Number(length) ||
          bytes.some((byte, at) => at < Number(length) && byte !== (Number(name.slice(1)) + at) % 251)
        )
          lost.push(line)
      }
      expect({ seed, round, at, lost }).toEqual({ seed, round, at, lost: [] })
      // Whoever is killed again and again is started again later each time, up to 10 s: a new supervisor begins with 0.2.
      if (round % ROUNDS_OF_ONE_START === ROUNDS_OF_ONE_START - 1) {
        await mounted.device.end()
        await mounted.start()
        await mounted.mounted()
      }
    }
    const table = [...fell].sort(([a], [b]) => (a < b ? -1 : 1)).map(([at, count]) => `${String(count).padStart(4)}  ${at}`)
    console.info(`kills of the files process, by what a program waited for: seed ${seed}\n${table.join('\n')}`)
    expect(mounted.fs('check')).toMatchObject({ status: 0 })
  })
})

describe.each(['root', 'ordinary'] as const)('as %s', (account: LabAccount) => {
  const why = whyNoMounts(account)
  describe.skipIf(why !== undefined)(`with mounts${why ? ` (cannot be made here: ${why})` : ''}`, () => {
    let mounted: MountedDevice
    let lab: MountLab
    beforeAll(buildIfStale, 180_000)
    beforeEach(async () => {
      mounted = await MountedDevice.open({ account })
      lab = mounted.lab
    })
    afterEach(() => mounted.close())

    it('[FM9] [FM14] holds what POSIX says; a files process that stands still is ended, who waits hears of it, and it comes back', async () => {
      const { home, at } = mounted
      await lab.sh('mkdir checks; echo kept > f; head -c 100000 /dev/zero > waited-for', { cwd: home })
      const said = (await lab.run('python3', [CHECKS, path.join(home, 'checks')])).trim().split('\n')
      expect(said.slice(0, -1)).toEqual([])
      expect(said.at(-1)).toMatch(/^8\d checked, 0 failed$/)
      lab.dropCaches()
      const pid = mounted.filesPid
      process.kill(pid, 'SIGSTOP')
      const waiting = [lab.look('cat', [path.join(home, 'waited-for')]), lab.look('stat', [path.join(home, 'never-asked')])]
      const pids = waiting.map(({ child }) => child.pid)
      await expect.poll(() => pids.map(nameAndState)).toEqual([expect.stringMatching(/^cat [SD]$/), expect.stringMatching(/^stat [SD]$/)])
      for (const { code, signal, stderr } of await Promise.all(waiting)) {
        expect({ code, signal, stderr }).toEqual({ code: 1, signal: null, stderr: expect.stringMatching(CUT_OFF) })
      }
      expect(pids.map(stateOfProcess)).toEqual([undefined, undefined])
      await mounted.mounted()
      expect(mounted.filesPid).not.toBe(pid)
      const files = (await mounted.device.status()).processes.find(({ name }) => name === 'files')
      expect(files?.restarts).toBe(1)
      expect(await lab.sh('cat f; wc -c < waited-for', { cwd: home })).toBe('kept\n100000\n')
      expect(lab.mountsAt(at)).toHaveLength(1)
      await mounted.device.end()
      expect(lab.mountsAt(at)).toEqual([])
      await mounted.start()
      await mounted.mounted()
      expect(await lab.sh('cat f', { cwd: home })).toBe('kept\n')
      expect(mounted.fs('check')).toMatchObject({ status: 0 })
    })
  })
})

const nameAndState = (pid: number | undefined): string => {
  const state = stateOfProcess(pid)
  return state === undefined ? 'gone' : `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} ${state}`
}

/** Files of growing length, by turns closed and only synced; each is written down after that. */
const WRITER = `
import os, sys
d, log, state = sys.argv[1:]
phase = os.open(state, os.O_WRONLY)
def now(what): os.pwrite(phase, what.ljust(12).encode(), 0)
os.mkdir(d)
done = open(log, 'a')
held = []
for i in range(100000):
    length = 1 + (i * 997) % 150000
    data = bytes((i + at) % 251 for at in range(251)) * (length // 251 + 1)
    now('create')
    f = open(f'{d}/f{i}', 'wb')
    now('write')
    f.write(data[:length])
    if i % 3 == 0:
        f.flush(); now('fsync'); os.fsync(f.fileno()); held.append(f)
    elif i % 3 == 1:
        now('close'); f.close()
    else:
        f.close(); now('rename'); os.rename(f'{d}/f{i}', f'{d}/g{i}'); now('rename back'); os.rename(f'{d}/g{i}', f'{d}/f{i}')
    done.write(f'f{i} {length}\\n'); done.flush()
`
