import { accessSync, constants, readdirSync, readFileSync, statSync } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import path from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isContainerEngine } from '../../jobs/containers.ts'
import type { ContainerEngines } from './container-engines.ts'
import type { MachineCondition } from '../../jobs/machine-facts.ts'
import type { OwnerSigns } from '../../jobs/owner-watch.ts'
import { parseProcStat } from '../../jobs/proc-stat.ts'

/** One slice of the measurement of speed: too short to be felt by a terminal. */
const SLICE_STEPS = 200_000
/** Enough that the engine has compiled the loop long before the last one. */
const SLICES = 48
/** What a slice takes on the reference core (the machine the figures in CHANGELOG.md were taken on, quiet): this is speed 1. */
const REFERENCE_SLICE_MS = 0.27
/** A folder is looked through so far before the answer is "there is more". */
const MAX_ENTRIES = 20_000
const MAX_LOOK_MS = 400

/** The machine as Linux tells it; elsewhere what is not known is left out. */
export class SystemCondition implements MachineCondition {
  readonly platform = process.platform
  readonly architecture = process.arch
  readonly #environment: Readonly<Record<string, string | undefined>>
  #speed: Promise<number> | undefined

  readonly #engines: ContainerEngines | undefined

  constructor(environment: Readonly<Record<string, string | undefined>>, engines?: ContainerEngines) {
    this.#environment = environment
    this.#engines = engines
  }

  battery(): { discharging: boolean; percent: number } | undefined {
    const root = '/sys/class/power_supply'
    for (const name of listed(root)) {
      if (read(path.join(root, name, 'type')) !== 'Battery' || read(path.join(root, name, 'scope')) === 'Device') continue
      const percent = Number(read(path.join(root, name, 'capacity')))
      if (Number.isFinite(percent))
        return { discharging: read(path.join(root, name, 'status')) === 'Discharging', percent: Math.min(100, Math.max(0, percent)) }
    }
    return undefined
  }

  /** Typing at a terminal changes the time its device was last read. */
  lastInputMs(besides: readonly number[] = []): number | undefined {
    const without = new Set(besides.map((pid) => parseProcStat(read(`/proc/${pid}/stat`) ?? '')?.terminal))
    const nowMs = Date.now()
    const terminals = [
      ...listed('/dev').filter((name) => /^tty\d+$/.test(name)),
      ...listed('/dev/pts')
        .filter((name) => /^\d+$/.test(name))
        .map((name) => `pts/${name}`),
    ]
    const ages = terminals.flatMap((name) => {
      try {
        const { atimeMs, rdev } = statSync(path.join('/dev', name))
        return without.has(rdev) ? [] : [Math.max(0, nowMs - atimeMs)]
      } catch {
        return [] // closed since it was listed
      }
    })
    return ages.length === 0 ? undefined : Math.min(...ages)
  }

  /** What ELSEWHERE_OWNER_SIGNS names, by commas: `terminals` and `pressure`; all of it where it is not set. */
  get ownerSigns(): OwnerSigns {
    const named = this.#environment['ELSEWHERE_OWNER_SIGNS']?.split(',')
    const has = (sign: string) => named === undefined || named.includes(sign)
    return {
      lastInputMs: (besides) => (has('terminals') ? this.lastInputMs(besides) : undefined),
      pressure: () => (has('pressure') ? parsePressure(read('/proc/pressure/cpu') ?? '') : undefined),
    }
  }

  missing(tools: readonly string[]): readonly string[] {
    const folders = (this.#environment['PATH'] ?? '').split(path.delimiter).filter(Boolean)
    return tools.filter((tool) => {
      // Either engine does for the other; one that would run nothing counts as missing.
      if (this.#engines && isContainerEngine(tool)) return this.#engines.found(this.#environment).length === 0
      return !(tool.includes('/') ? isProgram(tool) : folders.some((folder) => isProgram(path.join(folder, tool))))
    })
  }

  noSandbox(): string | undefined {
    if (process.platform !== 'linux') return 'only on Linux'
    return this.missing(['bwrap']).length > 0 ? 'bubblewrap is not installed' : undefined
  }

  speed(): Promise<number> {
    this.#speed ??= measureSpeed()
    return this.#speed
  }

  async measureFolder(folder: string, signal?: AbortSignal): Promise<{ bytes: number; files: number; complete: boolean }> {
    const untilMs = performance.now() + MAX_LOOK_MS
    const waiting = [folder]
    let bytes = 0
    let files = 0
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      signal?.throwIfAborted()
      if (files > MAX_ENTRIES || performance.now() > untilMs) return { bytes, files, complete: false }
      const inside = next
      const entries = await readdir(inside, { withFileTypes: true }).catch(() => []) // not readable: a job could not read it either
      for (const entry of entries) {
        if (entry.isDirectory()) waiting.push(path.join(inside, entry.name))
        else if (entry.isFile()) {
          files += 1
          bytes += (await lstat(path.join(inside, entry.name)).catch(() => undefined))?.size ?? 0
        }
      }
    }
    return { bytes, files, complete: true }
  }
}

/** `some avg10=1.23 ... total=microseconds`; undefined where the kernel does not count it (in many containers). */
export function parsePressure(text: string): { lastTenSeconds: number; totalMs: number } | undefined {
  const [, percent, totalUs] = /^some avg10=([\d.]+) .*\btotal=(\d+)$/m.exec(text) ?? []
  return percent === undefined ? undefined : { lastTenSeconds: Number(percent) / 100, totalMs: Number(totalUs) / 1_000 }
}

/** The best slice counts: others shared the core with somebody. */
async function measureSpeed(): Promise<number> {
  let bestMs = Number.POSITIVE_INFINITY
  for (let slice = 0; slice < SLICES; slice++) {
    const startMs = performance.now()
    let mixed = slice
    for (let step = 0; step < SLICE_STEPS; step++) mixed = Math.imul(mixed ^ (mixed >>> 15), step | 1)
    const tookMs = performance.now() - startMs
    if (mixed !== Number.POSITIVE_INFINITY && tookMs > 0) bestMs = Math.min(bestMs, tookMs)
    await nextTurn()
  }
  return Math.min(100, Math.max(0.01, REFERENCE_SLICE_MS / bestMs))
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

function listed(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // this system has no such folder
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}
