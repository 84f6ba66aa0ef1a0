import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { E2eDevice } from './harness/e2e-device.ts'
import { eventually } from './harness/e2e-pair.ts'

const ROOT = path.resolve(import.meta.dirname, '..')

/** Everything that runs and names `folder` on its command line or in its environment: what this device left behind. */
function processesOf(folder: string): readonly string[] {
  const read = (file: string) => {
    try {
      return readFileSync(file, 'utf8')
    } catch {
      return '' // it has ended meanwhile, or belongs to somebody else
    }
  }
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .filter((pid) => [read(`/proc/${pid}/cmdline`), read(`/proc/${pid}/environ`)].some((text) => text.includes(folder)))
    .map((pid) => `${pid} ${read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`)
}

/** A command with a terminal of its own, as a person types it; `script` gives it one. */
function inTerminal(command: string, env: NodeJS.ProcessEnv) {
  const child: ChildProcess = spawn('script', ['-qfec', command, '/dev/null'], { cwd: ROOT, env, stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  child.stdout?.on('data', (chunk) => (output += chunk))
  child.stderr?.on('data', (chunk) => (output += chunk))
  const ended = new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)))
  return {
    ended,
    type: (keys: string) => child.stdin?.write(keys),
    shows: (pattern: RegExp, patienceMs = 60_000) =>
      eventually(`the terminal shows ${pattern}`, async () => pattern.exec(output), patienceMs),
    end: () => child.kill('SIGKILL'),
  }
}

const CTRL_C = '\u0003'
const hasScript = existsSync('/usr/bin/script')

describe.skipIf(process.platform !== 'linux' || !hasScript)(
  `ending everything${hasScript ? '' : ' (script, of bsdutils, is not here)'}`,
  () => {
    let folder = ''
    let terminal: ReturnType<typeof inTerminal> | undefined
    beforeEach(async () => {
      folder = await mkdtemp(path.join(os.tmpdir(), 'ew-end-'))
    })
    afterEach(async () => {
      terminal?.end()
      for (const line of processesOf(folder)) process.kill(Number.parseInt(line, 10), 'SIGKILL')
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
    })

    const start = () =>
      inTerminal(`npm start --silent -- --host none --no-download --data ${folder}`, { ...process.env, HOME: folder, CI: '1' })

    it('npm start in a terminal, then Ctrl-C: no process of it is left', async () => {
      terminal = start()
      await terminal.shows(/Ctrl-C ends it/)
      expect(
        processesOf(folder).filter((line) => /supervisor\.mjs|host-main|files-main|device-main/.test(line)).length,
      ).toBeGreaterThanOrEqual(4)
      terminal.type(CTRL_C)
      await terminal.shows(/Ending/)
      expect([0, 130]).toContain(await terminal.ended) // npm says 130 of a child that it saw being interrupted
      expect(processesOf(folder)).toEqual([])
      expect(readdirSync(folder).filter((name) => name.endsWith('.sock'))).toEqual([])
    })

    it('kill -9 of the supervisor: the others end by themselves, and the next start is as if nothing had been', async () => {
      const device = await E2eDevice.start({ name: 'laptop' })
      try {
        const deviceId = await device.create('Ada')
        const before = await device.processes()
        process.kill(Number(before.supervisor), 'SIGKILL')
        await eventually('nobody is left without a supervisor', async () => processesOf(device.folder).length === 0, 30_000)
        // What lies about is sockets that nobody answers; the next start takes their place.
        await device.run()
        expect((await device.status()).deviceId).toBe(deviceId)
        const after = await device.processes()
        for (const name of ['supervisor', 'host', 'files', 'device']) expect(after[name]).not.toBe(before[name])
        expect(await device.unlockDevice()).toBeDefined()
      } finally {
        await device.dispose()
      }
      expect(processesOf(device.folder)).toEqual([])
    })
  },
)
