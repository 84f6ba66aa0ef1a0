import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { BenchLab } from './bench-lab.ts'
import { pssBytes } from './process-memory.ts'

const WATCHED_MS = 60_000
/** What the last step started has ended, and the link no longer counts as in use. */
const SETTLES_MS = 20_000
const TICKS_A_SECOND = 100 // USER_HZ on every Linux we run on

/** User and system time so far, in seconds. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND
}

/** Bytes through the one interface of a process's namespace, both ways: links, rendezvous, mDNS and what the kernel adds. */
function networkBytes(pid: number): number {
  const fields = /eth0:\s*(.+)$/m
    .exec(readFileSync(`/proc/${pid}/net/dev`, 'utf8'))?.[1]
    ?.trim()
    .split(/\s+/)
  if (!fields) throw new Error(`no eth0 in the namespace of ${pid}`)
  return Number(fields[0]) + Number(fields[8])
}

/** Two linked devices that nobody touches: A's processes, and all bytes of A's network, which has one peer. */
export async function idleCost(lab: BenchLab) {
  await delay(SETTLES_MS)
  const pids = Object.values(await lab.machine('a').device.processes()).filter((pid) => pid !== undefined)
  const spent = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)
  const [anyPid] = pids
  if (anyPid === undefined) throw new Error('nothing runs')
  const bytes = () => networkBytes(anyPid)
  const [spentBefore, bytesBefore] = [spent(), bytes()]
  await delay(WATCHED_MS)
  const [spentAfter, bytesAfter] = [spent(), bytes()]
  return {
    memoryBytes: pids.reduce((sum, pid) => sum + pssBytes(pid), 0),
    cpuPercent: (100_000 * (spentAfter - spentBefore)) / WATCHED_MS,
    bytesAMinute: ((bytesAfter - bytesBefore) * 60_000) / WATCHED_MS,
  }
}
