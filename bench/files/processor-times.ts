import { readFile } from 'node:fs/promises'
import type { BenchLab } from '../follow/bench-lab.ts'

const TICKS_PER_SECOND = 100

/** Processor seconds of both devices' files and device processes so far, by `files a` and so on: what counts on a machine that does other things, too. */
export async function processorTimes(lab: BenchLab): Promise<Readonly<Record<string, number>>> {
  const times: Record<string, number> = {}
  for (const name of ['a', 'b'] as const) {
    const { files, device } = await lab.machine(name).device.processes()
    for (const [what, pid] of Object.entries({ files, device })) {
      const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ')
      times[`${what} ${name}`] = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
    }
  }
  return times
}

/** What was used between two looks, of which there were `times`; named as a peer of a row is. */
export const used = (
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  times = 1,
): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(after).map(([name, seconds]) => [`CPU s, ${name}`, (seconds - (before[name] ?? 0)) / times]))
