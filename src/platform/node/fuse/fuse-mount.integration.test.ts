import { constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { access, open, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LabAccount, type MountClient, MountLab, stateOfProcess, whyNoMounts } from '../../../testkit/mount-lab.ts'
import { roundsOfRun, seedOfRun } from '../../../testkit/seeded-random.ts'
import { InitFlag, Opcode } from './fuse-protocol.ts'

const CHECKS = fileURLToPath(new URL('../../../testkit/posix-checks.py', import.meta.url))
const FSX = fileURLToPath(new URL('../../../testkit/fsx.py', import.meta.url))
const ROUNDS_TO_FIND = 600
/** A program of Python beside other work. */
const PATIENT = { timeout: 20_000 }
const why = whyNoMounts()
/** What a program hears whose mount went away under it: ENOTCONN, ECONNABORTED, ETIMEDOUT. */
const CUT_OFF = /not connected|caused connection abort|timed out/

/* The driver on the real kernel, over a tree in memory. All looking is done with calls that do not hold this process's loop. */
describe.skipIf(why !== undefined)(`with mounts${why ? ` (cannot be made here: ${why})` : ''}`, () => {
  let lab: MountLab
  beforeEach(async () => void (lab = await MountLab.open()))
  afterEach(() => lab.close())

  it('[FM3] random writes, cuts, holes, copies and mappings read back as in a plain buffer', async () => {
    await lab.mounted()
    expect(await lab.run('python3', [FSX, lab.at('mnt/f'), String(seedOfRun()), String(roundsOfRun(1_000, 100_000))])).toBe('')
  })

  it.each(['write', 'append', 'cut', 'lengthen', 'punch', 'zero', 'allocate', 'copy', 'map write'])(
    '[FM3] the random steps find a file that lost one (planted: %s)',
    async (kind) => {
      await lab.mounted()
      const said = await lab.run('python3', [FSX, lab.at('mnt/f'), String(seedOfRun()), String(ROUNDS_TO_FIND), kind])
      expect(said).toMatch(/differs at|bytes long instead of/)
    },
  )

  it('[FM4] a request that waits for the network holds nobody else, and can be given up', async () => {
    const client = await lab.mounted()
    await writeFile(lab.at('mnt/slow'), 'late')
    await writeFile(lab.at('mnt/quick'), 'now')
    await client.ask({ t: 'slow', ms: 5_000 })
    lab.dropCaches()
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

  it.each([
    ['lists a folder', 'os.listdir("mnt/slow")'],
    ['looks a name up', 'os.stat("mnt/slow/f")'],
    ['closes what it wrote', 'os.close(f)'],
    ['syncs', 'os.fsync(f)'],
  ])('[FM6] who is killed while it %s and waits for the network is gone; a signal that it handles ends nothing', async (_what, call) => {
    const client = await lab.mounted()
    await lab.sh('mkdir mnt/slow; touch mnt/slowly')
    await client.ask({ t: 'slow', ms: 600_000 })
    const handler = 'import os, signal; signal.signal(signal.SIGUSR1, lambda *a: None)'
    const program = lab.look('python3', ['-c', `${handler}; f = os.open("mnt/slowly", os.O_WRONLY); os.write(f, b"x"); ${call}`])
    await expect.poll(async () => (await countsOf(client)).waiting, PATIENT).toBe(1)
    program.child.kill('SIGUSR1')
    await expect.poll(async () => (await countsOf(client)).byOpcode[Opcode.interrupt], PATIENT).toBe(1)
    expect((await countsOf(client)).waiting).toBe(1)
    program.child.kill('SIGKILL')
    expect(await program).toMatchObject({ signal: 'SIGKILL' })
  })

  it('[FM6] pages that a living program wrote and the tree takes long to store are answered when they are, and a sync succeeds', async () => {
    const client = await lab.mounted()
    await client.ask({ t: 'slow', ms: 2_500 })
    const script = 'dd if=/dev/zero of=mnt/heavy bs=100000 count=5 conv=fsync 2>&1; cmp -n 500000 mnt/heavy /dev/zero'
    expect(await lab.look('bash', ['-ec', script])).toMatchObject({ code: 0, stderr: '' })
    // What was answered early would be still on its way.
    expect(await countsOf(client)).toMatchObject({ waiting: 0, byOpcode: { [Opcode.write]: expect.any(Number) } })
  })

  it('[FM15] a file read in order is asked for in pieces as large as one answer may be, where this account may say so', async () => {
    await lab.mounted()
    const [mounted] = lab.mountsAt()
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

  it('[FM7] never over files of somebody, a foreign mount or a file; says so', async () => {
    mkdirSync(lab.at('full'))
    writeFileSync(lab.at('full/mine'), 'x')
    writeFileSync(lab.at('file'), 'x')
    mkdirSync(lab.at('foreign'))
    await lab.run('mount', ['-t', 'tmpfs', 'tmpfs', lab.at('foreign')])
    const codeAt = async (name: string) => {
      const event = await lab.start(undefined, [lab.at(name)]).next()
      return event.t === 'failed' ? event.code : event.t
    }
    expect(await codeAt('full')).toBe('mount/not-empty')
    expect(await codeAt('file')).toBe('mount/not-a-folder')
    expect(await codeAt('foreign')).toBe('mount/taken')
    expect(await readdir(lab.at('full'))).toEqual(['mine'])
  })

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

/* What differs for an account that may not mount: fusermount3 does it, the kernel checks permissions, and nobody else may look. */
describe.each(['root', 'ordinary'] as const)('as %s', (account) => {
  const why = whyNoMounts(account)
  describe.skipIf(why !== undefined)(`with mounts${why ? ` (cannot be made here: ${why})` : ''}`, () => testAs(account))
})

function testAs(account: LabAccount): void {
  let lab: MountLab
  beforeEach(async () => void (lab = await MountLab.open(account)))
  afterEach(() => lab.close())

  it('[FM2] [FM16] a mounted tree does what POSIX says of files', async () => {
    await lab.mounted()
    const said = (await lab.run('python3', [CHECKS, lab.at()])).trim().split('\n')
    expect(said.slice(0, -1)).toEqual([])
    expect(said.at(-1)).toMatch(/^8\d checked, 0 failed$/)
  })

  // Not a test that is skipped for root: there it has no sense.
  const itForOrdinary = account === 'ordinary' ? it : () => {}
  itForOrdinary('[FM16] permissions are checked, and no other account may look, root neither', async () => {
    await lab.mounted()
    await lab.sh('mkdir mnt/d; echo x > mnt/f; echo x > mnt/d/f; chmod 000 mnt/f mnt/d')
    for (const command of ['cat mnt/f', 'echo y > mnt/f', 'cat mnt/d/f', 'ls mnt/d', 'echo y > mnt/d/g']) {
      const { code, stderr } = await lab.look('bash', ['-c', command])
      expect({ command, code, stderr }).toEqual({ command, code: expect.any(Number), stderr: expect.stringContaining('Permission denied') })
      expect(code).not.toBe(0)
    }
    await lab.sh('chmod 400 mnt/f; [ "$(cat mnt/f)" = x ]; chmod 700 mnt/d; [ "$(cat mnt/d/f)" = x ]')
    const [command, words] = lab.ordinary?.enter('ls', [lab.at()]) ?? []
    expect(spawnSync(command ?? '', words ?? [], { encoding: 'utf8' })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('Permission denied'),
    })
  })

  it.each(['SIGKILL', 'hang'] as const)(
    '[FM6] after %s who waits hears of it, nobody is stuck, and the next start clears the mount away',
    async (how) => {
      const client = await lab.mounted()
      await lab.sh('echo 0123456789 > mnt/slow')
      await client.ask({ t: 'slow', ms: 600_000 })
      lab.dropCaches()
      const waiting = [1, 2, 3].map(() => lab.look('cat', [lab.at('mnt/slow')]))
      await expect.poll(async () => (await countsOf(client)).waiting).toBeGreaterThan(0)
      if (how === 'hang') {
        expect(await client.ask({ t: 'hang' })).toEqual({ t: 'done' })
        waiting.push(lab.look('ls', ['-la', lab.at()]))
      }
      // A new program runs first, and rests only in the mount.
      const pids = waiting.map(({ child }) => child.pid)
      await expect
        .poll(() => pids.map(nameAndState))
        .toEqual(waiting.map((_, i) => expect.stringMatching(i < 3 ? /^cat [SD]$/ : /^ls [SD]$/)))
      // A stuck process does not end by itself here: the next one to start takes its mount away from it.
      if (how === 'hang') await lab.mounted()
      else await client.kill('SIGKILL')
      for (const { code, signal, stderr } of await Promise.all(waiting)) {
        expect({ code, signal, stderr }).toEqual({ code: expect.any(Number), signal: null, stderr: expect.stringMatching(CUT_OFF) })
        expect(code).toBeGreaterThan(0)
      }
      expect(pids.map(stateOfProcess)).toEqual(pids.map(() => undefined))
      if (how === 'SIGKILL') {
        expect(await lab.look('stat', [lab.at()])).toMatchObject({ code: 1, stderr: expect.stringContaining('not connected') })
        await lab.mounted()
      }
      expect(await lab.sh('echo x > mnt/again; ls mnt')).toBe('again\n')
      expect(lab.mountsAt()).toHaveLength(1)
    },
  )

  it('[FM8] unmounts when asked; not under a program that uses it, unless forced', async () => {
    // The kernel's own switch for a connection is not mounted in every container; only root may do so.
    if (lab.ordinary) lab.asRoot(`${lab.ordinary.enter('umount', ['/sys/fs/fuse/connections']).flat().join(' ')}`)
    const client = await lab.mounted()
    const holder = await lab.background(`exec python3 -uc '${HOLDER}' mnt/f`)
    const ended = new Promise((resolve) => holder.once('exit', (code, signal) => resolve({ code, signal })))
    expect(await client.ask({ t: 'unmount', force: false })).toEqual({ t: 'refused', code: 'mount/busy' })
    expect(await lab.sh('cat mnt/f')).toMatch(/^x+$/)
    expect(await client.ask({ t: 'unmount', force: true })).toEqual({ t: 'done' })
    expect(await ended).toEqual({ code: 7, signal: null })
    expect(await lab.sh('ls mnt')).toBe('')
    expect(lab.mountsAt()).toEqual([])
  })

  it('[FM8] a link in the way to the folder is no other folder: unmounted, cleared and mounted again by it', async () => {
    await lab.sh('mkdir real; ln -s real link')
    const client = await lab.mounted('link/mnt')
    await client.kill('SIGKILL')
    const next = await lab.mounted('link/mnt')
    expect(await lab.sh('echo x > real/mnt/f; ls link/mnt')).toBe('f\n')
    expect(lab.mountsAt(lab.at('real/mnt'))).toHaveLength(1)
    expect(await next.ask({ t: 'unmount', force: false })).toEqual({ t: 'done' })
    expect(lab.mountsAt(lab.at('real/mnt'))).toEqual([])
  })

  it('[FM17] what the kernel holds it asks for once: pages that were read, small writes, a folder with what is in it', async () => {
    const client = await lab.mounted()
    const during = async (work: () => Promise<unknown>) => {
      const before = (await countsOf(client)).byOpcode
      await work()
      const after = (await countsOf(client)).byOpcode
      return (opcode: number) => (after[opcode] ?? 0) - (before[opcode] ?? 0)
    }
    const { agreedFlags } = await countsOf(client)
    const { noOpen, noOpendir, readdirplus, writebackCache } = InitFlag
    for (const flag of [noOpen, noOpendir, readdirplus, writebackCache]) expect(agreedFlags & flag).toBe(flag)

    await lab.sh('head -c 300000 /dev/urandom > mnt/f; mkdir mnt/d; for i in $(seq 500); do : > mnt/d/$i; done')
    lab.dropCaches()
    expect((await during(() => lab.sh('cat mnt/f | wc -c')))(Opcode.read)).toBeGreaterThan(0)
    const again = await during(() => lab.sh('cat mnt/f | wc -c'))
    expect([again(Opcode.read), again(Opcode.open), again(Opcode.lookup)]).toEqual([0, 0, 0])

    const appends = await during(() => lab.run('python3', ['-c', APPENDS, lab.at('mnt/log')]))
    expect(appends(Opcode.write)).toBeGreaterThan(0)
    expect(appends(Opcode.write)).toBeLessThan(10)

    lab.dropCaches()
    const listed = await during(() => lab.sh('[ $(ls -l mnt/d | wc -l) = 501 ]'))
    expect(listed(Opcode.readdirplus)).toBeGreaterThan(0)
    // The folder itself, and what an older kernel asks for while it makes up its mind.
    expect(listed(Opcode.lookup)).toBeLessThan(10)
    expect(listed(Opcode.getattr)).toBeLessThan(10)
  })
}

/** Writes on until it hears that it cannot; then it ends with 7. */
const HOLDER = `
import os, sys, time
f = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
while True:
    try:
        os.write(f, b"x"); os.fsync(f)
    except OSError: os._exit(7)
    print("held"); time.sleep(0.02)
`

const APPENDS = `
import os, sys
f = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
for i in range(1000): os.write(f, b"a line of a log, as programs write it\\n")
os.close(f)
`

async function countsOf(client: MountClient) {
  const event = await client.ask({ t: 'counts' })
  if (event.t !== 'counted') throw new Error(`instead of counts: ${event.t}`)
  return event
}

const nameAndState = (pid: number | undefined): string => {
  const state = stateOfProcess(pid)
  return state === undefined ? 'gone' : `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} ${state}`
}
