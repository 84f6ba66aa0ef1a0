import { spawn, spawnSync } from 'node:child_process'
import dgram from 'node:dgram'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { projectRoot } from './project-root.ts'
import { buildIfStale, CLI, processesNaming, RunningDevice, runCommand } from './running-device.suite.ts'
import { TestDisplay } from '../../testkit/test-display.ts'

const PASSPHRASE = 'correct horse battery'
const until = { timeout: 30_000, interval: 50 }

beforeAll(buildIfStale, 120_000)
let device: RunningDevice
beforeEach(() => {
  device = new RunningDevice()
})
afterEach(() => device.dispose())

const pidOf = async (name: string) => (await device.status()).processes.find((process) => process.name === name)?.pid as number

async function createVault(): Promise<string> {
  const control = await device.connect()
  const { deviceId } = await control.createDevice({ personName: 'Ada', deviceName: 'desk', passphrase: PASSPHRASE, unattended: true })
  control.dispose()
  return deviceId
}

describe('a device as processes', () => {
  it('[DV33] Ctrl-C ends everything: no process is left, and what was kept is there at the next start', async () => {
    await device.start()
    const id = await createVault()
    const control = await device.connect()
    const { pid } = await control.openTerminal({
      device: id,
      columns: 80,
      rows: 24,
      command: ['bash', '-c', 'trap "" HUP TERM; while true; do sleep 1; done'],
    })
    control.dispose()
    expect(device.processes.map(({ command }) => command).join('\n')).toMatch(/host-main[^]*files-main[^]*device-main/)
    expect(device.processes.length).toBe(5)
    expect(existsSync(`/proc/${pid}`)).toBe(true)
    expect(await device.end('SIGINT')).toBe(0)
    expect(device.processes).toEqual([])
    expect(existsSync(`/proc/${pid}`)).toBe(false)
    await device.start()
    const again = await device.connect()
    expect(await again.status({})).toMatchObject({ phase: 'open', deviceId: id })
    again.dispose()
  })

  it('[DV33] Ctrl-C while it starts, at any moment: no process is left', async () => {
    for (const afterMs of [150, 400, 700, 1000]) {
      const ended = device.start().catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, afterMs))
      await device.end('SIGINT')
      await ended
      expect(device.processes).toEqual([])
    }
    await device.start()
    await device.end('SIGINT') // at once after the line that says Ctrl-C ends it
    expect(device.processes).toEqual([])
  })

  it('[DV32] kill -9 of the device: terminals keep their process and count on, the display finds its desk again', async () => {
    await device.start()
    const id = await createVault()
    const first = await device.connect()
    const counter = ['bash', '-c', 'n=0; while true; do n=$((n+1)); echo "count $n."; sleep 0.05; done']
    const { terminalId, pid } = await first.openTerminal({ device: id, columns: 80, rows: 24, command: counter })
    const before = await pidOf('device')
    process.kill(before, 'SIGKILL')
    await vi.waitFor(async () => {
      expect(await pidOf('device')).not.toBe(before)
      const control = await device.connect()
      expect((await control.status({}).finally(() => control.dispose())).phase).toBe('open')
    }, until)
    const control = await device.connect()
    const { channel, info } = await control.attachTerminal({ device: id, terminalId, columns: 80, rows: 24 })
    expect(info.pid).toBe(pid)
    let shown = ''
    control.channel(channel).onDidReceive((message) => (shown += Buffer.from(message.subarray(1)).toString()))
    await vi.waitFor(() => expect(shown).toMatch(/count \d+/), until)
    const numbers = () => [...shown.matchAll(/count (\d+)\./g)].map(([, n]) => Number(n))
    await vi.waitFor(() => expect(numbers().length).toBeGreaterThan(5), until)
    expect(numbers()).toEqual(numbers().map((_, i) => (numbers()[0] as number) + i))
    expect((await device.status()).processes.find(({ name }) => name === 'device')?.restarts).toBe(1)
    control.dispose()
  })

  it('[DV32] the cookie outlives the device process, so that a display comes back by itself', async () => {
    await device.start()
    const display = await TestDisplay.enter(device.oneTimeUrl)
    ;(await display.connect()).dispose()
    process.kill(await pidOf('device'), 'SIGKILL')
    await vi.waitFor(async () => expect((await (await display.connect()).hello({ displayName: 'd' })).phase).toBe('first-run'), until)
  })

  it('[DV33] kill -9 of the supervisor leaves no process behind', async () => {
    await device.start()
    await createVault()
    process.kill((await device.status()).pid, 'SIGKILL')
    await vi.waitFor(() => expect(device.processes).toEqual([]), until)
  })

  it('[DV31] a one-time URL is in no log and on no command line', async () => {
    await device.start()
    const token = new URL(device.oneTimeUrl).searchParams.get('t') as string
    expect(token).toHaveLength(43)
    expect(processesNaming(token)).toEqual([])
    await TestDisplay.enter(device.oneTimeUrl)
    await device.end()
    for (const log of ['elsewhere.log', 'start.log']) expect(readFileSync(path.join(device.data.logs, log), 'utf8')).not.toContain(token)
  })

  it('[DV6] everything in the data folder is for this account alone', async () => {
    await device.start()
    await createVault()
    expect(statSync(device.folder).mode & 0o777).toBe(0o700)
    for (const name of ['vault.json', 'store.sqlite', 'settings.json', 'device.sock', 'host.sock', 'files.sock', 'supervisor.sock']) {
      expect({ name, mode: statSync(path.join(device.folder, name)).mode & 0o077 }).toEqual({ name, mode: 0 })
    }
  })

  it('[DV33] a second start opens another display of the running device and returns', async () => {
    await device.start()
    const { status, stdout } = runCommand(['start', '--data', device.folder, '--host', 'none'])
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('runs already') })
    const second = /http:\S+\/enter\?t=\S+/.exec(stdout)?.[0] as string
    expect(second).not.toBe(device.oneTimeUrl)
    await TestDisplay.enter(second)
    expect((await device.status()).processes.every(({ restarts }) => restarts === 0)).toBe(true)
  })
})

