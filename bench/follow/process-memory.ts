import { readFileSync } from 'node:fs'

/** Memory of a process that is its own, and its share of what it shares. */
export function pssBytes(pid: number): number {
  const found = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]
  if (found === undefined) throw new Error(`no Pss of ${pid}`)
  return Number(found) * 1024
}
