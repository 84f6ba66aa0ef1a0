import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { JobProcess, JobSandbox } from '../../jobs/job-process.ts'
import { bubblewrapArguments } from './bubblewrap.ts'
import { SystemCondition } from './machine-condition.ts'
import { MAX_JOB_PROCESSES } from './job-limits.ts'
import { NodePortSockets } from './node-port-sockets.ts'
import { NodeJobSpawner } from './node-job-spawner.ts'
import { listProcesses } from './proc-process-reader.ts'

/*
 * What a placed job cannot reach (rule JB41). Each probe is a shell line whose exit code 0 means that it got what it wanted; it is
 * first run outside, where it must get it: a probe that fails there proves nothing.
 */

const why = new SystemCondition(process.env).noSandbox()
const isRoot = process.getuid?.() === 0
const NOBODY = 65_534

const folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-box-'))
chmodSync(folder, 0o755)
const at = (...parts: string[]) => path.join(folder, ...parts)
for (const name of ['data', 'project', 'other']) mkdirSync(at(name), { mode: 0o777 })
writeFileSync(at('data', 'vault.json'), 'the keys')
writeFileSync(at('other', 'letter'), 'private')
for (const name of ['data', 'other']) chmodSync(at(name), 0o777)
for (const name of ['data/vault.json', 'other/letter']) chmodSync(at(name), 0o666)
chmodSync(at('project'), 0o777)
/** A probe leaves as soon as it has read enough. */
const greet = (text: string) => createServer((connection) => connection.on('error', () => undefined).end(text))
const socket = greet('hello from the device')
await new Promise<void>((resolve) => socket.listen(at('data', 'device.sock'), resolve))
chmodSync(at('data', 'device.sock'), 0o777)
const loopback = greet('hello from loopback')
await new Promise<void>((resolve) => loopback.listen(0, '127.0.0.1', resolve))
const port = (loopback.address() as { port: number }).port
/** Somebody else's program, that a job would like to end, trace or read. */
const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})
afterAll(() => {
  socket.close()
  loopback.close()
  rmSync(folder, { recursive: true, force: true })
})

const connectTo = (what: string) => `perl -MIO::Socket -MSocket -e '${what} or exit 1; sysread($s, my $b, 9) > 0 or exit 2; exit 0'`

interface Probe {
  readonly name: string
  readonly line: string
  /** Only root can do it outside. */
  readonly root?: boolean
}

const probes = (victim: number): readonly Probe[] => [
  { name: 'reads the keys of the device', line: `grep -q keys ${at('data', 'vault.json')}` },
  { name: 'changes another folder', line: `echo x >> ${at('other', 'letter')}` },
  { name: 'lists another folder', line: `ls ${at('other')} | grep -q letter` },
  { name: 'reads the password file', line: 'test -r /etc/shadow && cat /etc/shadow | grep -q :', root: true },
  { name: 'changes the system', line: 'touch /usr/elsewhere-probe && rm /usr/elsewhere-probe', root: true },
  { name: 'changes /etc', line: 'touch /etc/elsewhere-probe && rm /etc/elsewhere-probe', root: true },
  { name: 'reaches the socket of the device', line: connectTo(`$s = IO::Socket::UNIX->new(Peer => "${at('data', 'device.sock')}")`) },
  { name: 'reaches loopback', line: connectTo(`$s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:${port}")`) },
  { name: 'sees a process of others', line: `test -d /proc/${victim} && grep -q 98765 /proc/${victim}/cmdline` },
  {
    name: 'reads memory of a process of others',
    line: `test -r /proc/${victim}/environ && head -c 1 /proc/${victim}/environ | grep -qz .`,
  },
  { name: 'ends a process of others', line: `kill -0 ${victim}` },
  {
    name: 'traces a process of others',
    line: `perl -e 'exit(syscall(101, 16, ${victim}, 0, 0) == 0 ? (syscall(101, 17, ${victim}, 0, 0), 0) : 1)'`,
  },
  { name: 'mounts', line: 'mkdir -p /tmp/elsewhere-m && mount -t tmpfs none /tmp/elsewhere-m && umount /tmp/elsewhere-m', root: true },
  { name: 'makes a user namespace to become root in', line: 'unshare -Ur true' },
  { name: 'opens a raw socket', line: `perl -MSocket -e 'socket(my $s, PF_INET, SOCK_RAW, 1) or exit 1'`, root: true },
  { name: 'makes a device node', line: 'mknod /tmp/elsewhere-null c 1 3 && rm /tmp/elsewhere-null', root: true },
  { name: 'sets a clock', line: 'date -s "$(date)" >/dev/null', root: true },
  { name: 'changes the host name', line: 'hostname "$(hostname)"', root: true },
  { name: 'gains by a setuid program', line: `grep -q "NoNewPrivs:.*0" /proc/self/status` },
  {
    name: 'raises its own priority',
    line: 'nice -n -5 true 2>&1 | grep -q . && exit 1; nice -n -5 sh -c "test $(nice) -le 0"',
    root: true,
  },
]
/** What it keeps ready ends with the test. */
function spawnerOfTest(): NodeJobSpawner {
  const spawner = new NodeJobSpawner()
  cleanUps.push(() => spawner.end())
  return spawner
}

