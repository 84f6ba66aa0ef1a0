import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { controlContract } from '../src/device/control-contract.ts'
import { displayContract } from '../src/device/display-contract.ts'
import type { JobInfo } from '../src/jobs/jobs-contract.ts'
import { dataFolderAt } from '../src/main/daemon/data-folder.ts'
import { listProcesses } from '../src/platform/node/proc-process-reader.ts'
import { connectUnixSocket } from '../src/platform/node/unix-socket-transport.ts'
import { type Client, createClient } from '../src/rpc/client.ts'
import { createNetLab, type NetLab, whyNoNetLab } from '../src/testkit/netlab.ts'
import { E2eDevice, PASSPHRASE } from './harness/e2e-device.ts'
import { eventually } from './harness/e2e-pair.ts'

const why = whyNoNetLab()
const CLI = path.resolve(import.meta.dirname, '../bin/elsewhere.mjs')
const PATIENCE_MS = 90_000

describe.skipIf(why !== undefined)(`elsewhere run on another device${why ? ` (${why})` : ''}`, () => {
  let lab: NetLab
  let kitchen: E2eDevice
  let server: E2eDevice
  let folder: string

  beforeAll(async () => {
    lab = createNetLab('kitchen', 'server')
    kitchen = await E2eDevice.start({ name: 'kitchen', machine: lab.machine('kitchen') })
    server = await E2eDevice.start({ name: 'server', machine: lab.machine('server') })
    await kitchen.create('Ada')
    await server.create('Ada')
    await kitchen.invite(server)
    await eventually('the devices are linked', async () => (await kitchen.status()).links === 1)
    folder = path.join(kitchen.folder, 'project')
    mkdirSync(folder)
  })
  afterAll(async () => {
    await kitchen?.dispose()
    await server?.dispose()
    lab?.dispose()
  })

  /** The command line, typed in the project's folder on the kitchen. */
  const start = (...args: string[]) => {
    const env = { ...process.env, HOME: kitchen.folder, ELSEWHERE_DATA: kitchen.folder, ELSEWHERE_CANARY: 'not to be seen' }
    const child = lab.machine('kitchen').spawn(process.execPath, [CLI, ...args], { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] })
    const seen = { out: '', err: '' }
    child.stdout?.on('data', (bytes) => (seen.out += String(bytes)))
    child.stderr?.on('data', (bytes) => (seen.err += String(bytes)))
    const done = new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
      child.on('close', (code) => resolve({ code, ...seen })),
    )
    return { child, seen, done }
  }
  const run = async (args: readonly string[], input = '') => {
    const { child, done } = start(...args)
    child.stdin?.end(input)
    return done
  }
  const ask = async <T>(device: E2eDevice, work: (client: Client<typeof displayContract & typeof controlContract>) => Promise<T>) => {
    const client = createClient(
      { ...displayContract, ...controlContract },
      await connectUnixSocket(dataFolderAt(device.folder).deviceSocket),
    )
    try {
      return await work(client)
    } finally {
      client.dispose()
    }
  }
  const jobs = () => ask(kitchen, (client) => client.listJobs({}))
  const jobOf = async (commandLine: string): Promise<JobInfo> => {
    const job = (await jobs()).find((one) => one.commandLine === commandLine)
    if (!job) throw new Error(`no job ${commandLine}`)
    return job
  }
  const at = (name: string) => path.join(folder, name)

  it('[JB40][JB42][JB46] runs in the other namespace, in the same folder: input, both outputs, exit code, results', async () => {
    writeFileSync(at('input.txt'), 'from the kitchen\n')
    const line =
      'cat; cat input.txt; readlink /proc/self/ns/net > where; pwd > at; mkdir -p out/deep && echo made > out/deep/file; rm input.txt; ' +
      'env | grep -c CANARY; ls /etc/shadow ' +
      `${server.folder} ${kitchen.folder}/vault.json` +
      '; echo bad >&2; exit 3'
    const { code, out, err } = await run(['run', '--on', 'server', line], 'typed\n')
    expect({ code, out }).toEqual({ code: 3, out: 'typed\nfrom the kitchen\n0\n' })
    expect(err).toContain('bad\n')
    for (const hidden of ['/etc/shadow', server.folder, `${kitchen.folder}/vault.json`]) expect(err).toContain(`cannot access '${hidden}'`)
    expect(readFileSync(at('where'), 'utf8')).toMatch(/^net:\[\d+\]\n$/)
    expect(readFileSync(at('at'), 'utf8')).toBe(`${folder}\n`)
    expect(readFileSync(at('out/deep/file'), 'utf8')).toBe('made\n')
    expect(existsSync(at('input.txt'))).toBe(false)
    const job = await jobOf(line)
    expect(job).toMatchObject({
      state: 'failed',
      exit: { code: 3 },
      attempts: [{ device: expect.any(String), endedAtMs: expect.any(Number) }],
    })
    expect(readdirSync(path.join(server.folder, 'jobs', 'run'))).toEqual([])
    // the history has its output, also later
    const logs = await run(['logs', job.job.slice(0, 10)])
    expect(logs).toMatchObject({ code: 3, out })
  }, 180_000)

  it('[JB43] Ctrl-C reaches the program; cancelling ends all of it', async () => {
    const trap = start('run', '--on', 'server', 'trap "echo caught; exit 7" INT; echo ready; while :; do sleep 0.05; done')
    await eventually('it runs', async () => trap.seen.out.includes('ready'), PATIENCE_MS)
    trap.child.kill('SIGINT')
    expect(await trap.done).toMatchObject({ code: 7, out: 'ready\ncaught\n' })

    const stubborn = start('run', '--on', 'server', 'trap "" TERM INT HUP; echo ready; while :; do sleep 4321; done')
    await eventually('it runs', async () => stubborn.seen.out.includes('ready'), PATIENCE_MS)
    expect(listProcesses().filter(({ command }) => command === 'sleep 4321').length).toBe(1)
    const { job } = (await jobs())[0] as JobInfo
    expect(await run(['cancel', job])).toMatchObject({ code: 0 })
    expect(await stubborn.done).toMatchObject({ code: 255, err: expect.stringContaining('cancelled') })
    expect(listProcesses().filter(({ command }) => command === 'sleep 4321')).toEqual([])
  }, 180_000)

  it('[JB44][JB45] goes on while the asking device is killed and started again: nothing is lost or shown twice', async () => {
    const line = 'for n in 1 2 3 4 5 6 7 8 9; do echo "line $n"; sleep 0.5; done; echo done > finished'
    const { out: id } = await run(['run', '--on', 'server', '--detach', line])
    await eventually('it has written something', async () => (await jobOf(line)).outputBytes > 0, PATIENCE_MS)
    await kitchen.kill('device')
    await eventually(
      'the device is back',
      () => ask(kitchen, (client) => client.unlockDevice({ passphrase: PASSPHRASE }).then(() => true)),
      PATIENCE_MS,
    )
    await eventually('it has ended', async () => (await jobOf(line)).state === 'done', PATIENCE_MS)
    expect(await run(['logs', id.trim()])).toMatchObject({ code: 0, out: Array.from({ length: 9 }, (_, n) => `line ${n + 1}\n`).join('') })
    expect(readFileSync(at('finished'), 'utf8')).toBe('done\n')
    expect((await jobOf(line)).attempts.length).toBe(1)
  }, 240_000)

  it('[JB53] a web server over there is opened here, by the same number, and nothing else of that machine is', async () => {
    const line = String.raw`perl -MIO::Socket -e '$s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1:8123", ReuseAddr => 1) or die; while ($c = $s->accept) { sysread $c, $_, 4096; print $c "HTTP/1.0 200 OK\r\n\r\nfrom ", readlink("/proc/self/ns/net"); close $c }'`
    const { out: id, err } = await run(['run', '--on', 'server', '--network', '--detach', line])
    expect(err).toBe('')
    const forwards = await eventually('its port is here', async () => (await jobOf(line)).forwards, PATIENCE_MS)
    expect(forwards).toEqual([{ port: 8123, here: 8123 }])
    const get = async (name: string, port: number) => {
      const script = `fetch('http://127.0.0.1:${port}/').then((answer) => answer.text()).then(console.log, () => console.log('refused'))`
      const child = lab.machine(name).spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
      let text = ''
      for await (const part of child.stdout ?? []) text += String(part)
      return text.trim()
    }
    const there = await get('server', 8123)
    expect(there).toMatch(/^from net:\[\d+\]$/)
    expect(await get('kitchen', 8123)).toBe(there)
    const device = (await jobOf(line)).device as string
    const { attempts } = await jobOf(line)
    expect(attempts.length).toBe(1)
    expect(device).not.toBe((await jobOf(line)).folder.device)
    expect(await run(['cancel', id.trim()])).toMatchObject({ code: 0 })
    await eventually('it has ended', async () => (await jobOf(line)).state === 'cancelled', PATIENCE_MS)
    expect(await get('kitchen', 8123)).toBe('refused')
  }, 240_000)

  it('[JB44] a device whose host is killed in the middle: what only writes files is tried again, and never runs twice at once', async () => {
    const line = 'echo try >> tries; test -e go-on || sleep 600; echo end'
    const first = start('run', '--on', 'server', '--again', line)
    first.child.stdin?.end()
    await eventually('it runs there', async () => (await jobOf(line)).state === 'running', PATIENCE_MS)
    await eventually('its result is here', async () => existsSync(at('tries')), PATIENCE_MS)
    writeFileSync(at('go-on'), '')
    await server.kill('host')
    const { code, out } = await first.done
    expect({ code, out }).toEqual({ code: 0, out: 'end\n' })
    const { attempts } = await jobOf(line)
    expect(attempts.length).toBe(2)
    expect(attempts[0]).toMatchObject({ ended: 'lost' })
    expect((attempts[1]?.startedAtMs ?? 0) >= (attempts[0]?.endedAtMs ?? Number.POSITIVE_INFINITY)).toBe(true)
  }, 240_000)
})
