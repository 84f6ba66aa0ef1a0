import { randomBytes } from 'node:crypto'
import { open, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../../e2e/harness/e2e-pair.ts'
import { whyNoMounts } from '../../src/testkit/mount-lab.ts'
import { whyNoNetLab } from '../../src/testkit/netlab.ts'
import { BenchLab } from '../follow/bench-lab.ts'
import { median, notMeasured, quantile, type Row } from '../report.ts'
import { saveTimes } from './save-times.ts'

/* What one device's mount gives of files that another one holds. Two devices in namespaces, linked through a proxy of ours. */

const ROUND_TRIP_MS = 80
const FIRST_BYTES = 10
/** Beyond what B keeps, so that nothing is copied there before it is asked for. */
const COLD_BYTES = 16 * 1024 * 1024
const CACHE_BYTES = 4 * 1024 * 1024
const SAVES = 20
const PATIENCE_MS = 120_000

const ROWS = {
  first: {
    id: 'between-first-byte',
    what: `first 4 KiB in the middle of a cold file of 16 MiB held by another device, round trip ${ROUND_TRIP_MS} ms, p50`,
    unit: 'ms',
    must: `<= 3 round trips (${3 * ROUND_TRIP_MS} ms)`,
    goal: undefined,
  },
  savedFar: {
    id: 'between-save-80',
    what: `a small file saved on A > readable on B, round trip ${ROUND_TRIP_MS} ms, p50`,
    unit: 'ms',
    must: undefined,
    goal: undefined,
  },
} as const

export async function measureBetweenDevices(): Promise<readonly Row[]> {
  const why = whyNoMounts() ?? whyNoNetLab()
  if (why !== undefined) return Object.values(ROWS).map((row) => notMeasured(row, why))
  const lab = await BenchLab.create({
    proxied: true,
    env: (name, folder) => ({
      ELSEWHERE_MOUNT: path.join(folder, 'mnt'),
      ...(name === 'b' && { ELSEWHERE_CACHE_BYTES: String(CACHE_BYTES) }),
    }),
  })
  try {
    const [a, b] = await Promise.all([homeOf(lab, 'a'), homeOf(lab, 'b')])
    await lab.setPath({ delayMs: ROUND_TRIP_MS / 2 })
    const savedFar = await saveTimes(a, b, SAVES)
    const first = await firstByteTimes(a, b)
    const p95 = (ms: readonly number[]) => ({ p95: quantile(ms, 0.95) })
    return [
      { ...ROWS.first, value: median(first), met: median(first) <= 3 * ROUND_TRIP_MS, peers: p95(first), n: first.length },
      { ...ROWS.savedFar, value: median(savedFar), met: undefined, peers: p95(savedFar), n: savedFar.length },
    ]
  } finally {
    await lab.dispose()
  }
}

/** The home dataset in a device's mount, seen from here: the device has a mount namespace of its own. */
export async function homeOf(lab: BenchLab, name: 'a' | 'b'): Promise<string> {
  const { device } = lab.machine(name)
  const { supervisor } = await device.processes()
  const home = path.join(`/proc/${supervisor}/root`, device.folder, 'mnt', 'Home')
  await eventually(`the home of ${name} is mounted`, () => isThere(home))
  return home
}

const isThere = (at: string): Promise<boolean> =>
  open(at).then(
    async (handle) => (await handle.close(), true),
    () => false,
  )

/** A file of A that B knows of and holds nothing of. */
export async function coldFile(a: string, b: string, name: string, bytes: number): Promise<string> {
  await writeFile(path.join(a, name), randomBytes(bytes))
  const there = path.join(b, name)
  const isWhole = async () => {
    const handle = await open(there).catch(() => undefined)
    if (!handle) return false
    try {
      return (await handle.stat()).size === bytes
    } finally {
      await handle.close()
    }
  }
  await eventually(`${name} is known on b`, isWhole, PATIENCE_MS)
  await delay(1_000) // what else follows a change is over
  return there
}

export async function firstByteTimes(a: string, b: string, times = FIRST_BYTES): Promise<readonly number[]> {
  const took: number[] = []
  const buffer = Buffer.alloc(4096)
  for (let n = 0; n < times; n++) {
    const handle = await open(await coldFile(a, b, `cold-${n}`, COLD_BYTES))
    try {
      const startMs = performance.now()
      await handle.read(buffer, 0, buffer.length, COLD_BYTES / 2)
      took.push(performance.now() - startMs)
    } finally {
      await handle.close()
    }
  }
  return took
}

/** MB/s of the first read of a file that is on the other device only. */
export async function bulkSpeed(a: string, b: string, name: string, bytes: number): Promise<number> {
  const there = await coldFile(a, b, name, bytes)
  const startMs = performance.now()
  const { length } = await readFile(there)
  if (length !== bytes) throw new Error(`${length} of ${bytes} bytes came`)
  return bytes / 1e3 / (performance.now() - startMs)
}
