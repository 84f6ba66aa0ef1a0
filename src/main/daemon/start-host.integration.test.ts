import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { concatBytes, fromUtf8, utf8 } from '../../base/bytes.ts'
import { silentLogger } from '../../base/logger.ts'
import { hostProcessContract } from '../../jobs/serve-host.ts'
import { decodeDownFrame, type DownFrame, encodeUpFrame } from '../../jobs/terminal-frames-contract.ts'
import { XtermScreen } from '../../jobs/xterm-screen.ts'
import { listProcesses, startVariable } from '../../platform/node/proc-process-reader.ts'
import { shellHook } from '../../platform/node/shell-files.ts'
import { connectUnixSocket } from '../../platform/node/unix-socket-transport.ts'
import type { ByteChannel } from '../../rpc/channel.ts'
import { createClient } from '../../rpc/client.ts'
import { roundsOfRun } from '../../testkit/seeded-random.ts'
import { startHost } from './start-host.ts'

const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})
const wait = { timeout: 30_000, interval: 20 }

async function setUp(environment: Record<string, string> = {}) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-host-'))
  const home = path.join(folder, 'home')
  mkdirSync(home)
  const socketPath = path.join(folder, 'host.sock')
  const env = { PATH: process.env.PATH ?? '', HOME: home, SHELL: '/bin/bash', ELSEWHERE_SECRET: 'canary', ...environment }
  const host = await startHost({
    socketPath,
    shellFolder: path.join(folder, 'shell'),
    jobsFolder: path.join(folder, 'jobs'),
    // Prints what it was asked for, as a line that a shell can evaluate.
    commandLine: { data: folder, cli: ['sh', '-c', 'echo "echo asked: $ELSEWHERE_DATA, $*"', 'cli'] },
    log: silentLogger,
    environment: env,
  })
  cleanUps.push(async () => {
    await host.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  const connect = async () => {
    const client = createClient(hostProcessContract, await connectUnixSocket(socketPath))
    cleanUps.push(() => client.dispose())
    return client
  }
  return { folder, home, socketPath, host, connect, client: await connect() }
}
async function hostInItsOwnProcess() {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-host-'))
  const socketPath = path.join(folder, 'host.sock')
  const program = `
    import { startHost } from ${JSON.stringify(new URL('./start-host.ts', import.meta.url).href)}
    import { silentLogger } from ${JSON.stringify(new URL('../../base/logger.ts', import.meta.url).href)}
    const [socketPath, shellFolder] = process.argv.slice(1)
    const jobsFolder = shellFolder + '-jobs'
    const host = await startHost({ socketPath, shellFolder, jobsFolder, log: silentLogger, environment: process.env })
    process.on('SIGTERM', () => host.stop().then(() => process.exit(0)))
    process.on('SIGUSR2', () => {
      gc()
      const { heapUsed, arrayBuffers } = process.memoryUsage()
      console.log(heapUsed + arrayBuffers)
    })
    console.log('ready')`
  const child = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', program, socketPath, path.join(folder, 'shell')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  cleanUps.push(async () => {
    child.kill('SIGTERM')
    await once(child, 'exit')
    rmSync(folder, { recursive: true, force: true })
  })
  const connect = async () => createClient(hostProcessContract, await connectUnixSocket(socketPath))
  /** Bytes that are in use, garbage aside. */
  const heldBytes = async () => {
    child.kill('SIGUSR2')
    return Number(String((await once(child.stdout, 'data'))[0]))
  }
  return { connect, heldBytes }
}

type Client = Awaited<ReturnType<typeof setUp>>['client']

class Viewer {
  readonly frames: DownFrame[] = []
  readonly channel: ByteChannel
  bytes = 0

  constructor(channel: ByteChannel) {
    this.channel = channel
    channel.onDidReceive((message) => {
      this.bytes += message.length
      this.frames.push(decodeDownFrame(message) as DownFrame)
    })
  }

  get text(): string {
    const last = this.frames.findLastIndex(({ kind }) => kind === 'screen')
    return fromUtf8(concatBytes(...this.frames.slice(last).flatMap((frame) => ('bytes' in frame ? [frame.bytes] : []))))
  }

  type(text: string | Uint8Array): void {
    this.channel.send(encodeUpFrame({ kind: 'keys', bytes: typeof text === 'string' ? utf8(text) : text }))
  }

  /** As `shows`, for a viewer whose older frames are gone. */
  endsWith(text: string): Promise<void> {
    const end = () => Buffer.concat(this.frames.slice(-50).flatMap((frame) => ('bytes' in frame ? [frame.bytes] : []))).toString('latin1')
    return vi.waitFor(() => expect(end()).toContain(text), { timeout: 100_000, interval: 100 })
  }

  shows(text: string | RegExp): Promise<void> {
    return vi.waitFor(() => expect(this.text).toMatch(text), wait)
  }
}