/** As a placed job is started. @param spawner  one that has sandboxes waiting, perhaps */
function start(line: string, folders: JobSandbox['folders'] = [], spawner = spawnerOfTest()): JobProcess {
  return spawner
    .prepare({
      program: '/bin/sh',
      arguments: ['-c', line],
      environment: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/home/ada', PROBE: 'of the job' },
      folder: '/home/ada/project',
      sandbox: { hostFolder: at('project'), home: '/home/ada', network: false, memoryMiB: 256, folders },
    })
    .start()
}

function inside(line: string, folders: JobSandbox['folders'] = [], spawner?: NodeJobSpawner): Promise<{ code: number; text: string }> {
  return new Promise((resolve) => {
    const running = start(line, folders, spawner)
    let text = ''
    running.onDidOutput(({ bytes }) => (text += new TextDecoder().decode(bytes)))
    running.onDidExit(({ code }) => resolve({ code, text }))
    running.endInput()
  })
}

/** With a sandbox that waits for its job. */
async function waitingSpawner(): Promise<NodeJobSpawner> {
  const spawner = spawnerOfTest()
  await inside('true', [], spawner)
  await expect.poll(() => spawner.waiting.length, { timeout: 60_000 }).toBeGreaterThan(0)
  return spawner
}

/** Runs; ended after the test. */
async function startAndWait(line: string): Promise<JobProcess> {
  const job = start(line)
  cleanUps.push(() => void job.end(0))
  await new Promise<void>((resolve) => job.onDidOutput(() => resolve()))
  return job
}

/** What a shell in a job says to these lines; `keepOpen`: until it is ended. */
async function inShellOf(job: JobProcess, lines: string, { keepOpen = false } = {}): Promise<{ code: number; stdout: string }> {
  const shell = job.shell()
  const child = spawn(shell.file, shell.arguments, { cwd: shell.folder, env: { ...shell.environment }, stdio: 'pipe', detached: true })
  job.adopt(child.pid as number)
  let stdout = ''
  child.stdout.on('data', (bytes) => (stdout += String(bytes)))
  child.stdin.on('error', () => undefined) // the shell has ended
  child.stdin.write(`${lines}\n`)
  if (!keepOpen) child.stdin.end()
  const [code] = (await once(child, 'close')) as [number | null]
  job.release(child.pid as number)
  shell.dispose()
  return { code: code ?? -1, stdout }
}

/** Not waited for in place: the probes talk to servers of this process. */
async function run(command: readonly string[]): Promise<{ code: number; text: string }> {
  const child = spawn(command[0] as string, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => (text += String(bytes)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code: code ?? -1, text }
}

/** One line that tries each probe in turn and says its number and exit code: at the lowest priority each start takes seconds. */
const all = (tried: readonly Probe[]): string => tried.map(({ line }, n) => `( ${line} ) >/dev/null 2>&1; echo "${n} $?"`).join('\n')

/** Names of probes that got what they wanted; each must have answered. */
function succeeded(tried: readonly Probe[], text: string): string[] {
  const answers = text.trim().split('\n')
  expect(answers.map((answer) => answer.split(' ')[0])).toEqual(tried.map((_, n) => String(n)))
  return tried.flatMap(({ name }, n) => (answers[n]?.endsWith(' 0') ? [name] : []))
}

const AS_NOBODY = ['setpriv', '--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'] as const

const spawnerFile = path.join(import.meta.dirname, 'node-job-spawner.ts')
const nobodyReads = (file: string) => isRoot && spawnSync('setpriv', [...AS_NOBODY.slice(1), 'test', '-r', file]).status === 0

/** Somebody's program that a job would like to end, trace or read. */
function startVictim(as: readonly string[] = []): number {
  const [file, ...words] = [...as, '/bin/sh', '-c', 'sleep 98765 >/dev/null 2>&1 & echo $!']
  const pid = Number(spawnSync(file as string, words, { encoding: 'utf8' }).stdout)
  cleanUps.push(() => {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // a probe ended it: the test has said so
    }
  })
  return pid
}

