import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../../e2e/harness/e2e-pair.ts'
import type { LabMachine } from '../../src/testkit/netlab.ts'
import { BenchLab } from '../follow/bench-lab.ts'
import { endProcess } from '../peers/xvfb.ts'
import { bulkSpeed } from './between-devices.ts'

/* Two devices joined by a veth, programs on their machines, and what crosses the cable between them. */

const RUN_LIMIT_MS = 900_000
/** So little a second is what two linked devices, or none, say to each other when nothing happens. */
const QUIET_BYTES = 8 * 1024
const QUIET_SECONDS = 3
const DIRECT_PATIENCE_MS = 120_000

/** Devices `a` and `b` of one person, each with its mount, and no display anywhere. @param cacheBytes what B keeps; default: as it comes */
export const mountedPair = (cacheBytes?: number): Promise<BenchLab> =>
  BenchLab.create({
    proxied: false,
    withoutDisplay: true,
    env: (name, folder) => ({
      ELSEWHERE_MOUNT: path.join(folder, 'mnt'),
      ...(name === 'b' && cacheBytes !== undefined && { ELSEWHERE_CACHE_BYTES: String(cacheBytes) }),
    }),
  })

/** Written out, and nothing of any file or folder is in memory any more. */
export function dropCaches(): void {
  execFileSync('sync')
  writeFileSync('/proc/sys/vm/drop_caches', '3')
}

/** Runs a program on a machine to its end. @returns seconds it took @throws Error  it failed, with what it said */
export async function secondsOf(machine: LabMachine, words: readonly string[]): Promise<number> {
  const [program = '', ...args] = words
  const begunMs = performance.now()
  const child = machine.spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: '/' })
  let said = ''
  child.stderr?.on('data', (piece: Buffer) => (said = (said + String(piece)).slice(-600)))
  const timer = setTimeout(() => void endProcess(child), RUN_LIMIT_MS)
  const [code] = await once(child, 'close')
  clearTimeout(timer)
  if (code !== 0) throw new Error(`${words.join(' ').slice(0, 120)} ended with ${String(code)}: ${said}`)
  return (performance.now() - begunMs) / 1000
}

/** Bytes a machine has put on its cable since it is there, with all headers. */
export function sentBytes(machine: LabMachine): number {
  const counter = '/sys/class/net/eth0/statistics/tx_bytes'
  return Number(execFileSync('ip', ['netns', 'exec', machine.namespace, 'cat', counter], { encoding: 'utf8' }))
}

/** Resolves once neither machine has said much for some seconds. @throws Error  they do not stop */
export async function untilQuiet(machines: readonly LabMachine[], patienceMs = 300_000): Promise<void> {
  const all = () => machines.reduce((sum, machine) => sum + sentBytes(machine), 0)
  const giveUpMs = performance.now() + patienceMs
  let [before, quiet] = [all(), 0]
  while (quiet < QUIET_SECONDS) {
    if (performance.now() > giveUpMs) throw new Error(`the cable was not quiet in ${patienceMs / 1000} s`)
    await delay(1000)
    const now = all()
    quiet = now - before > QUIET_BYTES ? 0 : quiet + 1
    before = now
  }
}

/** Something was read, and that made direct connections. */
export async function isDirect(lab: BenchLab, a: string, b: string, name: string): Promise<void> {
  let tries = 0
  const isSo = async () => {
    await bulkSpeed(a, b, `${name}-${tries++}`, 2 ** 20).catch(() => 0)
    return ((await lab.link('b', 'a')).directFiles ?? 0) > 0
  }
  await eventually('files cross direct connections', isSo, DIRECT_PATIENCE_MS)
}
