import type { ProcessRow } from '../../../jobs/terminal-contract.ts'

export type TaskSort = 'cpu' | 'memory' | 'name' | 'pid'

/** One line of the table. `depth` 0 = no parent among what is shown. */
export interface TaskLine {
  readonly process: ProcessRow
  readonly depth: number
  readonly children: number
  /** With everything below it: what ending it would free. */
  readonly totalCpu: number
  readonly totalMemoryBytes: number
}

/** Nesting drawn at most; deeper ones stay at this depth. */
const MAX_DEPTH = 12

/**
 * Processes as a tree in the wanted order, folded ones without what is below. A device may send any parents: loops and
 * orphans start trees of their own, and every process is listed exactly once (unless folded away).
 */
export function taskLines(processes: readonly ProcessRow[], sort: TaskSort, folded: ReadonlySet<number>): readonly TaskLine[] {
  const byPid = new Map(processes.map((process) => [process.pid, process]))
  const children = new Map<number, ProcessRow[]>()
  const roots: ProcessRow[] = []
  for (const process of byPid.values()) {
    if (process.parentPid === process.pid || !byPid.has(process.parentPid) || loops(process, byPid)) roots.push(process)
    else children.set(process.parentPid, [...(children.get(process.parentPid) ?? []), process])
  }
  const totals = new Map<number, { cpu: number; memory: number }>()
  const total = (process: ProcessRow): { cpu: number; memory: number } => {
    const sum = { cpu: process.cpu, memory: process.memoryBytes }
    for (const child of children.get(process.pid) ?? []) {
      const below = total(child)
      sum.cpu += below.cpu
      sum.memory += below.memory
    }
    totals.set(process.pid, sum)
    return sum
  }
  for (const root of roots) total(root)

  const lines: TaskLine[] = []
  const order = (a: ProcessRow, b: ProcessRow) => compareTasks(a, b, sort, totals)
  const visit = (process: ProcessRow, depth: number) => {
    const below = children.get(process.pid) ?? []
    const sum = totals.get(process.pid) as { cpu: number; memory: number }
    lines.push({ process, depth: Math.min(depth, MAX_DEPTH), children: below.length, totalCpu: sum.cpu, totalMemoryBytes: sum.memory })
    if (!folded.has(process.pid)) for (const child of below.sort(order)) visit(child, depth + 1)
  }
  for (const root of roots.sort(order)) visit(root, 0)
  return lines
}

function loops(process: ProcessRow, byPid: ReadonlyMap<number, ProcessRow>): boolean {
  const seen = new Set<number>()
  let at: ProcessRow | undefined = process
  while (at) {
    if (seen.has(at.pid)) return at.pid === process.pid
    seen.add(at.pid)
    at = at.parentPid === at.pid ? undefined : byPid.get(at.parentPid)
  }
  return false
}

function compareTasks(a: ProcessRow, b: ProcessRow, sort: TaskSort, totals: ReadonlyMap<number, { cpu: number; memory: number }>): number {
  const of = (process: ProcessRow) => totals.get(process.pid) ?? { cpu: 0, memory: 0 }
  const by = {
    cpu: of(b).cpu - of(a).cpu,
    memory: of(b).memory - of(a).memory,
    name: taskName(a.command).localeCompare(taskName(b.command)),
    pid: a.pid - b.pid,
  }[sort]
  return by || a.pid - b.pid
}

/** `/usr/bin/node --flag /srv/app.js` > `node`; the whole command is shown beside it. Elsewhere's own are told apart. */
export function taskName(command: string): string {
  const own = /[/\\]daemon[/\\](supervisor|host|files|device)(-main)?\.m?js\b/.exec(command)?.[1]
  if (own) return `Elsewhere, ${own}`
  const first = command.trim().split(/\s+/)[0] ?? ''
  return first.split('/').at(-1) || first || '(no name)'
}
