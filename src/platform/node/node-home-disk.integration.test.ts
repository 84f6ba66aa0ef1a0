import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { systemClock } from '../../base/clock.ts'
import { homeFileHandlers } from '../../files/serve-files.ts'
import { roundsOfRun } from '../../testkit/seeded-random.ts'
import { moveWithoutReplacing } from './move-without-replacing.ts'
import { NodeHomeDisk } from './node-home-disk.ts'

const rounds = roundsOfRun(10, 200)
const isRoot = process.getuid?.() === 0
const cleanUps: (() => void)[] = []
let base: string
let home: string
let disk: NodeHomeDisk

beforeEach(() => {
  base = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'elsewhere-files-')))
  chmodSync(base, 0o755)
  home = path.join(base, 'home')
  mkdirSync(home)
  disk = new NodeHomeDisk({ home, trash: path.join(home, '.local/share/Trash') })
})
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).reverse()) cleanUp()
  rmSync(base, { recursive: true, force: true })
})

const at = (...names: string[]) => path.join(home, ...names)
const put = (name: string, text = 'old') => writeFileSync(at(name), text)
const code = (value: string) => expect.objectContaining({ code: value })
const read = async (file: string) => fromUtf8((await disk.read(file, 1000)).bytes)

describe('staying inside home', () => {
  const everyWay = (file: string) => [
    disk.list(file, 10),
    disk.read(file, 10),
    disk.write(file, utf8('x'), undefined),
    disk.makeFolder(path.join(file, 'new')),
    disk.rename(file, at('stolen')),
    disk.trash(file),
  ]

  it('[FS1] paths outside home are refused, whatever is there', async () => {
    put('mine')
    writeFileSync(path.join(base, 'secret'), 'secret')
    for (const file of [path.join(base, 'secret'), '/etc/passwd', '/no/such/thing', at('..', 'secret'), `${home}/../secret`]) {
      const codes = (await Promise.allSettled(everyWay(file))).map((answer) => answer.status === 'rejected' && answer.reason.code)
      expect(new Set(codes)).toEqual(new Set(['file/outside-home']))
    }
    await expect(disk.rename(at('mine'), path.join(base, 'mine'))).rejects.toEqual(code('file/outside-home'))
    expect(readFileSync(path.join(base, 'secret'), 'utf8')).toBe('secret')
  })

  it('[FS2] links that lead outside are not followed; links inside are', async () => {
    writeFileSync(path.join(base, 'secret'), 'secret')
    symlinkSync(path.join(base, 'secret'), at('out'))
    symlinkSync(base, at('out-folder'))
    symlinkSync('real', at('in'))
    put('real', 'inside')
    await expect(disk.read(at('out'), 10)).rejects.toEqual(code('file/outside-home'))
    await expect(disk.write(at('out'), utf8('x'), undefined)).rejects.toEqual(code('file/outside-home'))
    await expect(disk.read(at('out-folder', 'secret'), 10)).rejects.toEqual(code('file/outside-home'))
    await expect(disk.write(at('out-folder', 'new'), utf8('x'), null)).rejects.toEqual(code('file/outside-home'))
    await expect(disk.list(at('out-folder'), 10)).rejects.toEqual(code('file/outside-home'))
    await expect(disk.makeFolder(at('out-folder', 'new'))).rejects.toEqual(code('file/outside-home'))
    expect(readdirSync(base).sort()).toEqual(['home', 'secret'])
    expect(await read(at('in'))).toBe('inside')
    await disk.write(at('in'), utf8('changed'), undefined)
    expect(lstatSync(at('in')).isSymbolicLink()).toBe(true)
    expect(readFileSync(at('real'), 'utf8')).toBe('changed')
  })

  it('[FS2] a link is renamed and put in the trash, not what it leads to', async () => {
    writeFileSync(path.join(base, 'secret'), 'secret')
    symlinkSync(path.join(base, 'secret'), at('out'))
    await disk.rename(at('out'), at('renamed'))
    await disk.trash(at('renamed'))
    expect(existsSync(path.join(base, 'secret'))).toBe(true)
    expect(existsSync(at('renamed'))).toBe(false)
  })

  it('[FS2] with outside allowed, links and paths lead there', async () => {
    writeFileSync(path.join(base, 'secret'), 'secret')
    symlinkSync(path.join(base, 'secret'), at('out'))
    const open = new NodeHomeDisk({ home, trash: at('Trash'), allowOutside: true })
    expect(fromUtf8((await open.read(at('out'), 10)).bytes)).toBe('secret')
    expect(fromUtf8((await open.read(path.join(base, 'secret'), 10)).bytes)).toBe('secret')
  })

  it('[FS2] a home that is a link itself is home', async () => {
    symlinkSync(home, path.join(base, 'link-home'))
    put('mine')
    const linked = new NodeHomeDisk({ home: path.join(base, 'link-home'), trash: at('Trash') })
    expect(fromUtf8((await linked.read(path.join(base, 'link-home', 'mine'), 10)).bytes)).toBe('old')
    expect(await linked.homeFolder()).toBe(home)
  })

  it('[FS2] a folder that is swapped for a link again and again never leads outside', async () => {
    const outside = path.join(base, 'outside')
    mkdirSync(outside)
    writeFileSync(path.join(outside, 'file'), 'secret')
    mkdirSync(at('real'))
    writeFileSync(at('real', 'file'), 'inside')
    symlinkSync(outside, at('trap'))
    // another process: this one's turns would never fall between two of our own system calls
    const script = `
      const { renameSync } = require('node:fs')
      const [a, b, c] = process.argv.slice(1)
      for (;;) { renameSync(a, c); renameSync(b, a); renameSync(a, b); renameSync(c, a) }`
    const swapper = spawn(process.execPath, ['-e', script, at('real'), at('trap'), at('aside')], { stdio: 'ignore' })
    const outcomes = new Map<string, number>()
    for (let round = 0; round < 40 * rounds; round++) {
      const reading = disk.read(at('real', 'file'), 100).then(
        ({ bytes }) => fromUtf8(bytes),
        (error: { code: string }) => error.code,
      )
      const writing = disk.write(at('real', `new-${round}`), utf8('x'), undefined).then(
        () => 'written',
        (error: { code: string }) => error.code,
      )
      for (const outcome of [await reading, await writing]) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    }
    swapper.kill('SIGKILL')
    await once(swapper, 'exit')
    expect(readdirSync(outside)).toEqual(['file'])
    expect(outcomes.get('secret')).toBeUndefined()
    const known = ['inside', 'written', 'file/outside-home', 'file/not-found', 'file/changed', 'file/not-a-folder']
    expect([...outcomes.keys()].filter((outcome) => !known.includes(outcome))).toEqual([])
    expect(outcomes.size).toBeGreaterThan(1) // the swapper did get in between
  })
})

