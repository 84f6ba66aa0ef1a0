import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { MUCH_IN_BUFFERS } from '../../src/main/daemon/much-in-buffers.ts'
import { NODE_FLAGS } from '../../src/main/daemon/supervised-process.ts'
import { median, notMeasured, type Row } from '../report.ts'

/*
 * A new device of a person with many files: two processes with their own disks, joined by a socket. `--files N` says how many; 100,000 if
 * nothing does, and what must hold for a million is asked for all the same.
 */

const PROCESS = path.resolve(import.meta.dirname, 'checkpoint-process.ts')
const USUAL_FILES = 100_000
/** A folder that opens within this is usable. */
const USABLE_MS = 1_000

interface Started {
  readonly rootSeconds: number
  /** Each wait of a listing of the top folder while the rest came. */
  readonly longestMs: number
  readonly listings: number
  readonly pathSeconds: readonly number[]
  readonly wholeSeconds: number
  readonly cpuSeconds: number
  readonly idle: number
  readonly peak: number
  readonly peakBehind: number
  readonly lookupUs: number
  readonly nodes: number
  readonly missing: number
  readonly behindSeconds?: number
}

export async function measureNewDevice(args: readonly string[]): Promise<readonly Row[]> {
  const at = args.indexOf('--files')
  const files = at >= 0 ? Number(args[at + 1]) : USUAL_FILES
  const said = files.toLocaleString('en-US')
  const row = (id: string, what: string, unit: string, goal: string | undefined, must?: string) => ({
    id: `new-${id}`,
    what: `${said} files: ${what}`,
    unit,
    must,
    goal,
  })
  const rows = {
    usable: row('usable', 'longest that a listing of the top folder waits while the rest comes', 'ms', undefined, `<= ${USABLE_MS} ms`),
    root: row('root', 'top folder listed on a new device', 's', '3 s'),
    path: row('path', 'any path while the rest comes, p50', 's', '1 s'),
    whole: row('whole', 'the whole tree', 's', '60 s'),
    memory: row('memory', 'memory of the new device meanwhile, at most', 'MB', '300 MB'),
    lookup: row('lookup', 'look-up of a name afterwards', 'us', '50 us'),
  }
  const folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-new-device-'))
  const socket = path.join(folder, 'link')
  const keeper = run(['keep', path.join(folder, 'a'), socket, String(files)])
  try {
    const kept = JSON.parse(await firstLine(keeper)) as { firstMs: number; cpuSeconds: number; againMs: number; bytes: number }
    const starter = run(['start', path.join(folder, 'b'), socket, String(files)])
    const of = JSON.parse(await firstLine(starter)) as Started
    if (of.missing > 0) throw new Error(`${of.missing} names were not found`)
    const done = (base: (typeof rows)['root'], value: number, peers: Readonly<Record<string, number>> = {}, n = 1): Row => ({
      ...base,
      value,
      met: base.must === undefined ? undefined : value <= USABLE_MS,
      peers,
      n,
    })
    const making = {
      'making the checkpoint, s': kept.firstMs / 1000,
      'of that CPU s': kept.cpuSeconds,
      'after one change, s': kept.againMs / 1000,
      'MB of it': kept.bytes / 1e6,
    }
    const behind = { 'CPU s': of.cpuSeconds, ...(of.behindSeconds !== undefined && { 'with all segments behind, s': of.behindSeconds }) }
    return [
      done(rows.usable, of.longestMs, {}, of.listings),
      done(rows.root, of.rootSeconds, making),
      of.pathSeconds.length > 0
        ? done(rows.path, median(of.pathSeconds), { most: Math.max(...of.pathSeconds) }, of.pathSeconds.length)
        : notMeasured(rows.path, 'all was here before it was asked for'),
      done(rows.whole, of.wholeSeconds, behind),
      done(rows.memory, of.peak, { 'before it was linked': of.idle, 'with all segments behind': of.peakBehind }),
      done(rows.lookup, of.lookupUs, { nodes: of.nodes }),
    ]
  } finally {
    keeper.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
}

const run = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [...NODE_FLAGS, ...MUCH_IN_BUFFERS, PROCESS, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })

async function firstLine(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`a process of the bench ended with ${String(code)}`)))
  ended.catch(() => {}) // it ends when it is done, too
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string]
  return line
}
