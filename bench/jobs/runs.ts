import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { bubblewrapArguments } from '../../src/platform/node/bubblewrap.ts'
import { whyNoNetLab } from '../../src/testkit/netlab.ts'
import { formatTable, median, notMeasured, quantile, type Row } from '../report.ts'
import { JobsLab } from './jobs-lab.ts'
import { outputRows } from './output.ts'

const PROBE = path.resolve(import.meta.dirname, 'frame-probe.mjs')
const SHORT = 30
/** ssh without a connection that is kept takes ten times as long. */
const SHORT_SSH = 10
const MANY = 1_000
/** On a busy machine it stops here, and the rate is of those that were done. */
const MANY_PATIENCE_MS = 90_000
/** Jobs that are asked for at once, as `xargs -P2` runs two: placing and sending overlap with running. */
const AT_ONCE = 12
const PROBES = 3

const rows = {
  short: {
    id: 'jobs-true',
    what: '`true` on another device, links up: submit > exit code, p50',
    unit: 'ms',
    must: '<= bubblewrap alone + 15 ms + round trip; < ssh',
    goal: '30',
  },
  many: {
    id: 'jobs-many',
    what: `${MANY} short jobs over three devices`,
    unit: 'jobs/s',
    must: '>= 0.5 of xargs -P2 bwrap',
    goal: undefined,
  },
  frames: {
    id: 'jobs-frames',
    what: '60 Hz foreground, 2 placed hogs: frames missed of 240, above idle',
    unit: '',
    must: '<= 1',
    goal: undefined,
  },
} as const

/** Rows of jobs on real devices in namespaces, against ssh, bubblewrap and xargs in the same run. */
export async function runRows(): Promise<readonly Row[]> {
  const why = whyNoNetLab()
  if (why !== undefined)
    return [...Object.values(rows).map((row) => notMeasured(row, why)), ...outputRows.map((row) => notMeasured(row.is, why))]
  const lab = await JobsLab.create()
  try {
    const found: Row[] = []
    const measures = [shortJobs, manyJobs, ...outputRows.map(({ measure }) => measure), frames]
    for (const measure of measures) {
      const row = await measure(lab)
      found.push(row)
      console.error(formatTable([row]).split('\n').at(-1)) // a run that is ended half way has told what it knew
    }
    return found
  } finally {
    await lab.dispose()
  }
}

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const startMs = performance.now()
  await work()
  return performance.now() - startMs
}

const sandbox = (project: string) => ({ hostFolder: project, home: '/home/ada', network: false, memoryMiB: 512 })

async function bubblewrapAlone(project: string): Promise<void> {
  const request = { program: '/bin/sh', arguments: ['-c', 'true'], environment: {}, folder: '/home/ada/project' }
  const child = spawn('bwrap', bubblewrapArguments(request, sandbox(project)), { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr?.on('data', (bytes) => (said += String(bytes)))
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`bubblewrap ended with ${code}: ${said}`)
}

async function shortJobs(lab: JobsLab): Promise<Row> {
  const [ours, alone, ssh, master]: [number[], number[], number[], number[]] = [[], [], [], []]
  const far = lab.place('b')
  await lab.run('true', far)
  for (let n = 0; n < SHORT; n++) {
    ours.push(await timed(() => lab.run('true', far)))
    alone.push(await timed(() => bubblewrapAlone(lab.project)))
    const peer = lab.ssh
    if (!peer) continue
    master.push(await timed(() => peer.run('true', { master: true })))
    if (n < SHORT_SSH) ssh.push(await timed(() => peer.run('true', { master: false })))
  }
  const roundTripMs = await lab.roundTripMs('b')
  const [value, floor] = [median(ours), median(alone)]
  const peers = {
    'bubblewrap alone': floor,
    'round trip': roundTripMs,
    'p95 of ours': quantile(ours, 0.95),
    ...(ssh.length > 0 && { ssh: median(ssh), 'ssh, kept open': median(master) }),
  }
  const met = value <= floor + 15 + roundTripMs && (ssh.length === 0 || value < median(ssh))
  return { ...rows.short, value, met, peers, n: SHORT, ...(ssh.length === 0 && { why: 'no sshd is installed' }) }
}

async function manyJobs(lab: JobsLab): Promise<Row> {
  const places = (['b', 'c', 'a'] as const).map((name) => lab.place(name))
  const untilMs = performance.now() + MANY_PATIENCE_MS
  let [next, done] = [0, 0]
  const worker = async () => {
    for (let n = next++; n < MANY && performance.now() < untilMs; n = next++) {
      const code = await lab.run('true', places[n % places.length] as { device: string })
      if (code !== 0) throw new Error(`true ended with ${code}`)
      done += 1
    }
  }
  const oursMs = await timed(() => Promise.all(Array.from({ length: AT_ONCE }, worker)))
  const request = { program: '/bin/true', arguments: [], environment: {}, folder: '/home/ada/project' }
  const words = bubblewrapArguments(request, sandbox(lab.project))
  const line = `seq ${done} | xargs -P2 -I{} bwrap ${words.map((word) => `'${word}'`).join(' ')} 3>/dev/null`
  const xargsMs = await timed(async () => {
    const [code] = await once(spawn('/bin/sh', ['-c', line], { stdio: 'ignore' }), 'exit')
    if (code !== 0) throw new Error(`xargs ended with ${code}`)
  })
  const [value, xargs] = [done / (oursMs / 1e3), done / (xargsMs / 1e3)]
  return { ...rows.many, value, met: value >= 0.5 * xargs, peers: { 'xargs -P2 bwrap': xargs }, n: done }
}

async function probe(): Promise<number> {
  const child = spawn(process.execPath, [PROBE], { stdio: ['ignore', 'pipe', 'inherit'], detached: true })
  let text = ''
  child.stdout.on('data', (bytes) => (text += String(bytes)))
  await once(child, 'close')
  return Number(text)
}

async function frames(lab: JobsLab): Promise<Row> {
  const idle: number[] = []
  for (let n = 0; n < PROBES; n++) idle.push(await probe())
  const hogs = await Promise.all([1, 2].map(() => lab.begin('while :; do :; done', lab.place('b'))))
  try {
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    const busy: number[] = []
    for (let n = 0; n < PROBES; n++) busy.push(await probe())
    const value = median(busy) - median(idle)
    return { ...rows.frames, value, met: value <= 1, peers: { idle: median(idle), 'with hogs': median(busy) }, n: PROBES }
  } finally {
    for (const { job } of hogs) await lab.client.cancelJob({ job })
  }
}