describe('what keeps a device from starting', () => {
  const startFails = (args: readonly string[] = [], folder = device.folder) => {
    const { status, stderr } = runCommand(['start', '--host', 'none', '--data', folder, ...args], { env: device.environment })
    return { status, stderr }
  }

  it('[DV34] a busy port', async () => {
    const busy = net.createServer()
    await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve))
    const { port } = busy.address() as { port: number }
    expect(startFails(['--port', String(port)])).toEqual({
      status: 1,
      stderr: expect.stringMatching(new RegExp(`Port ${port} .*--port.*\\[start/port-busy\\]`)),
    })
    busy.close()
    expect(device.processes).toEqual([])
  })

  /** Waits for the port: on a busy machine another program's connection may hold that very number for a moment. */
  const listenAt = async (port: number): Promise<net.Server> => {
    for (let tries = 0; ; tries++) {
      const server = net.createServer()
      const failed = await new Promise<Error | undefined>((resolve) => {
        server.once('error', resolve)
        server.listen(port, '127.0.0.1', () => resolve(undefined))
      })
      if (!failed) return server
      if (tries === 100) throw failed
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }

  it('[DV34] last time’s port taken by another: it takes one that is free', async () => {
    await device.start()
    await device.end()
    const { port } = JSON.parse(readFileSync(device.data.settings, 'utf8'))
    const busy = await listenAt(port)
    await device.start()
    expect(JSON.parse(readFileSync(device.data.settings, 'utf8')).port).not.toBe(port)
    busy.close()
  })

  it.runIf(existsSync('/proc'))('[DV34] a folder that cannot be written', () => {
    // also root can write nothing below /proc, and nobody can make a folder inside a file
    expect(startFails([], '/proc/elsewhere')).toEqual({
      status: 1,
      stderr: expect.stringMatching(/can't be written.*--data.*\[start\/data-read-only\]/),
    })
    const file = path.join(device.folder, 'a-file')
    writeFileSync(file, '')
    expect(startFails([], path.join(file, 'data')).stderr).toContain('[start/data-read-only]')
  })

  it.runIf(existsSync('/dev/full'))('[DV34] a full disk', () => {
    const mount = mkdtempSync(path.join(os.tmpdir(), 'full-'))
    const mounted = runShell(
      `mount -t tmpfs -o size=64k,mode=700 tmpfs ${mount} && head -c 200000 /dev/zero > ${mount}/fill; test -s ${mount}/fill`,
    )
    try {
      if (mounted) expect(startFails([], mount).stderr).toContain('[start/disk-full]')
    } finally {
      runShell(`umount ${mount}`)
      rmSync(mount, { recursive: true, force: true })
    }
  })

  it('[DV34] a damaged vault, and a folder path too long for sockets', () => {
    writeFileSync(device.data.vault, '{"format":"elsewhere-vault","version":1}')
    expect(startFails()).toEqual({ status: 1, stderr: expect.stringContaining('[vault/damaged]') })
    const long = path.join(device.folder, 'x'.repeat(100))
    mkdirSync(long)
    expect(startFails([], long).stderr).toContain('[start/data-path-too-long]')
    expect(device.processes).toEqual([])
  })

  it('[DV34] a damaged store is set aside and said so; the device works', async () => {
    await device.start()
    await createVault()
    await device.end()
    chmodSync(device.data.store, 0o600)
    writeFileSync(device.data.store, 'not a database at all'.repeat(500))
    await device.start()
    const display = await (await TestDisplay.enter(device.oneTimeUrl)).connect()
    const door = await display.hello({ displayName: 'd' })
    expect(door.notices).toEqual([expect.objectContaining({ code: 'store/damaged', message: expect.stringContaining('set aside') })])
    expect((await display.unlock({ passphrase: PASSPHRASE, how: 'move' })).phase).toBe('unlocked')
  })

  const oldNode = (process.env.PATH ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, 'node'))
    .find((file) => Number(/^v(\d+)/.exec(spawnSync(file, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1] ?? 24) < 24)
  it.skipIf(oldNode === undefined)(`[DV34] an old Node${oldNode ? '' : ' (none is here)'}`, () => {
    const cli = path.join(projectRoot(), 'dist', 'cli', 'cli.mjs')
    const { status, stderr } = spawnSync(String(oldNode), [cli, 'start', '--data', device.folder], { encoding: 'utf8', timeout: 60_000 })
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('[start/wrong-node]') })
  })

  it('[DV34] a wrong command, option or value is said in one line, with exit code 2', () => {
    expect(runCommand(['nonsense'])).toMatchObject({ status: 2, stderr: expect.stringContaining('--help') })
    expect(runCommand(['start', '--bogus']).status).toBe(2)
    expect(runCommand(['start', '--port', 'many']).status).toBe(2)
    expect(runCommand(['start', '--host', 'window']).status).toBe(2)
    expect(runCommand(['status', '--data', device.folder])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('[start/not-running]'),
    })
    for (const command of ['start', 'status', 'stop', 'create', 'unlock', 'lock', 'devices', 'pair', 'rendezvous', 'debug']) {
      expect(runCommand([command, '--help'])).toMatchObject({ status: 0, stdout: expect.stringContaining('--') })
    }
  })
})