describe('reading', () => {
  it('[FS3] pipes, devices, sockets and folders are named, never opened', async () => {
    execFileSync('mkfifo', [at('pipe')])
    mkdirSync(at('folder'))
    for (const name of ['pipe', 'folder']) {
      await expect(disk.read(at(name), 10)).rejects.toEqual(code('file/not-a-file'))
      await expect(disk.write(at(name), utf8('x'), undefined)).rejects.toEqual(code('file/not-a-file'))
    }
    if (isRoot) {
      execFileSync('mknod', [at('zero'), 'c', '1', '5'])
      await expect(disk.read(at('zero'), 10)).rejects.toEqual(code('file/not-a-file'))
    }
    const { entries } = await disk.list(home, 10)
    expect(entries.find(({ name }) => name === 'pipe')?.kind).toBe('other')
  })

  it('[FS3] a file above the limit is refused, one at it is read', async () => {
    put('ten', '0123456789')
    await expect(disk.read(at('ten'), 9)).rejects.toEqual(code('file/too-large'))
    expect((await disk.read(at('ten'), 10)).bytes).toHaveLength(10)
    put('empty', '')
    expect((await disk.read(at('empty'), 10)).bytes).toHaveLength(0)
  })

  it('[FS3] what is not UTF-8 text is not opened as text; a byte order mark stays', async () => {
    const files = homeFileHandlers(disk, systemClock)
    const context = { signal: new AbortController().signal, openChannel: () => Promise.reject() as never }
    writeFileSync(at('latin'), Buffer.from([0x67, 0x72, 0xfc, 0xdf]))
    writeFileSync(at('binary'), Buffer.from([0x7f, 0x45, 0, 0x46]))
    writeFileSync(at('marked'), '\ufeffmarked grüße')
    await expect(files.readText({ device: 'this', path: at('latin') }, context)).rejects.toEqual(code('file/not-text'))
    await expect(files.readText({ device: 'this', path: at('binary') }, context)).rejects.toEqual(code('file/not-text'))
    const { text, version } = await files.readText({ device: 'this', path: at('marked') }, context)
    expect(text).toBe('\ufeffmarked grüße')
    await files.writeText({ device: 'this', path: at('marked'), text, expectedVersion: version }, context)
    expect(readFileSync(at('marked'), 'utf8')).toBe('\ufeffmarked grüße')
    await expect(files.writeText({ device: 'this', path: at('half'), text: 'a\ud800b', expectedVersion: null }, context)).rejects.toEqual(
      code('file/not-text'),
    )
    const { base64 } = await files.readBytes({ device: 'this', path: at('binary') }, context)
    expect(Buffer.from(base64, 'base64')).toEqual(Buffer.from([0x7f, 0x45, 0, 0x46]))
  })

  it('[FS13] names are searched below a folder, nearest first; links are not entered, and it can be given up', async () => {
    mkdirSync(at('notes/deep'), { recursive: true })
    for (const name of ['Plan.txt', 'notes/my plan', 'notes/deep/PLAN', 'notes/other']) put(name)
    symlinkSync('notes', at('again'))
    symlinkSync('/etc', at('planned'))
    const signal = new AbortController().signal
    const { found, isComplete } = await disk.search(home, 'plan', 10, signal)
    const names = found.map(({ entry, path: where }) => `${entry.kind} ${where.slice(home.length)}`)
    expect([names.slice(0, 2).sort(), names.slice(2), isComplete]).toEqual([
      ['file /Plan.txt', 'link /planned'],
      ['file /notes/my plan', 'file /notes/deep/PLAN'],
      true,
    ])
    expect(await disk.search(home, 'plan', 1, signal)).toMatchObject({ isComplete: false, found: { length: 1 } })
    await expect(disk.search('/etc', 'passwd', 10, signal)).rejects.toEqual(code('file/outside-home'))
    await expect(disk.search(at('nowhere'), 'x', 10, signal)).rejects.toEqual(code('file/not-found'))
    await expect(disk.search(home, 'plan', 10, AbortSignal.abort())).rejects.toThrow()
  })

  it('[FS12] a long folder is listed page by page, as it was when the first was asked for', async () => {
    for (let count = 0; count < 2_100; count++) put(`n${String(count).padStart(4, '0')}`)
    const files = homeFileHandlers(disk, systemClock)
    const context = { signal: new AbortController().signal, openChannel: () => Promise.reject() as never }
    const page = (from: number) => files.listFolderPage({ device: 'this', path: home, from }, context)
    const first = await page(0)
    expect([first.entries.length, first.total, first.truncated]).toEqual([2_000, 2_100, false])
    put('a new one')
    rmSync(at('n2099'))
    const second = await page(2_000)
    expect([second.entries[0]?.name, second.entries.at(-1)?.name, second.entries.length]).toEqual(['n2000', 'n2098', 99])
    expect((await page(0)).total).toBe(2_100)
    expect((await page(2_000)).entries.at(-1)?.name).toBe('n2098')
    await expect(disk.names(at('n0000'), 10)).rejects.toEqual(code('file/not-a-folder'))
    await expect(disk.entriesOf('/etc', ['passwd'])).rejects.toEqual(code('file/outside-home'))
    await expect(disk.entriesOf(home, ['../passwd'])).rejects.toEqual(code('file/bad-path'))
  })

  it('[FS11] a file is read piece by piece, of one version; nothing but plain files in home', async () => {
    put('long', 'abcdefghij')
    const files = homeFileHandlers(disk, systemClock)
    const context = { signal: new AbortController().signal, openChannel: () => Promise.reject() as never }
    const first = await files.readPiece({ device: 'this', path: at('long'), offset: 0, length: 4 }, context)
    expect([atob(first.base64), first.bytes]).toEqual(['abcd', 10])
    const { version } = first
    expect(atob((await files.readPiece({ device: 'this', path: at('long'), version, offset: 8, length: 100 }, context)).base64)).toBe('ij')
    expect((await files.readPiece({ device: 'this', path: at('long'), version, offset: 99, length: 1 }, context)).base64).toBe('')
    put('long', 'another text')
    const late = files.readPiece({ device: 'this', path: at('long'), version, offset: 4, length: 4 }, context)
    await expect(late).rejects.toEqual(code('file/changed'))
    mkdirSync(at('folder'))
    await expect(disk.readPiece(at('folder'), 0, 1)).rejects.toEqual(code('file/not-a-file'))
    await expect(disk.readPiece('/etc/passwd', 0, 1)).rejects.toEqual(code('file/outside-home'))
  })

  it('[FS4] lists kinds, sizes and hidden names; says when there is more', async () => {
    put('file', 'four')
    put('.hidden')
    mkdirSync(at('folder'))
    symlinkSync('nowhere', at('link'))
    const { entries, truncated } = await disk.list(home, 10)
    expect(truncated).toBe(false)
    expect(entries.sort((a, b) => a.name.localeCompare(b.name)).map(({ name, kind, hidden }) => [name, kind, hidden])).toEqual([
      ['.hidden', 'file', true],
      ['file', 'file', false],
      ['folder', 'folder', false],
      ['link', 'link', false],
    ])
    expect(entries.find(({ name }) => name === 'file')?.bytes).toBe(4)
    const part = await disk.list(home, 3)
    expect([part.entries.length, part.truncated]).toEqual([3, true])
    await expect(disk.list(at('file'), 10)).rejects.toEqual(code('file/not-a-folder'))
    await expect(disk.list(at('none'), 10)).rejects.toEqual(code('file/not-found'))
  })

  it('[FS4] a huge folder is listed up to the limit', async () => {
    mkdirSync(at('huge'))
    execFileSync('bash', ['-c', 'seq -f "entry-%.0f" 20500 | xargs touch'], { cwd: at('huge') })
    const { entries, truncated } = await disk.list(at('huge'), 20_000)
    expect([entries.length, truncated]).toEqual([20_000, true])
  })
})

