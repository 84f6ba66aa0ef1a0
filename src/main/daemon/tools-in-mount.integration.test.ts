import { lstatSync, mkdirSync } from 'node:fs'
import { open, readFile, rename, stat, watch, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { whyNoMounts } from '../../testkit/mount-lab.ts'
import { MountedDevice } from './mounted-device.suite.ts'
import { buildIfStale } from './running-device.suite.ts'

const why = whyNoMounts()

/** scripts/setup.ts installs what these need; without it they fail, as they should. One device for all: each works in a folder of its own. */
describe.skipIf(why !== undefined)(`with mounts${why ? ` (cannot be made here: ${why})` : ''}`, () => {
  let mounted: MountedDevice
  beforeAll(async () => {
    buildIfStale()
    mounted = await MountedDevice.open()
  }, 180_000)
  afterAll(() => mounted?.close())

  /** A script in a folder of its own in Home; `clear`: what an earlier try left goes first. */
  const shIn = async (folder: string, script: string, clear?: 'clear'): Promise<string> => {
    const { lab, home } = mounted
    if (clear) await lab.run('rm', ['-rf', path.join(home, folder)])
    mkdirSync(path.join(home, folder), { recursive: true })
    const env = { GIT_AUTHOR_NAME: 'a', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'a', GIT_COMMITTER_EMAIL: 'a@b', HOME: lab.folder }
    return lab.sh(script, { cwd: path.join(home, folder), env })
  }

  it('[FM11] git: commits, packs, checks, clones and goes back and forth', async () => {
    await shIn(
      'git',
      `git init -q repo && cd repo && for i in $(seq 60); do mkdir -p d$((i % 7)); seq $i 900 > d$((i % 7))/f$i; done
      git add -A && git commit -qm one && seq 5 > d1/f1 && git commit -qam two && git gc -q && git fsck --strict
      [ -z "$(git status --porcelain)" ] && cd .. && git clone -q repo clone`,
      'clear',
    )
    const said = await shIn(
      'git',
      'cd clone && git log --oneline | wc -l && git checkout -q HEAD~1 && wc -l < d1/f1 && git checkout -q - && wc -l < d1/f1 && git status --porcelain',
    )
    expect(said).toBe('2\n900\n5\n')
  })

  it('[FM11] make and a C compiler: builds what changed, and only that', async () => {
    await shIn(
      'c',
      `printf 'int seven(void);\\n' > seven.h && printf '#include "seven.h"\\nint seven(void) { return 7; }\\n' > seven.c
      printf '#include <stdio.h>\\n#include "seven.h"\\nint main(void) { printf("built %%d\\\\n", seven()); return 0; }\\n' > main.c
      printf 'prog: main.o seven.o\\n\\tgcc -o $@ main.o seven.o\\n%%.o: %%.c seven.h\\n\\tgcc -O1 -c $<\\n' > Makefile`,
      'clear',
    )
    expect(await shIn('c', 'make -s -j2 && ./prog && make')).toBe("built 7\nmake: 'prog' is up to date.\n")
    const again = await shIn('c', 'sed -i s/7/8/ seven.c && make && ./prog')
    expect(again).toBe('gcc -O1 -c seven.c\ngcc -o prog main.o seven.o\nbuilt 8\n')
  })

  it('[FM11] npm: installs packages that need each other, and the links to their programs run', async () => {
    const said = await shIn(
      'npm',
      `for n in left middle right; do
        mkdir -p $n/lib && echo "module.exports = '$n'" > $n/lib/i.js
        printf '#!/usr/bin/env node\\nconsole.log(require("../lib/i.js"))\\n' > $n/lib/run.js
        needs=; [ $n = middle ] && needs=',"dependencies":{"left":"1.0.0"}'
        echo "{\\"name\\":\\"$n\\",\\"version\\":\\"1.0.0\\",\\"main\\":\\"lib/i.js\\",\\"bin\\":{\\"$n\\":\\"lib/run.js\\"}$needs}" > $n/package.json
      done
      npm pack --silent ./left ./middle ./right > /dev/null
      mkdir proj && cd proj && echo '{"name":"p","version":"1.0.0"}' > package.json
      npm install --silent --no-audit --no-fund --offline ../left-1.0.0.tgz ../middle-1.0.0.tgz ../right-1.0.0.tgz
      for n in left middle right; do node_modules/.bin/$n; done; node -p 'require("middle")'; readlink node_modules/.bin/right`,
      'clear',
    )
    expect(said).toBe('left\nmiddle\nright\nmiddle\n../right/lib/run.js\n')
    expect(lstatSync(path.join(mounted.home, 'npm/proj/node_modules/.bin/left')).isSymbolicLink()).toBe(true)
  })

  it('[FM11] tar: what is packed comes out the same, with modes, times and links', async () => {
    const said = await shIn(
      'tar',
      `mkdir -p a/b && seq 20000 > a/b/f && echo run > a/run && chmod 751 a/run && ln -s b/f a/l && touch -d '2001-02-03 04:05:06.123456789' a/b/f
      tar --format=posix -cf t.tar a && mkdir out && tar -xf t.tar -C out && diff -r a out/a
      cd out/a && stat -c '%a %F' run l && stat -c %y b/f | cut -d' ' -f2 && readlink l`,
      'clear',
    )
    expect(said).toBe('751 regular file\n777 symbolic link\n04:05:06.123456789\nb/f\n')
  })

  it.each(['delete', 'wal'])('[FM11] SQLite: two processes write one database, and it is sound (journal: %s)', async (journal) => {
    expect(await shIn(`sqlite-${journal}`, `python3 - ${journal} <<'END'\n${SQLITE}\nEND`, 'clear')).toBe('ok 80\n')
  })

  it('[FM11] rsync: copies a tree, and finds nothing to do the second time', async () => {
    const said = await shIn(
      'rsync',
      `mkdir -p a/b && for i in $(seq 40); do seq $i 500 > a/b/f$i; done; ln -s b/f1 a/l; chmod 700 a/b
      rsync -a a/ copy/ && rsync -a --itemize-changes a/ copy/ && diff -r a copy
      echo more >> a/b/f7 && rm a/b/f8 && rsync -a --delete --itemize-changes a/ copy/ && diff -r a copy`,
      'clear',
    )
    expect(said.split('\n').filter((line) => line.includes('/f'))).toEqual(['*deleting   b/f8', expect.stringMatching(/^>f.* b\/f7$/)])
  })

  it('[FM12] an editor that watches a whole project hears of a new folder, of a save in place and of one by renaming', async () => {
    const project = path.join(mounted.home, 'project')
    await shIn('project', 'mkdir -p src/deep; echo one > src/deep/text')
    const heard = new Set<string>()
    const end = new AbortController()
    const watching = (async () => {
      for await (const { filename } of watch(project, { recursive: true, signal: end.signal })) if (filename) heard.add(filename)
    })().catch(() => {})
    const until = (name: string, work: () => Promise<unknown>) =>
      expect.poll(async () => (await work(), heard.has(name)), { timeout: 20_000 }).toBe(true)
    await until('src/probe', () => writeFile(path.join(project, 'src/probe'), 'x'))

    // In place, as VS Code saves: opened without cutting, written, cut, synced; then it looks at size and time.
    const file = path.join(project, 'src/deep/text')
    heard.clear()
    await until('src/deep/text', async () => {
      const handle = await open(file, 'r+')
      await handle.write('longer than before')
      await handle.truncate(18)
      await handle.sync()
      await handle.close()
    })
    expect((await stat(file)).size).toBe(18)

    // Written beside it, synced, renamed over it.
    const before = (await stat(file)).ino
    heard.clear()
    await until('src/deep/text', async () => {
      const handle = await open(`${file}.tmp`, 'w')
      await handle.write('by renaming')
      await handle.sync()
      await handle.close()
      await rename(`${file}.tmp`, file)
    })
    expect(heard).toContain('src/deep/text.tmp')
    expect([await readFile(file, 'utf8'), (await stat(file)).ino === before]).toEqual(['by renaming', false])

    // Another program makes a folder, and a file in it.
    await until('src/new', () => shIn('project', 'rm -rf src/new; mkdir src/new'))
    await until('src/new/f', () => writeFile(path.join(project, 'src/new/f'), `${heard.size}`))
    end.abort()
    await watching
  })

  it('[FM11] what the tools left is sound', () => {
    expect(mounted.fs('check')).toMatchObject({ status: 0 })
  })
})

const SQLITE = `
import os, sqlite3, sys
journal = sys.argv[1]
def connect():
    c = sqlite3.connect(f'{journal}.db', isolation_level=None, timeout=30)
    assert c.execute(f'pragma journal_mode={journal}').fetchone()[0] == journal
    return c
connect().execute('create table t(a integer primary key, b text)')
children = []
for _ in range(2):
    pid = os.fork()
    if pid == 0:
        c = connect()
        for i in range(40):
            c.execute('insert into t(b) values(?)', ('row' * 50,))
        os._exit(0)
    children.append(pid)
assert all(os.waitpid(pid, 0)[1] == 0 for pid in children)
c = connect()
print(c.execute('pragma integrity_check').fetchone()[0], c.execute('select count(*) from t').fetchone()[0])`
