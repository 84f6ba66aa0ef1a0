import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { BenchLab } from './bench-lab.ts'

const WATCHED_MS = 20_000
const TICKS_A_SECOND = 100 // USER_HZ on every Linux we run on

/** Memory of a process that is its own, and its share of what it shares. */
function pssBytes(pid: number): number {
  const found = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]
  if (found === undefined) throw new Error(`no Pss of ${pid}`)
  return Number(found) * 1024
}

/** User and system time so far, in seconds. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}

/** Two linked devices that nobody touches: A's processes, and the bytes of the link from A to B as A counts them. */
export async function idleCost(lab: BenchLab) {
  await delay(5_000) // what the last step started has ended
  const pids = Object.values(await lab.machine('a').device.processes()).filter((pid) => pid !== undefined)
  const spent = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)
  const bytes = async () => {
    const { lanes = {} } = await lab.link('a', 'b')
    return Object.values(lanes).reduce((sum, { sentBytes, receivedBytes }) => sum + sentBytes + receivedBytes, 0)
  }
  const [spentBefore, bytesBefore] = [spent(), await bytes()]
  await delay(WATCHED_MS)
  const [spentAfter, bytesAfter] = [spent(), await bytes()]
  return {
    memoryBytes: pids.reduce((sum, pid) => sum + pssBytes(pid), 0),
    cpuPercent: (100_000 * (spentAfter - spentBefore)) / WATCHED_MS,
    bytesAMinute: ((bytesAfter - bytesBefore) * 60_000) / WATCHED_MS,
  }
}
