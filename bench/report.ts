import { writeFile } from 'node:fs/promises'
import os from 'node:os'

/**
 * One measured row. `must` is a ratio or a count within this run; `goal` an absolute for a quiet machine. A row is met,
 * missed or not measured: never "met in spirit".
 */
export interface Row {
  readonly id: string
  readonly what: string
  /** undefined: not measured; `why` says why. */
  readonly value: number | undefined
  readonly unit: string
  /** What must hold, as a person reads it, e.g. `<= 0.3 of Chromium's restore`. */
  readonly must: string | undefined
  /** Whether `must` held; undefined where there is none, or nothing was measured. */
  readonly met: boolean | undefined
  readonly goal: string | undefined
  /** The same measured on what people use today, in this run. */
  readonly peers: Readonly<Record<string, number>>
  /** How the peers were started, or why one was not measured. */
  readonly commands?: Readonly<Record<string, string>>
  readonly n?: number
  readonly why?: string
}

export interface Bench {
  readonly name: string
  run(args: readonly string[]): Promise<readonly Row[]>
}

/** Nearest-rank quantile. @throws RangeError  no samples */
export function quantile(samples: readonly number[], q: number): number {
  if (samples.length === 0) throw new RangeError('no samples')
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(q * sorted.length) - 1))] as number
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5)

export const notMeasured = (row: Pick<Row, 'id' | 'what' | 'unit' | 'must' | 'goal'>, why: string): Row => ({
  ...row,
  value: undefined,
  met: undefined,
  peers: {},
  why,
})

const round = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)

/** `met`, `MISSED`, `not measured`; `-` where nothing must hold. */
export const verdictOf = ({ must, met }: Pick<Row, 'must' | 'met'>): string =>
  must === undefined ? '-' : met === undefined ? 'not measured' : met ? 'met' : 'MISSED'

export function formatTable(rows: readonly Row[]): string {
  const lines = ['| what | measured | must | | goal | peers, same run |', '|---|---|---|---|---|---|']
  for (const { what, value, unit, must, met, goal, peers, n, why } of rows) {
    const measured = value === undefined ? `not measured: ${why ?? ''}` : `${round(value)} ${unit}${n ? ` (n=${n})` : ''}`
    const others = Object.entries(peers).map(([name, peer]) => `${name} ${round(peer)}`)
    lines.push(`| ${what} | ${measured} | ${must ?? '-'} | ${verdictOf({ must, met })} | ${goal ?? '-'} | ${others.join(', ') || '-'} |`)
  }
  return lines.join('\n')
}

/** CPU time other processes took while `work` ran, in percent of all cores: a busy machine explains a slow row. */
export async function withNoise<T>(work: () => Promise<T>): Promise<{ result: T; busyPercent: number }> {
  const total = () =>
    os.cpus().reduce(
      (sum, { times }) => ({
        busy: sum.busy + times.user + times.sys + times.nice + times.irq,
        all: sum.all + times.user + times.sys + times.nice + times.irq + times.idle,
      }),
      { busy: 0, all: 0 },
    )
  const before = total()
  const result = await work()
  const after = total()
  return { result, busyPercent: (100 * (after.busy - before.busy)) / Math.max(1, after.all - before.all) }
}

export async function writeJson(file: string, bench: string, rows: readonly Row[]): Promise<void> {
  const machine = {
    cores: os.cpus().length,
    memoryBytes: os.totalmem(),
    node: process.versions.node,
    platform: `${os.platform()} ${os.release()}`,
    loadAtEnd: os.loadavg(),
  }
  const judged = rows.map((row) => ({ ...row, verdict: verdictOf(row) }))
  await writeFile(file, `${JSON.stringify({ bench, machine, atMs: Date.now(), rows: judged }, undefined, 2)}\n`)
}
