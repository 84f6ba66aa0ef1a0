import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { displayContract } from '../../src/device/display-contract.ts'
import { decodeJobDown } from '../../src/jobs/job-frames-contract.ts'
import { dataFolderAt } from '../../src/main/daemon/data-folder.ts'
import { bubblewrapArguments } from '../../src/platform/node/bubblewrap.ts'
import { connectUnixSocket } from '../../src/platform/node/unix-socket-transport.ts'
import { type Client, createClient } from '../../src/rpc/client.ts'
import { whyNoNetLab } from '../../src/testkit/netlab.ts'
import { BenchLab } from '../follow/bench-lab.ts'
import { median, notMeasured, quantile, type Row } from '../report.ts'

const PROBE = path.resolve(import.meta.dirname, 'frame-probe.mjs')
const SHORT = 30
const MANY = 200
/** Jobs that are asked for at once, as `xargs -P2` runs two: placing and sending overlap with running. */
const AT_ONCE = 8
const OUTPUT_BYTES = 100_000_000
const PROBES = 3

type Device = Client<typeof displayContract>

const rows = {
  short: {
    id: 'jobs-true',
    what: '`true` on another device, links up: submit > exit code, p50',
    unit: 'ms',
    must: '<= bubblewrap alone + 15 ms + round trip',
    goal: '30',
  },
  many: {
    id: 'jobs-many',
    what: `${MANY} short jobs over two devices`,
    unit: 'jobs/s',
    must: '>= 0.5 of xargs -P2 bwrap',
    goal: undefined,
  },
  output: { id: 'jobs-output', what: '100 MB of output from another device', unit: 'MB/s', must: undefined, goal: undefined },
  frames: {
    id: 'jobs-frames',
    what: '60 Hz foreground, 2 placed hogs: frames missed of 240, above idle',
    unit: '',
    must: '<= 1',
    goal: undefined,
  },
  hook: { id: 'jobs-hook', what: 'Enter > exec added by the shell hook', unit: 'ms', must: 'p99 <= 20 ms', goal: '5' },
} as const

