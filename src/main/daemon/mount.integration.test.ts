import { existsSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { readFile, readdir, rename, stat, watch, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readMountTable } from '../../platform/node/fuse/mount-table.ts'
import { MountLab, whyNoMounts } from '../../testkit/mount-lab.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import { buildIfStale, CLI, processesNaming, RunningDevice, runCommand } from './running-device.suite.ts'

const ROUNDS_OF_ONE_START = 4
const CHECKS = fileURLToPath(new URL('../../testkit/posix-checks.py', import.meta.url))
const why = whyNoMounts()

/* The mount as a person gets it: a whole device, its files process, contents sealed in chunks on the disk. */
describe.skipIf(why !== undefined)(`with mounts${why ? ` (cannot be made here: ${why})` : ''}`, () => {
  let lab: MountLab
  let device: RunningDevice
  let home: string
  beforeAll(buildIfStale, 180_000)
  beforeEach(async () => {
    lab = await MountLab.open()
    device = new RunningDevice()
    home = path.join(lab.at(), 'Home')
    await device.start(undefined, { ELSEWHERE_MOUNT: lab.at() })
    const create = ['create', '--person', 'Ada', '--device', 'Lamp', '--unattended', '--data', device.folder]
    expect(runCommand(create, { input: 'correct horse battery\n' })).toMatchObject({ status: 0 })
    await mounted()
  })
  afterEach(async () => {
    await device.dispose()
    await lab.close()
  })

  /**
   * A dead mount answers from what the kernel kept: only a name that was never asked for is asked of us. Nor does the bare folder count, which
   * is there between the dead mount and the next.
   */
  const answers = async () => {
    const code = await stat(path.join(home, `none-${performance.now()}`)).catch((error: NodeJS.ErrnoException) => error.code)
    const dev = await stat(home).then(
      ({ dev }) => dev,
      () => undefined,
    )
    return code === 'ENOENT' && dev !== undefined && dev !== statSync(lab.folder).dev
  }
  const mounted = () => expect.poll(answers, { timeout: 30_000 }).toBe(true)
  const fs = (...args: string[]) => runCommand(['fs', ...args, '--data', device.folder])
  const filesPid = () =>
    processesNaming(device.mark.split('=')[1] as string).find(({ command }) => command.includes('files-main'))?.pid ?? 0

  it('[FM9] holds what POSIX says, and what is written there is in the dataset, also after a restart', async () => {
    mkdirSync(path.join(home, 'checks'))
    const said = (await lab.run('python3', [CHECKS, path.join(home, 'checks')])).trim().split('\n')
    expect(said.slice(0, -1)).toEqual([])
    await lab.sh('echo one > f; mkdir d; echo two > d/g; mv f d/f; ln -s d/f l', { cwd: home })
    expect(fs('cat', '/d/f').stdout).toBe('one\n')
    writeFileSync(lab.at('put'), 'from the command line')
    expect(fs('put', lab.at('put'), '/d/g')).toMatchObject({ status: 0 })
    await expect.poll(() => readFile(path.join(home, 'd/g'), 'utf8')).toBe('from the command line')
    // A folder of this device only, in and out of which programs move things.
    await lab.sh(
      'mkdir -p p/node_modules/x && echo made > p/node_modules/x/i.js && echo kept > p/k && mv p/k p/node_modules/ && mv p/node_modules/k p/',
      {
        cwd: home,
      },
    )
    expect(fs('ls', '/p').stdout).toMatch(/^d .*node_modules {2}\(only on this device\)\n- .*k\n$/)
    expect([fs('cat', '/p/node_modules/x/i.js').stdout, fs('history', '/p/k').status]).toEqual(['made\n', 0])
    expect(fs('status').stdout).toContain('which stay on this device')
    await lab.sh('echo last > unclosed; exec 7> open; echo "not closed yet" >&7; sleep 0.1', { cwd: home })
    await device.end()
    expect(readMountTable().some(({ at }) => at === lab.at())).toBe(false)
    await device.start(undefined, { ELSEWHERE_MOUNT: lab.at() })
    await mounted()
    expect(await lab.sh('cat l unclosed open d/g', { cwd: home })).toBe('one\nlast\nnot closed yet\nfrom the command line')
    expect(await lab.sh('cat p/node_modules/x/i.js p/k; ls p/node_modules', { cwd: home })).toBe('made\nkept\nx\n')
    expect(fs('check')).toMatchObject({ status: 0 })
  })

  it('[FM10] is taken away and put back with the command line, and stays as chosen', async () => {
    // [DV63] A folder is imported, and a link to it lies in its old place.
    const old = lab.at('old')
    mkdirSync(old)
    writeFileSync(path.join(old, 'f'), 'from before')
    expect(fs('import', old, '--link')).toMatchObject({ status: 0 })
    expect([readFileSync(path.join(old, 'f'), 'utf8'), realpathSync(old)]).toEqual(['from before', path.join(home, 'old')])
    expect(readFileSync(path.join(lab.at('old (before Elsewhere)'), 'f'), 'utf8')).toBe('from before')
    expect(fs('unmount')).toMatchObject({ status: 0, stderr: '' })
    expect(existsSync(home)).toBe(false)
    const other = lab.at('other place')
    expect(fs('mount', other)).toMatchObject({ status: 0, stdout: `${other}\n` })
    expect(await readdir(other)).toEqual(['Home'])
    mkdirSync(lab.at('full/x'), { recursive: true })
    expect(fs('mount', lab.at('full'))).toMatchObject({ status: 1, stderr: expect.stringContaining('[mount/not-empty]') })
  })

  it('[FM11] git, a C program, tar, npm, rsync and SQLite work in it', async () => {
    const env = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b', HOME: lab.folder }
    const sh = (script: string) => lab.sh(script, { cwd: home, env })
    await sh(`git init -q repo && cd repo && for i in $(seq 60); do mkdir -p d$((i % 7)); seq $i 900 > d$((i % 7))/f$i; done
      git add -A && git commit -qm one && seq 5 > d1/f1 && git commit -qam two && git gc -q && git fsck --strict && git status --porcelain
      cd .. && git clone -q repo clone && git -C clone log --oneline | wc -l`)
    expect(
      (
        await sh('git -C clone log --oneline | wc -l; cd clone && git checkout -q HEAD~1 && git checkout -q - && git status --porcelain')
      ).trim(),
    ).toBe('2')
    await sh(`mkdir c && cd c && printf '#include <stdio.h>\\nint main(void) { puts("built"); return 0; }\\n' > main.c
      printf 'prog: main.o\\n\\tcc -o prog main.o\\nmain.o: main.c\\n\\tcc -c main.c\\n' > Makefile`)
    if (existsSync('/usr/bin/cc')) expect(await sh('cd c && (make -s || (cc -c main.c && cc -o prog main.o)) && ./prog')).toBe('built\n')
    await sh('tar cf t.tar repo && mkdir out && tar xf t.tar -C out && diff -r repo out/repo')
    await sh(`python3 - <<'END'
import sqlite3
for mode in ('delete', 'wal'):
    c = sqlite3.connect(f'{mode}.db', isolation_level=None)
    c.execute(f'pragma journal_mode={mode}')
    c.execute('create table t(a integer primary key, b text)')
    for i in range(40):
        c.execute('insert into t(b) values(?)', ('row' * 50,))
    c.close()
    assert sqlite3.connect(f'{mode}.db').execute('pragma integrity_check').fetchone()[0] == 'ok'
    assert sqlite3.connect(f'{mode}.db').execute('select count(*) from t').fetchone()[0] == 40
END`)
    await sh(`mkdir -p pkg/lib proj && echo '{"name":"left","version":"1.0.0","main":"lib/i.js"}' > pkg/package.json && echo 'module.exports = 7' > pkg/lib/i.js
      cd pkg && npm pack --silent && cd ../proj && echo '{"name":"p","version":"1.0.0"}' > package.json
      npm install --silent --no-audit --no-fund --offline ../pkg/left-1.0.0.tgz && node -e 'if (require("left") !== 7) process.exit(1)'`)
    if (existsSync('/usr/bin/rsync')) {
      expect(await sh('rsync -a repo/ copy/ && rsync -a --itemize-changes repo/ copy/ && diff -r repo copy')).toBe('')
    }
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

  it('[FM14] a files process that stands still is ended, who waits in the mount gets an answer, and it comes back', async () => {
    await writeFile(path.join(home, 'f'), 'kept')
    const pid = filesPid()
    process.kill(pid, 'SIGSTOP')
    const waiting = lab.run('ls', [path.join(home, 'never-asked')]).catch(() => 'answered')
    expect(await waiting).toBe('answered')
    await mounted()
    expect(filesPid()).not.toBe(pid)
    expect(await readFile(path.join(home, 'f'), 'utf8')).toBe('kept')
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
        round % 3 === 1 ? lab.run(process.execPath, [CLI, 'fs', 'tidy', '--data', device.folder]).catch(() => 'ended') : undefined
      if (tidying) await new Promise((resolve) => setTimeout(resolve, 200 + random.below(600)))
      process.kill(filesPid(), 'SIGKILL')
      const at = `${readFileSync(phase, 'utf8').trim()}${tidying ? ', asked to tidy' : ''}`
      fell.set(at, (fell.get(at) ?? 0) + 1)
      await Promise.all([writer, tidying])
      await mounted()
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
        await device.end()
        await device.start(undefined, { ELSEWHERE_MOUNT: lab.at() })
        await mounted()
      }
    }
    const table = [...fell].sort(([a], [b]) => (a < b ? -1 : 1)).map(([at, count]) => `${String(count).padStart(4)}  ${at}`)
    console.info(`kills of the files process, by what a program waited for: seed ${seed}\n${table.join('\n')}`)
    expect(fs('check')).toMatchObject({ status: 0 })
  })
})

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