describe.skipIf(why !== undefined)(`what a placed job cannot reach${why ? ` (no sandbox: ${why})` : ''}`, () => {
  it('[JB92] a folder that was granted to read is read and not changed; one to write is changed; both lie where it is told', async () => {
    for (const name of ['photos', 'notes']) mkdirSync(at(name), { recursive: true })
    for (const name of ['photos', 'notes']) chmodSync(at(name), 0o777)
    writeFileSync(at('photos', 'one'), 'a picture\n')
    const folders = ['photos', 'notes'].map((name) => ({
      hostPath: at(name),
      path: `/home/ada/Elsewhere/${name}`,
      mayWrite: name === 'notes',
    }))
    const lines = [
      'cat ~/Elsewhere/photos/one',
      '(echo x > ~/Elsewhere/photos/two) 2>/dev/null && echo " written"',
      'rm ~/Elsewhere/photos/one 2>/dev/null && echo " removed"',
      'echo mine > ~/Elsewhere/notes/new',
      'ls ~/Elsewhere',
    ]
    expect((await inside(lines.join('\n'), folders)).text).toBe('a picture\nnotes\nphotos\n')
    expect([existsSync(at('photos', 'one')), existsSync(at('photos', 'two'))]).toEqual([true, false])
    expect(readFileSync(at('notes', 'new'), 'utf8')).toBe('mine\n')
  })

  it('[JB41] it works in its folder, alone in its namespaces, at the lowest priority, without rights', async () => {
    const { code, text } = await inside(
      'echo made > result && id -u && { [ ! -e /proc/self/autogroup ] || until grep "nice 19" /proc/self/autogroup; do sleep 0.1; done; } && chrt -p $$ && grep -E "^(CapEff|NoNewPrivs)" /proc/self/status && ls -A "$HOME"',
    )
    expect({ code, text }).toMatchObject({ code: 0 })
    expect(readFileSync(at('project', 'result'), 'utf8')).toBe('made\n')
    expect(text).toMatch(/CapEff:\s+0+\n/)
    expect(text).toMatch(/NoNewPrivs:\s+1/)
    expect(text).toContain('SCHED_IDLE')
    if (existsSync('/proc/self/autogroup')) expect(text).toMatch(/nice 19/)
    expect(text).toMatch(/project\n$/) // an empty home, save its folder
  }, 120_000)

  it('[JB41] the escape suite: each probe gets what it wants outside, and not inside', async () => {
    const victim = startVictim()
    const tried = probes(victim).filter(({ root }) => isRoot || !root)
    expect(succeeded(tried, (await run(['/bin/sh', '-c', all(tried)])).text)).toEqual(tried.map(({ name }) => name))
    expect(succeeded(tried, (await inside(all(tried))).text)).toEqual([])
    expect(tried.length).toBeGreaterThan(isRoot ? 16 : 8)
    expect(listProcesses().some(({ pid }) => pid === victim)).toBe(true)
  }, 240_000)

  it('[JB108] the escape suite in a sandbox that was made before its job was known', async () => {
    const spawner = await waitingSpawner()
    const victim = startVictim()
    const tried = probes(victim).filter(({ root }) => isRoot || !root)
    const [next] = spawner.waiting
    const line = `test "$PROBE" = "of the job" && test -z "$LC_ALL$ELSEWHERE_DATA" || echo "another environment"\n${all(tried)}`
    const job = start(`${line.replaceAll('\n', '; ')}`, [], spawner)
    expect(job.pid).toBe(next?.pid)
    let text = ''
    job.onDidOutput(({ bytes }) => (text += new TextDecoder().decode(bytes)))
    job.endInput()
    await new Promise<void>((resolve) => job.onDidExit(() => resolve()))
    expect(succeeded(tried, text)).toEqual([])
    expect(listProcesses().some(({ pid }) => pid === victim)).toBe(true)
  }, 240_000)

  it('[JB108] a job is the same in one that waited: words, environment, what is left open, what it may hold', async () => {
    const spawner = await waitingSpawner()
    const look = `printf '%s|' "it's" "\u00e9\u00c1\u4e2d \\ $HOME" '\`x\`'; env | grep -v '^_=' | sort; ls /proc/self/fd | wc -l; ls -A ~; grep processes /proc/self/limits; cat /proc/self/cgroup; grep -E '^(Cap|NoNew|Seccomp)' /proc/self/status; pwd; exit 7`
    const [next] = spawner.waiting
    const fresh = await inside(look)
    const running = start(look, [], spawner)
    expect(running.pid).toBe(next?.pid)
    let text = ''
    running.onDidOutput(({ bytes }) => (text += new TextDecoder().decode(bytes)))
    const code = await new Promise<number>((resolve) => running.onDidExit((exit) => resolve(exit.code)))
    expect({ code, text }).toEqual(fresh)
    expect(fresh.code).toBe(7)
  }, 120_000)

  it('[JB108] one that has ended is no job; with the limits of another, the network, or words a shell reads differently it is not used', async () => {
    const spawner = await waitingSpawner()
    const [first] = spawner.waiting
    const odd = await inside('printf "%s" "a\u0001b" "c\u007f\n"', [], spawner)
    expect(odd).toEqual({ code: 0, text: 'a\u0001bc\u007f\n' })
    expect(spawner.waiting[0]).toBe(first)
    process.kill(first?.pid as number, 'SIGKILL')
    await expect.poll(() => spawner.waiting.includes(first as never), { timeout: 60_000 }).toBe(false)
    expect(await inside('echo still', [], spawner)).toEqual({ code: 0, text: 'still\n' })
    const request = { program: '/bin/true', arguments: [], environment: {}, folder: '/home/ada/project' }
    const box = { hostFolder: at('project'), home: '/home/ada', memoryMiB: 256 }
    await expect.poll(() => spawner.waiting.length, { timeout: 60_000 }).toBeGreaterThan(0)
    const pids = () => spawner.waiting.map(({ pid }) => pid)
    const before = pids()
    const other = [
      { ...request, sandbox: { ...box, network: true } },
      { ...request, sandbox: { ...box, network: false, memoryMiB: 64 } },
    ].map((one) => spawner.prepare(one).start())
    for (const job of other) {
      expect(before).not.toContain(job.pid)
      await job.end(0)
    }
    expect(() =>
      spawner.prepare({ ...request, environment: { A: 'x\0--bind\0/\0/mnt' }, sandbox: { ...box, network: false } }),
    ).toThrowError(expect.objectContaining({ code: 'job/spawn-failed' }))
  }, 120_000)

  it('[JB108] those that wait end with whoever made them, and run nothing', async () => {
    const script = `
      import { NodeJobSpawner } from ${JSON.stringify(spawnerFile)}
      const sandbox = { hostFolder: ${JSON.stringify(at('project'))}, home: '/home/ada', network: false, memoryMiB: 256 }
      const spawner = new NodeJobSpawner()
      const job = spawner.prepare({ program: '/bin/true', arguments: [], environment: { PATH: '/usr/bin' }, folder: '/home/ada/project', sandbox }).start()
      await new Promise((resolve) => job.onDidExit(resolve))
      while (spawner.waiting.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
      console.log(spawner.waiting[0].pid)
      setInterval(() => undefined, 1_000)`
    const maker = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    cleanUps.push(() => maker.kill('SIGKILL'))
    const [said] = (await once(maker.stdout, 'data')) as [Buffer]
    const pid = Number(String(said))
    expect(listProcesses().some((one) => one.pid === pid)).toBe(true)
    maker.kill('SIGKILL')
    await expect.poll(() => listProcesses().some((one) => one.pid === pid && !one.zombie), { timeout: 60_000 }).toBe(false)
  }, 120_000)

  it('[JB86] a shell in a running job is no way out either: each probe gets what it wants outside, and not in there', async () => {
    const victim = startVictim()
    const tried = probes(victim).filter(({ root }) => isRoot || !root)
    const job = await startAndWait('echo up; read line')
    const { stdout } = await inShellOf(job, `${all(tried)}\nexit`)
    expect(succeeded(tried, stdout)).toEqual([])
    const who =
      'id -u; cd; pwd; echo "$PROBE"; cat /proc/self/autogroup; chrt -p $$; grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status'
    const shown = await inShellOf(job, `${who}; kill -0 2 && echo "sees the job"; echo left > /home/ada/project/from-shell; exit`)
    expect(shown.stdout).toMatch(/^\d+\n\/home\/ada\nof the job\n/)
    expect(shown.stdout).toMatch(/CapEff:\s+0+\nCapBnd:\s+0+\n(?:.*\n)*NoNewPrivs:\s+1|NoNewPrivs:\s+1/)
    expect(shown.stdout).toContain('SCHED_IDLE')
    expect(shown.stdout).toContain('sees the job')
    if (existsSync('/proc/self/autogroup')) expect(shown.stdout).toMatch(/nice 19/)
    expect(readFileSync(at('project', 'from-shell'), 'utf8')).toBe('left\n')
    expect(listProcesses().some(({ pid }) => pid === victim)).toBe(true)
  }, 480_000)

  it('[JB86] it ends with the job', async () => {
    const job = await startAndWait('echo up; read line')
    const shell = inShellOf(job, 'sleep 76543', { keepOpen: true })
    const sleeps = () => listProcesses().filter(({ command }) => command === 'sleep 76543').length
    await expect.poll(sleeps, { timeout: 120_000 }).toBe(1)
    await job.end(0)
    await shell
    expect(sleeps()).toBe(0)
    expect(() => job.shell()).toThrowError(expect.objectContaining({ code: 'job/not-running' }))
  }, 240_000)

  it('[JB87] a port of a job without this network is reached in its own, and is none of this machine', async () => {
    const serve = `perl -MIO::Socket -e '$s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => 18077) or die; while ($c = $s->accept) { print $c "from the job"; close $c }'`
    const job = await startAndWait(`echo up; ${serve}`)
    await expect.poll(() => job.observe().ports, { timeout: 120_000 }).toEqual([18_077])
    expect(job.hasOwnNetwork).toBe(true)
    await expect(new NodePortSockets().connect(18_077)).rejects.toMatchObject({ code: 'job/no-port' })
    const connection = await job.connect(18_077)
    let text = ''
    connection.onDidReceive((bytes) => (text += new TextDecoder().decode(bytes)))
    connection.setPaused(false)
    await expect.poll(() => text, { timeout: 60_000 }).toBe('from the job')
    connection.dispose()
    // The way in there may be ended for want of memory, say: there is another one.
    const ways = () =>
      listProcesses({ commands: true }).filter(
        ({ parentPid, command, zombie }) => parentPid === process.pid && !zombie && /node.* -e /.test(command),
      )
    for (const { pid } of ways()) process.kill(pid, 'SIGKILL')
    await expect.poll(() => ways().length, { timeout: 60_000 }).toBe(0)
    const again = await job.connect(18_077)
    again.dispose()
    await expect(job.connect(18_078)).rejects.toMatchObject({ code: 'job/no-port' })
  }, 240_000)

  it('[JB88] who waits for its keyboard is told from who waits for a program before it, or for nothing', async () => {
    const waits = (job: JobProcess) => job.observe().waits
    const reads = await startAndWait('echo up; read line; echo "got $line"; sleep 50')
    await expect.poll(() => waits(reads), { timeout: 60_000 }).toBe('input')
    reads.write(new TextEncoder().encode('typed\n'))
    await expect.poll(() => waits(reads), { timeout: 60_000 }).toBe(undefined)
    const piped = await startAndWait('echo up; sleep 50 | cat')
    await expect.poll(() => piped.observe().cpuMs, { timeout: 60_000 }).toBeGreaterThanOrEqual(0)
    expect(waits(piped)).toBe(undefined)
  }, 240_000)

  it.skipIf(!isRoot)(
    '[JB41] the escape suite as an unprivileged user',
    async () => {
      const tried = probes(startVictim(AS_NOBODY)).filter(({ root }) => !root)
      chownSync(at('project'), NOBODY, NOBODY)
      const request = { program: '/bin/sh', environment: {}, folder: '/home/ada/project' }
      const sandbox = { hostFolder: at('project'), home: '/home/ada', network: false, memoryMiB: 256 }
      const box = (line: string) => run([...AS_NOBODY, 'bwrap', ...bubblewrapArguments({ ...request, arguments: ['-c', line] }, sandbox)])
      expect(succeeded(tried, (await run([...AS_NOBODY, '/bin/sh', '-c', all(tried)])).text)).toEqual(tried.map(({ name }) => name))
      expect(await box('echo made > result2 && id -u')).toEqual({ code: 0, text: `${NOBODY}\n` })
      expect(readFileSync(at('project', 'result2'), 'utf8')).toBe('made\n')
      expect(succeeded(tried, (await box(all(tried))).text)).toEqual([])
      expect(tried.length).toBeGreaterThan(8)
    },
    240_000,
  )

  it.skipIf(!isRoot || !nobodyReads(spawnerFile))(
    '[JB86] the same of a shell that an unprivileged user opens in a job',
    async () => {
      const tried = probes(startVictim(AS_NOBODY)).filter(({ root }) => !root)
      chownSync(at('project'), NOBODY, NOBODY)
      const script = `
        import { NodeJobSpawner } from ${JSON.stringify(spawnerFile)}
        import { spawn } from 'node:child_process'
        const sandbox = { hostFolder: ${JSON.stringify(at('project'))}, home: '/home/ada', network: false, memoryMiB: 256 }
        const environment = { PATH: '/usr/bin:/bin' }
        const spawner = new NodeJobSpawner()
        const job = spawner.prepare({ program: '/bin/sh', arguments: ['-c', 'echo up; read l'], environment, folder: '/home/ada/project', sandbox }).start()
        await new Promise((resolve) => job.onDidOutput(resolve))
        const shell = job.shell()
        const child = spawn(shell.file, shell.arguments, { cwd: '/', env: shell.environment, stdio: ['pipe', 'inherit', 'ignore'] })
        child.on('close', () => { shell.dispose(); void job.end(0).then(() => spawner.end()).then(() => process.exit()) })
        child.stdin.end(${JSON.stringify(`${all(tried)}\nexit\n`)})`
      const { text } = await run([...AS_NOBODY, process.execPath, '--input-type=module', '-e', script])
      expect(succeeded(tried, text)).toEqual([])
    },
    480_000,
  )

  it.skipIf(!isRoot)(
    '[JB41] a fork bomb stops at its limit and is ended (where there are control groups)',
    async () => {
      // Programs that sleep: as many that spin would show the same and slow all other tests down. A shell that cannot fork
      // ends: the one around it stays, without forking, so that the job is still there to be looked at.
      const bomb = start(
        `(n=0; while [ $n -lt ${MAX_JOB_PROCESSES + 100} ]; do sleep 54321 & n=$((n + 1)); done; echo all); exec sleep 54320`,
      )
      let text = ''
      bomb.onDidOutput(({ bytes }) => (text += new TextDecoder().decode(bytes)))
      await expect.poll(() => text, { timeout: 120_000 }).toMatch(/fork/)
      const inBomb = () => listProcesses().filter(({ command }) => command === 'sleep 54321').length
      expect(inBomb()).toBeGreaterThan(50)
      expect(inBomb()).toBeLessThanOrEqual(MAX_JOB_PROCESSES)
      expect(text).not.toContain('all')
      await bomb.end(0)
      await expect.poll(inBomb, { timeout: 60_000 }).toBe(0)
    },
    240_000,
  )

  it.skipIf(!isRoot)(
    '[JB41] what takes more memory than it may is ended (where there are control groups)',
    async () => {
      const { code, text } = await inside(`perl -e 'my @a; push @a, "x" x 10_000_000 for 1..60; print "got it"'`)
      expect({ text, failed: code !== 0 }).toEqual({ text: expect.not.stringContaining('got it'), failed: true })
    },
    240_000,
  )
})
