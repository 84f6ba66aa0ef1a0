import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { E2eDevice } from '../../e2e/harness/e2e-device.ts'
import { controlContract } from '../../src/device/control-contract.ts'
import { displayContract } from '../../src/device/display-contract.ts'
import { dataFolderAt } from '../../src/main/daemon/data-folder.ts'
import { findProgram } from '../../scripts/project.ts'
import { LydellPtySpawner } from '../../src/platform/node/pty-lydell.ts'
import { shellHook } from '../../src/platform/node/shell-files.ts'
import { connectUnixSocket } from '../../src/platform/node/unix-socket-transport.ts'
import { createClient } from '../../src/rpc/client.ts'
import { median, notMeasured, quantile, type Row } from '../report.ts'

const ENTERS = 200
/** Calls at once that keep the device's loop full. */
const FLOOD = 6
const row = {
  id: 'jobs-hook',
  what: 'Enter > exec added by the shell hook: p99 with the hook, less p99 without; worst of bash and zsh, device idle, busy, stopped, killed',
  unit: 'ms',
  must: 'p99 <= 20 ms',
  goal: '5',
} as const

/** A shell in a terminal; `t` says when it was run. */
class TimedShell {
  readonly #pty
  #text = ''
  #heard: () => void = () => {}

  constructor(name: 'bash' | 'zsh', home: string) {
    const args = name === 'bash' ? ['--norc', '--noprofile', '-i'] : ['-f', '-i']
    const env = { PATH: process.env.PATH ?? '', HOME: home, LANG: 'C.UTF-8', TERM: 'xterm' }
    this.#pty = new LydellPtySpawner().spawn({ file: name, args, cwd: home, env, columns: 100, rows: 40 })
    this.#pty.onDidOutput((bytes) => {
      this.#text = (this.#text + Buffer.from(bytes).toString('latin1')).slice(-20_000)
      this.#heard()
    })
  }

  async #until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#text)
      if (found) return found
      await new Promise<void>((resolve) => (this.#heard = resolve))
    }
  }

  async prepare(name: 'bash' | 'zsh', hook: string | undefined): Promise<void> {
    const lines = [
      `PS1='>'"> "`,
      name === 'bash' ? 't() { echo "at"" $EPOCHREALTIME "; }' : 'zmodload zsh/datetime; t() { echo "at"" $EPOCHREALTIME "; }',
      ...(hook ? [`. ${hook}`] : []),
    ]
    for (const line of lines) await this.type(`${line}\r`)
    await this.enter()
  }

  async type(text: string): Promise<void> {
    this.#pty.write(Buffer.from(text))
    await delay(200)
  }

  /** Ms from Enter until the line was run. */
  async enter(): Promise<number> {
    this.#text = ''
    this.#pty.write(Buffer.from('t'))
    await this.#until(/t/)
    await delay(3)
    this.#text = ''
    const startMs = performance.timeOrigin + performance.now()
    this.#pty.write(Buffer.from('\r'))
    const [, seconds] = await this.#until(/at (\d+[.,]\d+) [\s\S]*>> /)
    return Number(seconds?.replace(',', '.')) * 1_000 - startMs
  }

  async end(): Promise<void> {
    await this.#pty.end(0)
    this.#pty.dispose()
  }
}

export async function hookRow(): Promise<Row> {
  const shells = (['bash', 'zsh'] as const).filter((name) => findProgram(name))
  if (process.platform === 'win32' || shells.length === 0) return notMeasured(row, 'there is neither bash nor zsh')
  const folder = await mkdtemp(path.join(os.tmpdir(), 'ew-hook-bench-'))
  const peers: Record<string, number> = {}
  let worst = 0
  try {
    for (const name of shells) {
      const device = await E2eDevice.start({ name: `hook-${name}` })
      const open: TimedShell[] = []
      try {
        await device.create('Ada')
        const data = dataFolderAt(device.folder)
        const client = createClient({ ...displayContract, ...controlContract }, await connectUnixSocket(data.deviceSocket))
        await client.serveShells({})
        const hook = path.join(folder, `hook.${name}`)
        await writeFile(hook, shellHook(name, { folder: data.shells, data: data.path, cli: ['true'] }))
        const pair = { plain: new TimedShell(name, folder), hooked: new TimedShell(name, folder) }
        open.push(pair.plain, pair.hooked)
        await pair.plain.prepare(name, undefined)
        await pair.hooked.prepare(name, hook)
        await delay(2_500)
        const measure = async (condition: string) => {
          const [plain, hooked]: [number[], number[]] = [[], []]
          for (let n = 0; n < ENTERS; n++) {
            plain.push(await pair.plain.enter())
            hooked.push(await pair.hooked.enter())
          }
          const added = quantile(hooked, 0.99) - quantile(plain, 0.99)
          worst = Math.max(worst, added)
          peers[`${name}, ${condition}: added p99`] = added
          peers[`${name}, ${condition}: added p50`] = median(hooked) - median(plain)
          peers[`${name}, ${condition}: p99 without`] = quantile(plain, 0.99)
        }
        await measure('idle')
        const flooding = new AbortController()
        const line = 'make && '.repeat(7_000)
        const flood = Array.from({ length: FLOOD }, async () => {
          while (!flooding.signal.aborted) await client.explainPlacement({ commandLine: line, folder }).catch(() => delay(10))
        })
        await measure('busy')
        flooding.abort()
        await Promise.all(flood)
        client.dispose()
        const { device: pid, supervisor } = await device.processes()
        // The supervisor would start it again.
        process.kill(supervisor as number, 'SIGSTOP')
        process.kill(pid as number, 'SIGSTOP')
        await measure('stopped')
        process.kill(pid as number, 'SIGKILL')
        await measure('killed')
        process.kill(supervisor as number, 'SIGCONT')
      } finally {
        for (const shell of open) await shell.end()
        await device.dispose()
      }
    }
    return { ...row, value: worst, met: worst <= 20, peers, n: ENTERS }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
