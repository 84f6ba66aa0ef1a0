import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Disposable } from '../../src/base/disposable.ts'
import type { LabMachine } from '../../src/testkit/netlab.ts'

/* A slow cable instead of the lab's: the same addresses, other packets. */

const PROGRAM = path.resolve(import.meta.dirname, 'delay-path.c')
const NAME = 'slow0'

export function whyNoDelayedCable(): string | undefined {
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun'
  const has = (process.env.PATH ?? '').split(':').some((folder) => existsSync(path.join(folder, 'gcc')))
  return has ? undefined : 'the slow cable is a C program, and gcc is not installed'
}

const ip = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] })

export class DelayedCable implements Disposable {
  readonly #folder = mkdtempSync(path.join(os.tmpdir(), 'ew-cable-'))
  readonly #ends: readonly [LabMachine, LabMachine]
  #child: ChildProcess | undefined

  constructor(a: LabMachine, b: LabMachine) {
    this.#ends = [a, b]
    execFileSync('gcc', ['-O2', '-pthread', '-o', path.join(this.#folder, 'path'), PROGRAM], { stdio: 'inherit' })
  }

  /** Pulls the cable there was and puts this one in. */
  async use({ oneWayMs, lossPercent = 0 }: { oneWayMs: number; lossPercent?: number }): Promise<void> {
    await this.#end()
    const [a, b] = this.#ends
    const args = [a.namespace, b.namespace, NAME, String(oneWayMs), String(lossPercent)]
    const child = spawn(path.join(this.#folder, 'path'), args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#child = child
    if (!child.stdout) throw new Error('the slow cable has no output')
    await once(child.stdout, 'data')
    for (const { namespace, address } of this.#ends) {
      const all = execFileSync('ip', ['-n', namespace, 'addr', 'show', 'eth0'], { encoding: 'utf8' })
      if (all.includes(address)) ip('-n', namespace, 'addr', 'del', `${address}/24`, 'dev', 'eth0')
      ip('-n', namespace, 'link', 'set', NAME, 'mtu', '1500', 'txqueuelen', '20000', 'up')
      ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', NAME)
    }
  }

  dispose(): void {
    this.#child?.kill('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #end(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
}