describe('two devices', () => {
  it('[DV20] pair by the command line, and link', async () => {
    const other = new RunningDevice()
    try {
      await device.start()
      await other.start()
      const password = { input: `${PASSPHRASE}\n` }
      for (const [at, name] of [
        [device, 'laptop'],
        [other, 'server'],
      ] as const) {
        expect(runCommand(['create', '--person', 'Ada', '--device', name, '--unattended', '--data', at.folder], password).status).toBe(0)
      }
      const [a, b] = [await device.connect(), await other.connect()]
      const { code } = await a.offerPairing({})
      const { rendezvousPort } = await a.readSettings({})
      await b.joinPairing({ code: code as string, rendezvousUrl: `ws://127.0.0.1:${rendezvousPort}` })
      await vi.waitFor(async () => {
        expect([(await a.readPairing({})).step, (await b.readPairing({})).step]).toEqual(['confirm', 'confirm'])
      }, until)
      await a.confirmPairing({ accept: true })
      await b.confirmPairing({ accept: true })
      await vi.waitFor(async () => {
        const rows = await a.listDevices({})
        expect(rows.map(({ state }) => state).sort()).toEqual(['linked', 'self'])
        expect(rows.find(({ self }) => !self)?.lanes?.session?.receivedBytes).toBeGreaterThan(0)
      }, until)
      expect(runCommand(['pair', 'join', 'nonsense', '--data', other.folder])).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(/^elsewhere: .*\[pairing\/bad-code\]\n$/),
      })
      expect(runCommand(['devices', '--data', other.folder]).stdout).toMatch(/laptop .* linked/)
      expect(runCommand(['debug', '--data', other.folder]).stdout).toMatch(/peer +laptop .*linked/)
      const words = (before: string, next: string) => ({ input: `${before}\n${next}\n` })
      expect(runCommand(['passphrase', '--data', other.folder], words('not this one', 'four random words'))).toMatchObject({
        status: 1,
        stderr: expect.stringContaining('[vault/wrong-passphrase]'),
      })
      await vi.waitFor(() => {
        expect(runCommand(['passphrase', '--data', other.folder], words(PASSPHRASE, 'four random words')).status).toBe(0)
      }, until)
    } finally {
      await other.dispose()
    }
  })

  it('[DV20] meet at a rendezvous that runs alone, by its own command, and ask the STUN server of their settings', async () => {
    const other = new RunningDevice()
    const stun = dgram.createSocket('udp4')
    let asked = 0
    stun.on('message', (request, { address, port }) => {
      if (request.length < 20 || request.readUInt16BE(0) !== 1) return // a binding request, RFC 8489
      asked++
      const reply = Buffer.alloc(32)
      reply.writeUInt16BE(0x0101, 0)
      reply.writeUInt16BE(12, 2)
      request.copy(reply, 4, 4, 20)
      reply.writeUInt16BE(0x0020, 20)
      reply.writeUInt16BE(8, 22)
      reply.writeUInt16BE(1, 24)
      reply.writeUInt16BE(port ^ 0x2112, 26)
      address.split('.').forEach((part, n) => reply.writeUInt8(Number(part) ^ (request[4 + n] as number), 28 + n))
      stun.send(reply, port, address)
    })
    const alone = spawn(process.execPath, [CLI, 'rendezvous', '--port', '0', '--listen', '127.0.0.1'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      await new Promise<void>((resolve) => stun.bind(0, '127.0.0.1', resolve))
      const said = await new Promise<string>((resolve, reject) => {
        let text = ''
        alone.on('exit', (code) => reject(new Error(`the rendezvous ended with ${code}: ${text}`)))
        alone.stdout.on('data', (piece) => /ws:\S+\n/.test((text += piece)) && resolve(text))
      })
      const url = /ws:\S+/.exec(said)?.[0] as string
      await device.start()
      await other.start()
      const [a, b] = [await device.connect(), await other.connect()]
      for (const [client, deviceName] of [
        [a, 'laptop'],
        [b, 'server'],
      ] as const) {
        await client.createDevice({ personName: 'Ada', deviceName, passphrase: PASSPHRASE, unattended: false })
        // Nothing else by which they could meet.
        const iceServers = [`stun:127.0.0.1:${stun.address().port}`]
        await client.writeSettings({ mdns: false, rendezvousPort: 0, rendezvousUrls: [url], iceServers })
      }
      const { code } = await a.offerPairing({})
      await b.joinPairing({ code: code as string })
      await vi.waitFor(async () => {
        expect([(await a.readPairing({})).step, (await b.readPairing({})).step]).toEqual(['confirm', 'confirm'])
      }, until)
      await a.confirmPairing({ accept: true })
      await b.confirmPairing({ accept: true })
      await vi.waitFor(async () => {
        expect((await a.listDevices({})).map(({ state }) => state).sort()).toEqual(['linked', 'self'])
      }, until)
      expect(asked).toBeGreaterThan(0)
    } finally {
      alone.removeAllListeners('exit')
      alone.kill('SIGTERM')
      stun.close()
      await other.dispose()
    }
  })
})

const runShell = (command: string): boolean => spawnSync('sh', ['-c', command]).status === 0