describe('writing', () => {
  it('[FS5] a version that is not the present one is refused and nothing is written', async () => {
    put('note')
    const { version } = await disk.read(at('note'), 10)
    put('note', 'changed by another program')
    await expect(disk.write(at('note'), utf8('mine'), version)).rejects.toEqual(code('file/changed'))
    expect(readFileSync(at('note'), 'utf8')).toBe('changed by another program')
    unlinkSync(at('note'))
    await expect(disk.write(at('note'), utf8('mine'), version)).rejects.toEqual(code('file/changed'))
    expect(existsSync(at('note'))).toBe(false)
    await disk.write(at('note'), utf8('mine'), undefined)
    await expect(disk.write(at('note'), utf8('new'), null)).rejects.toEqual(code('file/exists'))
    expect(await read(at('note'))).toBe('mine')
  })

  it('[FS5] the version a write returns is the one a read sees, and changes even if size and time do not', async () => {
    const { version } = await disk.write(at('note'), utf8('aaa'), null)
    expect((await disk.read(at('note'), 10)).version).toBe(version)
    const times = statSync(at('note'))
    const second = await disk.write(at('note'), utf8('bbb'), version)
    utimesSync(at('note'), times.atime, times.mtime)
    expect((await disk.read(at('note'), 10)).version).not.toBe(version)
    expect(second.version).not.toBe(version)
  })

  it('[FS5] of many writers with one expected version exactly one wins', async () => {
    put('note')
    const { version } = await disk.read(at('note'), 10)
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => disk.write(at('note'), utf8(`writer ${i}`), version)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const made = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => disk.write(at('new'), utf8(`writer ${i}`), null)))
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('[FS6] mode is kept, and a new file gets what the account gives new files', async () => {
    put('script')
    chmodSync(at('script'), 0o751)
    await disk.write(at('script'), utf8('new'), undefined)
    expect(statSync(at('script')).mode & 0o7777).toBe(0o751)
    await disk.write(at('fresh'), utf8('new'), null)
    expect(statSync(at('fresh')).mode & 0o777).toBe(0o666 & ~process.umask())
    expect(readdirSync(home).sort()).toEqual(['fresh', 'script'])
  })

  it('[FS6] kill -9 while writing leaves the old text or the new one, never half, and the next write cleans up', async () => {
    const text = (letter: string) => letter.repeat(4 * 1024 * 1024)
    writeFileSync(at('big'), text('a'))
    const module = JSON.stringify(new URL('./node-home-disk.ts', import.meta.url).href)
    const program = `
      import { NodeHomeDisk } from ${module}
      const [home, file] = process.argv.slice(1)
      const disk = new NodeHomeDisk({ home, trash: home + '/Trash' })
      const texts = ['a', 'b'].map((letter) => new TextEncoder().encode(letter.repeat(4 * 1024 * 1024)))
      console.log('ready')
      for (let i = 1; ; i++) await disk.write(file, texts[i % 2], undefined)`
    const seen = new Set<string>()
    let leftovers = 0
    for (let round = 0; round < rounds; round++) {
      const writer = spawn(process.execPath, ['--input-type=module', '-e', program, home, at('big')], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await once(writer.stdout, 'data')
      await delay(20 + ((round * 37) % 97))
      writer.kill('SIGKILL')
      await once(writer, 'exit')
      const found = readFileSync(at('big'), 'utf8')
      expect(found.length).toBe(4 * 1024 * 1024)
      expect(found === text('a') || found === text('b')).toBe(true)
      seen.add(found[0] as string)
      leftovers += readdirSync(home).length - 1
      expect((await disk.list(home, 10)).entries.map(({ name }) => name)).toEqual(['big'])
    }
    await disk.write(at('other'), utf8('x'), null)
    expect(readdirSync(home).sort()).toEqual(['big', 'other'])
    if (rounds >= 10) expect(leftovers + seen.size).toBeGreaterThan(1) // some were killed in the middle
  })

  it.skipIf(!isRoot)('[FS7] a full disk is named, and the old text stays', async () => {
    mkdirSync(at('small'))
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', at('small')]).status !== 0) return expect(isRoot).toBe(true)
    cleanUps.push(() => execFileSync('umount', ['-l', at('small')]))
    await disk.write(at('small', 'note'), utf8('old'), null)
    await expect(disk.write(at('small', 'note'), new Uint8Array(200_000), undefined)).rejects.toEqual(code('file/disk-full'))
    expect(readFileSync(at('small', 'note'), 'utf8')).toBe('old')
    expect(readdirSync(at('small'))).toEqual(['note'])
    await expect(disk.rename(at('small', 'note'), at('note'))).rejects.toEqual(code('file/other-disk'))
    const { trashedTo } = await disk.trash(at('small', 'note'))
    expect(trashedTo).toBe(at('small', `.Trash-${process.getuid?.()}`, 'files', 'note'))
    expect(readFileSync(`${at('small', `.Trash-${process.getuid?.()}`, 'info', 'note')}.trashinfo`, 'utf8')).toContain('\nPath=note\n')
  })

  it('[FS7] what the account may not write is named before anything happens, and read as read-only', async () => {
    const program = `
      import { NodeHomeDisk } from ${JSON.stringify(new URL('./node-home-disk.ts', import.meta.url).href)}
      const [home, account] = process.argv.slice(1)
      if (account) { // only now: the checkout may lie where that account cannot read
        process.setgroups([])
        process.setgid(Number(account))
        process.setuid(Number(account))
      }
      const disk = new NodeHomeDisk({ home, trash: home + '/Trash' })
      const out = []
      const attempt = (what) => what.then((value) => out.push(value?.readOnly ?? 'done'), (error) => out.push(error.code))
      await attempt(disk.read(home + '/fixed', 10))
      await attempt(disk.write(home + '/fixed', new Uint8Array(1), undefined))
      await attempt(disk.read(home + '/closed/note', 10))
      await attempt(disk.write(home + '/closed/new', new Uint8Array(1), null))
      await attempt(disk.read(home + '/private', 10))
      await attempt(disk.trash(home + '/closed/note'))
      await attempt(disk.write(home + '/own', new Uint8Array(1), null))
      console.log(JSON.stringify(out))`
    put('fixed')
    put('private')
    mkdirSync(at('closed'))
    cleanUps.push(() => chmodSync(at('closed'), 0o755))
    writeFileSync(at('closed', 'note'), 'old')
    const account = isRoot ? ['65534'] : []
    if (isRoot) execFileSync('chown', ['-R', '65534:65534', home])
    chmodSync(at('fixed'), 0o444)
    chmodSync(at('private'), 0o000)
    chmodSync(at('closed'), 0o555)
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program, home, ...account], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const no = 'file/no-permission'
    expect(JSON.parse(stdout)).toEqual([true, no, true, no, no, no, 'done'])
  })
})

