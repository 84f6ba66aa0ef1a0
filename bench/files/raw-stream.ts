import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { LabMachine } from '../../src/testkit/netlab.ts'
import type { BenchLab } from '../follow/bench-lab.ts'
import { endProcess } from '../peers/xvfb.ts'

const STREAM = path.resolve(import.meta.dirname, 'stream-process.ts')

/** MB/s of the same bytes without us, from A to B. */
export async function stream(lab: BenchLab, how: 'tcp' | 'tls', megabytes: number): Promise<number> {
  const [from, to] = [lab.machine('a').machine, lab.machine('b').machine]
  const sender = start(from, ['send', how, from.address, '0', String(megabytes)])
  try {
    const file = how === 'tls' ? [path.join(lab.machine('b').device.folder, 'floor')] : []
    const taker = start(to, ['take', how, from.address, await sender.line, String(megabytes), ...file])
    try {
      return Number(await taker.line)
    } finally {
      await endProcess(taker.child)
    }
  } finally {
    await endProcess(sender.child)
  }
}

function start(machine: LabMachine, args: readonly string[]) {
  const child = machine.spawn(process.execPath, [STREAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  if (!child.stdout) throw new Error('a stream has no output')
  const line = once(createInterface({ input: child.stdout }), 'line').then(([text]) => String(text))
  return { child, line }
}
