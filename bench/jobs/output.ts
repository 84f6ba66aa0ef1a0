import { readFileSync } from 'node:fs'
import { LinkProcessClient } from '../../src/testkit/link-process-client.ts'
import { createNetLab } from '../../src/testkit/netlab.ts'
import { createTestDevice } from '../../src/testkit/test-devices.ts'
import { median, notMeasured, type Row } from '../report.ts'
import type { JobsLab } from './jobs-lab.ts'

const OUTPUT_BYTES = 100_000_000
const INTERRUPTS = 5
/** Output goes for so long before it is interrupted: everything that can hold some is full by then. */
const FLOWING_BYTES = 8_000_000
/** Of host and device at both ends together, above what they held before. */
const MEMORY_LIMIT_MB = 128

type Head = Pick<Row, 'id' | 'what' | 'unit' | 'must' | 'goal'>

const output: Head = {
  id: 'jobs-output',
  what: '100 MB of output from another device',
  unit: 'MB/s',
  must: '>= 0.8 of the raw lane',
  goal: undefined,
}
const direct: Head = {
  id: 'jobs-output-direct',
  what: 'the same once the direct path is up',
  unit: 'MB/s',
  must: '>= 0.5 of raw TLS',
  goal: undefined,
}
const memory: Head = {
  id: 'jobs-output-memory',
  what: 'memory that the four processes on its way take meanwhile, at most, above before',
  unit: 'MB',
  must: `<= ${MEMORY_LIMIT_MB}`,
  goal: undefined,
}
const interrupt: Head = {
  id: 'jobs-interrupt',
  what: 'Ctrl-C while it comes: signal > exit told, p50',
  unit: 'ms',
  must: '<= 200',
  goal: undefined,
}

/** What the most memory of the newest run of output was, for its own row. */
let grownBytes = 0

/** Output of a placed job; in order, since the second tells of the first. */
export const outputRows: readonly { readonly is: Head; readonly measure: (lab: JobsLab) => Promise<Row> }[] = [
  { is: output, measure: muchOutput },
  { is: direct, measure: async () => notMeasured(direct, 'bytes of jobs go over WebRTC only') },
  { is: memory, measure: async () => ({ ...memory, value: grownBytes / 1e6, met: grownBytes / 1e6 <= MEMORY_LIMIT_MB, peers: {}, n: 1 }) },
  { is: interrupt, measure: interrupts },
]

async function muchOutput(lab: JobsLab): Promise<Row> {
  const line = `head -c ${OUTPUT_BYTES} /dev/zero`
  const pids = await lab.processes()
  const held = () => pids.reduce((sum, pid) => sum + residentBytes(pid), 0)
  const before = held()
  let [bytes, most] = [0, before]
  const watching = setInterval(() => (most = Math.max(most, held())), 50)
  const startMs = performance.now()
  await lab.run(line, lab.place('b'), (more) => (bytes += more))
  const ms = performance.now() - startMs
  clearInterval(watching)
  grownBytes = most - before
  if (bytes !== OUTPUT_BYTES) return notMeasured(output, `${bytes} of ${OUTPUT_BYTES} bytes came`)
  const raw = await rawLane()
  const sshStartMs = performance.now()
  await lab.ssh?.run(line, { master: true })
  const sshMs = performance.now() - sshStartMs
  const value = bytes / 1e3 / ms
  const peers = { 'raw lane': raw, ...(lab.ssh && { 'ssh, kept open': bytes / 1e3 / sshMs }) }
  return { ...output, value, met: value >= 0.8 * raw, peers, n: 1 }
}

/** Two link processes and nothing else, as `bench -- links` measures it: MB/s of the lane that output shares with files. */
async function rawLane(): Promise<number> {
  const net = createNetLab('d', 'e')
  const clients: LinkProcessClient[] = []
  try {
    const setup = { members: [1, 2, 3], usesLan: false, secret: 9, runsRendezvous: true }
    const from = new LinkProcessClient({ ...setup, seed: 1, rendezvousUrls: [] }, net.machine('d'))
    clients.push(from)
    const { urls } = await from.next('ready')
    const to = new LinkProcessClient({ ...setup, seed: 2, rendezvousUrls: urls }, net.machine('e'))
    clients.push(to)
    await Promise.all([from.next('linked'), to.next('linked')])
    const begin = to.events.length
    const begunMs = Date.now()
    from.say({ t: 'sendFiles', peer: createTestDevice(2).device, bytes: OUTPUT_BYTES })
    const done = await to.next('files', begin, (event) => event.bytes >= OUTPUT_BYTES)
    return OUTPUT_BYTES / 1e3 / (done.atMs - begunMs)
  } finally {
    for (const client of clients) client.dispose()
    net.dispose()
  }
}

async function interrupts(lab: JobsLab): Promise<Row> {
  const times: number[] = []
  for (let n = 0; n < INTERRUPTS; n++) {
    let bytes = 0
    let flows: (() => void) | undefined
    const flowing = new Promise<void>((resolve) => (flows = resolve))
    const running = await lab.begin('cat /dev/zero', lab.place('b'), (more) => {
      bytes += more
      if (bytes > FLOWING_BYTES) flows?.()
    })
    await Promise.race([flowing, running.ended.then(() => Promise.reject(new Error('it ended by itself')))])
    const startMs = performance.now()
    running.signal('SIGINT')
    await running.ended
    times.push(performance.now() - startMs)
  }
  const value = median(times)
  return { ...interrupt, value, met: value <= 200, peers: { longest: Math.max(...times) }, n: INTERRUPTS }
}

function residentBytes(pid: number): number {
  const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
  return pages * 4_096
}