async function attach(client: Client, terminalId: string, columns = 80, rows = 24): Promise<Viewer> {
  const { channel } = await client.attach({ terminalId, columns, rows })
  return new Viewer(client.channel(channel))
}

async function run(client: Client, command: string[], size = { columns: 80, rows: 24 }) {
  const terminal = await client.spawn({ command, ...size })
  return { terminal, viewer: await attach(client, terminal.terminalId, size.columns, size.rows) }
}

const alive = (pid: number) => listProcesses().some((process) => process.pid === pid && !process.zombie)

describe('the host process', () => {
  it('[JB2] a terminal attached from elsewhere has the same pid, counts on, and takes keys', async () => {
    const { client, connect } = await setUp()
    const script = 'n=0; while true; do n=$((n+1)); echo "count $n of $$"; read -r -t 0.05 word && echo "got $word"; done'
    const { terminal, viewer } = await run(client, ['bash', '-c', script])
    await viewer.shows(`count 3 of ${terminal.pid}`)
    client.dispose()

    const other = await connect()
    const found = (await other.list({}))[0]
    expect(found?.pid).toBe(terminal.pid)
    const again = await attach(other, terminal.terminalId)
    await again.shows(`count 1 of ${terminal.pid}`)
    const seen = again.text.match(/count \d+/g)?.length ?? 0
    await vi.waitFor(() => expect(again.text.match(/count \d+/g)?.length).toBeGreaterThan(seen), wait)
    const numbers = [...again.text.matchAll(/count (\d+) of/g)].map(([, n]) => Number(n))
    expect(numbers).toEqual(numbers.map((_, i) => i + 1))
    again.type('hello\r')
    await again.shows('got hello')
  })

  it('[JB10] programs get a clean environment, and no secret of ours', async () => {
    const { client, home } = await setUp({ EDITOR: 'vim', npm_config_x: '1' })
    const { terminal, viewer } = await run(client, ['bash', '-c', 'env; pwd; echo done; sleep 60'])
    await viewer.shows('done')
    const { text } = viewer
    for (const part of ['TERM=xterm-256color', 'COLORTERM=truecolor', 'EDITOR=vim', home]) expect(text).toContain(part)
    for (const part of ['canary', 'npm_config']) expect(text).not.toContain(part)
    expect(startVariable(terminal.pid, 'ELSEWHERE_TERMINAL')).toBe(terminal.terminalId)
  })

  it('[JB1] says what is wrong with a command before anything starts', async () => {
    const { client } = await setUp()
    await expect(client.spawn({ command: ['no-such-program'], columns: 80, rows: 24 })).rejects.toMatchObject({
      code: 'terminal/spawn-failed',
      message: expect.stringContaining('no-such-program'),
    })
  })

  it('[JB6] the program sees the size of the display typed in last', async () => {
    const { client } = await setUp()
    const { terminal, viewer } = await run(client, ['bash', '-c', 'while read -r _; do stty size; done'])
    const large = await attach(client, terminal.terminalId, 132, 50)
    large.type('\r')
    await large.shows('50 132')
    viewer.type('\r')
    await viewer.shows('24 80')
  })

  it('[JB11] an exit is shown with its code, or its signal', async () => {
    const { client } = await setUp()
    const { viewer } = await run(client, ['bash', '-c', 'echo last words; exit 7'])
    await vi.waitFor(() => expect(viewer.frames.at(-1)).toEqual({ kind: 'exit', code: 7 }), wait)
    expect(viewer.text).toContain('last words')
    const killed = await run(client, ['sleep', '60'])
    process.kill(killed.terminal.pid, 'SIGKILL')
    await vi.waitFor(() => expect(killed.viewer.frames.at(-1)).toMatchObject({ kind: 'exit', signal: 9 }), wait)
  })

  it('[JB11] ending a terminal ends what runs in it, also what ignores HUP and TERM', async () => {
    const { client } = await setUp()
    const script =
      'trap "" HUP TERM; (trap "" HUP TERM; sleep 300) & sleep 300 & echo "kids $(jobs -p | tr "\\n" " ")."; while true; do sleep 0.2; done'
    const { terminal, viewer } = await run(client, ['bash', '-c', script])
    await viewer.shows(/kids \d+ \d+ \./)
    const kids = (/kids (\d+) (\d+)/.exec(viewer.text) as RegExpExecArray).slice(1).map(Number)
    await client.end({ terminalId: terminal.terminalId })
    expect([terminal.pid, ...kids].filter(alive)).toEqual([])
    expect(await client.list({})).toEqual([])
  })

  it('[JB11] stopping the host ends every program, also one that left its terminal, and nothing else', async () => {
    const at = await setUp()
    const { viewer, terminal } = await run(at.client, [
      'bash',
      '-c',
      'setsid --fork bash -c "trap \\"\\" HUP; echo stray $$ \\$BASHPID; sleep 300"; sleep 300',
    ])
    await viewer.shows(/stray \d+ \d+/)
    const stray = Number((/stray \d+ (\d+)/.exec(viewer.text) as RegExpExecArray)[1])
    expect(alive(stray)).toBe(true)
    await at.host.stop()
    expect([stray, terminal.pid].filter(alive)).toEqual([])
    expect(alive(process.pid)).toBe(true)
  })

  it('[JB9] says which program is in front, and where the shell is', async () => {
    const { client, home } = await setUp()
    const { terminalId } = await client.spawn({ columns: 80, rows: 24 })
    const viewer = await attach(client, terminalId)
    const told: string[] = []
    client.onDidChangeTerminal(({ foreground, cwd, title }) => told.push(`${foreground} ${cwd} ${title}`))
    mkdirSync(path.join(home, 'a b ü'))
    viewer.type('cd "a b ü"; printf "\\e]2;my title\\a"; sleep 30\r')
    await vi.waitFor(() => expect(told).toContain(`sleep ${home} my title`), wait)
    viewer.type('\x03')
    await vi.waitFor(() => expect(told.at(-1)).toMatch(new RegExp(`^bash ${home}/a b ü `)), wait)
  })

  it('[JB8] a paste of a megabyte arrives whole', async () => {
    const { client, folder } = await setUp()
    const file = path.join(folder, 'pasted')
    const { viewer } = await run(client, [
      'bash',
      '-c',
      `stty raw -echo; echo ready; head -c 1000000 > '${file}'; echo all there; sleep 60`,
    ])
    await viewer.shows('ready')
    const paste = utf8(Array.from({ length: 1_000_000 / 8 }, (_, i) => `${String(i % 10_000_000).padStart(7, '0')}\n`).join(''))
    viewer.type(paste.subarray(0, 700_000))
    viewer.type(paste.subarray(700_000))
    await viewer.shows('all there')
    expect(readFileSync(file)).toEqual(Buffer.from(paste))
  })

  it('[JB11] programs that end while they are typed at and resized take nothing else with them', async () => {
    const { connect } = await hostInItsOwnProcess()
    const client = await connect()
    const steady = await run(client, ['bash', '-c', 'echo steady; while read -r word; do echo "heard $word"; done'])
    await steady.viewer.shows('steady')
    for (let round = 0; round < roundsOfRun(40, 1000); round++) {
      const { terminal, viewer } = await run(client, ['bash', '-c', round % 2 ? 'exit 3' : 'read -r; kill -9 $$'])
      for (let i = 0; i < 12; i++) {
        viewer.type('key\r')
        viewer.channel.send(encodeUpFrame({ kind: 'size', columns: 80 + i, rows: 24 }))
        if (i % 4 === 0) await new Promise((resolve) => setTimeout(resolve, 2))
      }
      if (round % 3 === 0) await client.end({ terminalId: terminal.terminalId })
      else await vi.waitFor(() => expect(viewer.frames.at(-1)?.kind).toBe('exit'), wait)
      viewer.type('late')
      viewer.channel.dispose()
    }
    steady.viewer.type('still\r')
    await steady.viewer.shows('heard still')
  })

  it('[JB14] Tasks shows what runs in terminals with its use, and ends only that', async () => {
    const { client } = await setUp()
    const { terminal, viewer } = await run(client, ['bash', '-c', 'sh -c "while :; do :; done" & echo busy $!; wait; echo over; sleep 60'])
    await viewer.shows(/busy \d+/)
    const busy = Number((/busy (\d+)/.exec(viewer.text) as RegExpExecArray)[1])
    const { load, processes } = await client.listProcesses({ device: 'this' })
    expect(load.cores).toBeGreaterThan(0)
    expect(load.memoryBytes).toBeLessThan(load.memoryTotalBytes)
    const row = processes.find(({ pid }) => pid === busy)
    expect(row).toMatchObject({ device: 'this', terminalId: terminal.terminalId, parentPid: terminal.pid })
    expect(row?.cpu).toBeGreaterThan(0.02)
    expect(row?.memoryBytes).toBeGreaterThan(100_000)
    expect(processes.some(({ pid }) => pid === process.pid || pid === 1)).toBe(false)
    await expect(client.endProcess({ device: 'this', pid: process.ppid, force: true })).rejects.toMatchObject({ code: 'task/unknown' })
    await client.endProcess({ device: 'this', pid: busy, force: false })
    await viewer.shows('over')
  })

  it('[JB3] the socket is for this account alone', async () => {
    const { socketPath, folder } = await setUp()
    expect(statSync(socketPath).mode & 0o777).toBe(0o600)
    expect(statSync(path.join(folder, 'shell/bash')).mode & 0o777).toBe(0o700)
  })

  it('[JB3] 10,000 lines are attached whole', async () => {
    const { client } = await setUp()
    const { terminal, viewer } = await run(client, [
      'bash',
      '-c',
      'for i in {1..11000}; do echo "line $i of many, with some text to make it as long as lines are"; done; echo end of lines; sleep 60',
    ])
    await viewer.shows('end of lines')
    const again = await attach(client, terminal.terminalId)
    await again.shows('end of lines')
    expect(again.text.match(/line \d+ of many/g)?.length).toBe(10_022)
    const screen = new XtermScreen(80, 24)
    await new Promise<void>((resolve) => screen.write(utf8(again.text), resolve))
    const copy = await new Promise<string>((resolve) => screen.snapshot(10_000, ({ bytes }) => resolve(fromUtf8(bytes))))
    expect(copy).toContain('line 11000 of many')
  })

  it('[JB5] 100 MB through a viewer that hardly reads: memory stays bounded, the program runs on, the end is shown', async () => {
    const { connect, heldBytes } = await hostInItsOwnProcess()
    const client = await connect()
    const script = 'head -c 100000000 /dev/zero | tr "\\0" "x" | fold -w 78; echo the end; sleep 60'
    const { terminal, viewer } = await run(client, ['bash', '-c', script])
    const slow = await attach(await connect(), terminal.terminalId)
    const before = await heldBytes()
    let most = 0
    const ended = new AbortController()
    const watching = (async () => {
      while (!ended.signal.aborted) {
        most = Math.max(most, await heldBytes())
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
    })()
    slow.channel.setPaused(true)
    const reading = setInterval(() => {
      slow.channel.setPaused(false)
      setTimeout(() => slow.channel.setPaused(true), 1)
      viewer.frames.splice(0, Math.max(0, viewer.frames.length - 50)) // a display would have drawn them
      slow.frames.splice(0, Math.max(0, slow.frames.length - 400))
    }, 100)
    cleanUps.push(() => clearInterval(reading))
    await viewer.endsWith('the end')
    await slow.endsWith('the end')
    ended.abort()
    await watching
    // On a busy machine the eager one is behind for a moment, too, and gets a fresh screen then.
    expect(viewer.bytes).toBeGreaterThan(slow.bytes)
    expect(slow.bytes).toBeLessThan(60_000_000)
    expect(most - before).toBeGreaterThan(0)
    expect(most - before).toBeLessThan(60_000_000)
  })
})

describe.each([
  ['bash', '.bashrc', "alias mine='echo from my own file'; PS1='$ '"],
  ['zsh', '.zshrc', "alias mine='echo from my own file'; PS1='$ '"],
  ['fish', '.config/fish/config.fish', "function mine; echo from my own file; end; function fish_prompt; echo '$ '; end"],
])('shell integration of %s', (shell, file, content) => {
  const program = spawnSync('which', [shell], { encoding: 'utf8' }).stdout.trim()
  it.skipIf(program === '')('[JB10] reads the own start file, tells folder and prompts, and changes no file', async () => {
    const { client, home, folder } = await setUp({ SHELL: program })
    const own = path.join(home, file)
    mkdirSync(path.dirname(own), { recursive: true })
    writeFileSync(own, content)
    chmodSync(own, 0o444)
    const { terminalId } = await client.spawn({ columns: 80, rows: 24 })
    const viewer = await attach(client, terminalId)
    viewer.type('\r') // the first prompt may have come before the viewer, and a screen holds no marks
    await viewer.shows('133;A')
    mkdirSync(path.join(home, 'dä %'))
    viewer.type('mine\r')
    await viewer.shows(/133;C[^]*from my own file\s[^]*133;D;0/u)
    viewer.type("cd 'dä %'\r")
    await vi.waitFor(async () => expect((await client.list({}))[0]?.cwd).toBe(path.join(home, 'dä %')), wait)
    viewer.type('false\r')
    await viewer.shows(/133;D;1/)
    expect(readFileSync(own, 'utf8')).toBe(content)
    if (shell === 'bash' || shell === 'zsh') {
      viewer.type('elsewhere jobs\r')
      await viewer.shows(`echo asked: ${folder}, jobs`)
      viewer.type('elsewhere on\r')
      await viewer.shows(`asked: ${folder}, on ${shell}`)
      const hook = path.join(folder, 'hook')
      writeFileSync(hook, shellHook(shell, { folder: path.join(folder, 'shells'), data: folder, cli: ['true'] }))
      viewer.type(`. ${hook}\r`)
      viewer.type('(exit 5)\r')
      await viewer.shows(/133;D;5/) // hooked, it still says where commands end
    }
    if (shell === 'zsh') {
      viewer.type('echo "dotdir=[$ZDOTDIR]"\r')
      await viewer.shows(/dotdir=\[\]/)
    }
  })
})