describe('moving', () => {
  it('[FS8] a rename never replaces anything', async () => {
    put('a', 'a')
    put('b', 'b')
    mkdirSync(at('folder'))
    mkdirSync(at('empty'))
    for (const to of ['b', 'folder']) await expect(disk.rename(at('a'), at(to))).rejects.toEqual(code('file/exists'))
    await expect(disk.rename(at('folder'), at('empty'))).rejects.toEqual(code('file/exists'))
    await disk.rename(at('a'), at('folder', 'a'))
    await disk.rename(at('folder'), at('moved'))
    expect(readFileSync(at('moved', 'a'), 'utf8')).toBe('a')
    expect(readFileSync(at('b'), 'utf8')).toBe('b')
    await expect(disk.rename(at('gone'), at('x'))).rejects.toEqual(code('file/not-found'))
    await expect(disk.makeFolder(at('b'))).rejects.toEqual(code('file/exists'))
    await expect(disk.rename(home, at('x'))).rejects.toEqual(code('file/no-permission'))
  })

  it('[FS8] on a disk without hard links as well', async () => {
    const noLinks = () => Promise.reject(Object.assign(new Error('no links here'), { code: 'EPERM' }))
    put('a', 'a')
    put('b', 'b')
    await expect(moveWithoutReplacing(at('a'), at('b'), noLinks)).rejects.toMatchObject({ code: 'EEXIST' })
    await moveWithoutReplacing(at('a'), at('c'), noLinks)
    expect(readdirSync(home).sort()).toEqual(['b', 'c'])
    expect(readFileSync(at('b'), 'utf8')).toBe('b')
  })

  it('[FS9] the trash keeps what it gets, with its name and where it was', async () => {
    put('grüße 100%.txt', 'one')
    const first = await disk.trash(at('grüße 100%.txt'))
    put('grüße 100%.txt', 'two')
    const second = await disk.trash(at('grüße 100%.txt'))
    expect(first.trashedTo).toBe(at('.local/share/Trash/files/grüße 100%.txt'))
    expect(readFileSync(first.trashedTo, 'utf8')).toBe('one')
    expect(readFileSync(second.trashedTo, 'utf8')).toBe('two')
    const info = readFileSync(at('.local/share/Trash/info/grüße 100%.txt.trashinfo'), 'utf8')
    expect(info).toMatch(/^\[Trash Info\]\nPath=\/.*\/gr%C3%BC%C3%9Fe%20100%25\.txt\nDeletionDate=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\n$/)
    expect(statSync(at('.local/share/Trash')).mode & 0o777).toBe(0o700)
  })

  it('[FS9] folders go whole; home and the trash itself do not go', async () => {
    mkdirSync(at('project'))
    writeFileSync(at('project', 'a'), 'a')
    const { trashedTo } = await disk.trash(at('project'))
    expect(readFileSync(path.join(trashedTo, 'a'), 'utf8')).toBe('a')
    for (const file of [home, at('.local'), at('.local/share/Trash'), at('.local/share/Trash/files/project')]) {
      await expect(disk.trash(file)).rejects.toEqual(code('file/no-permission'))
    }
  })
})