/** Rows of jobs on real devices in two namespaces, against bubblewrap and xargs in the same run. */
export async function runRows(): Promise<readonly Row[]> {
  const why = whyNoNetLab()
  const hook = notMeasured(rows.hook, 'there is no shell hook yet')
  if (why !== undefined) return [...[rows.short, rows.many, rows.output, rows.frames].map((row) => notMeasured(row, why)), hook]
  const lab = await BenchLab.create({ proxied: false })
  const folder = await mkdtemp(path.join(os.tmpdir(), 'ew-jobs-bench-'))
  const project = path.join(folder, 'project')
  await mkdir(project)
  const device = createClient(displayContract, await connectUnixSocket(dataFolderAt(lab.machine('a').device.folder).deviceSocket))
  const far = { device: lab.machine('b').deviceId }
  const here = { device: lab.machine('a').deviceId }
  try {
    const found: Row[] = []
    for (const measure of [
      () => shortJobs(device, project, far),
      () => manyJobs(device, project, [far, here]),
      () => muchOutput(device, project, far),
      () => frames(device, project, far),
    ]) {
      found.push(await measure())
    }
    return [...found, hook]
  } finally {
    device.dispose()
    await lab.dispose()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Starts it and takes its output; resolves with the exit code. */
async function runJob(
  device: Device,
  commandLine: string,
  folder: string,
  where: { device: string },
  seen?: (bytes: number) => void,
): Promise<number> {
  const { job } = await device.startJob({ commandLine, folder, input: false, policy: { where } })
  const channel = device.channel((await device.openJobOutput({ job, from: 0 })).channel)
  return new Promise((resolve, reject) => {
    channel.onDidReceive((message) => {
      const frame = decodeJobDown(message)
      if (frame?.kind === 'output') seen?.(frame.bytes.length)
      if (frame?.kind !== 'exit') return
      if (frame.error) reject(new Error(frame.error.message))
      else resolve(frame.code)
    })
    channel.onDidClose(({ reason }) => reject(new Error(reason)))
  })
}

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const startMs = performance.now()
  await work()
  return performance.now() - startMs
}

async function bubblewrapAlone(project: string): Promise<void> {
  const request = { program: '/bin/sh', arguments: ['-c', 'true'], environment: {}, folder: '/home/ada/project' }
  const words = bubblewrapArguments(request, { hostFolder: project, home: '/home/ada', network: false, memoryMiB: 512 })
  const child = spawn('bwrap', words, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr?.on('data', (bytes) => (said += String(bytes)))
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`bubblewrap ended with ${code}: ${said}`)
}

async function shortJobs(device: Device, project: string, far: { device: string }): Promise<Row> {
  const [ours, alone]: [number[], number[]] = [[], []]
  await runJob(device, 'true', project, far)
  for (let n = 0; n < SHORT; n++) {
    ours.push(await timed(() => runJob(device, 'true', project, far)))
    alone.push(await timed(() => bubblewrapAlone(project)))
  }
  const roundTripMs = (await device.listDevices({})).find(({ deviceId }) => deviceId === far.device)?.roundTripMs ?? 0
  const [value, floor] = [median(ours), median(alone)]
  const peers = { 'bubblewrap alone': floor, 'round trip': roundTripMs, 'p95 of ours': quantile(ours, 0.95) }
  return { ...rows.short, value, met: value <= floor + 15 + roundTripMs, peers, n: SHORT }
}

async function manyJobs(device: Device, project: string, places: readonly { device: string }[]): Promise<Row> {
  let next = 0
  const worker = async () => {
    for (let n = next++; n < MANY; n = next++) await runJob(device, 'true', project, places[n % places.length] as { device: string })
  }
  const oursMs = await timed(() => Promise.all(Array.from({ length: AT_ONCE }, worker)))
  const request = { program: '/bin/true', arguments: [], environment: {}, folder: '/home/ada/project' }
  const words = bubblewrapArguments(request, { hostFolder: project, home: '/home/ada', network: false, memoryMiB: 512 })
  const line = `seq ${MANY} | xargs -P2 -I{} bwrap ${words.map((word) => `'${word}'`).join(' ')} 3>/dev/null`
  const xargsMs = await timed(async () => {
    const [code] = await once(spawn('/bin/sh', ['-c', line], { stdio: 'ignore' }), 'exit')
    if (code !== 0) throw new Error(`xargs ended with ${code}`)
  })
  const [value, xargs] = [MANY / (oursMs / 1e3), MANY / (xargsMs / 1e3)]
  return { ...rows.many, value, met: value >= 0.5 * xargs, peers: { 'xargs -P2 bwrap': xargs }, n: MANY }
}

async function muchOutput(device: Device, project: string, far: { device: string }): Promise<Row> {
  let bytes = 0
  const ms = await timed(() => runJob(device, `head -c ${OUTPUT_BYTES} /dev/zero`, project, far, (more) => (bytes += more)))
  if (bytes !== OUTPUT_BYTES) return notMeasured(rows.output, `${bytes} of ${OUTPUT_BYTES} bytes came`)
  return { ...rows.output, value: bytes / 1e6 / (ms / 1e3), met: undefined, peers: {}, n: 1 }
}

async function probe(): Promise<number> {
  const child = spawn(process.execPath, [PROBE], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  let text = ''
  child.stdout.on('data', (bytes) => (text += String(bytes)))
  await once(child, 'close')
  return Number(text)
}

async function frames(device: Device, project: string, far: { device: string }): Promise<Row> {
  const idle: number[] = []
  for (let n = 0; n < PROBES; n++) idle.push(await probe())
  const hogs = await Promise.all(
    [1, 2].map(
      async () =>
        (await device.startJob({ commandLine: 'while :; do :; done', folder: project, input: false, policy: { where: far } })).job,
    ),
  )
  try {
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    const busy: number[] = []
    for (let n = 0; n < PROBES; n++) busy.push(await probe())
    const value = median(busy) - median(idle)
    return { ...rows.frames, value, met: value <= 1, peers: { idle: median(idle), 'with hogs': median(busy) }, n: PROBES }
  } finally {
    for (const job of hogs) await device.cancelJob({ job })
  }
}