it('[FS1] renaming this test folder away is seen as home being gone', async () => {
  renameSync(home, `${home}-away`)
  await expect(disk.list(home, 10)).rejects.toEqual(code('file/not-found'))
  renameSync(`${home}-away`, home)
  expect((await disk.list(home, 10)).entries).toEqual([])
})

describe('files of any size', () => {
  const MIB = 1024 * 1024
  const piece = Buffer.alloc(MIB, 7)

  it('[FS14] 40 MB come piece by piece, are hidden before they are whole, and there when they are', async () => {
    const files = homeFileHandlers(disk, systemClock)
    const of = { device: '', path: at('film') }
    const { write } = await files.beginWrite(of, {} as never)
    for (let n = 0; n < 40; n++)
      expect(await files.appendWrite({ ...of, write, offset: n * MIB, base64: piece.toString('base64') }, {} as never)).toEqual({
        bytes: (n + 1) * MIB,
      })
    expect((await disk.list(home, 10)).entries).toEqual([])
    await files.commitWrite({ ...of, write, bytes: 40 * MIB }, {} as never)
    expect(readdirSync(home)).toEqual(['film'])
    expect(readFileSync(at('film')).every((byte) => byte === 7)).toBe(true)
    expect(statSync(at('film')).size).toBe(40 * MIB)
  })

  it('[FS14] given up, or its name taken meanwhile, nothing of it is left and what is there stays', async () => {
    const given = await disk.beginWrite(at('a'))
    await given.append(0, piece)
    await given.abandon()
    const late = await disk.beginWrite(at('b'))
    await late.append(0, piece)
    put('b', 'first')
    await expect(late.commit()).rejects.toEqual(code('file/exists'))
    await expect(disk.beginWrite(at('b'))).rejects.toEqual(code('file/exists'))
    await expect(disk.beginWrite(at('none/c'))).rejects.toEqual(code('file/not-found'))
    await expect(disk.beginWrite(path.join(base, 'outside'))).rejects.toEqual(code('file/outside-home'))
    expect(readdirSync(home)).toEqual(['b'])
    expect(await read(at('b'))).toBe('first')
  })

  it('[FS14] [FS6] what a killed process left of one goes with the next', async () => {
    const left = `.elsewhere-999999999-${'ab'.repeat(12)}.tmp`
    put(left)
    await (await disk.beginWrite(at('a'))).commit()
    expect(readdirSync(home)).toEqual(['a'])
  })
})
