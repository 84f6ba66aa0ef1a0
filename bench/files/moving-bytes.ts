import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { eventually } from '../../e2e/harness/e2e-pair.ts'
import { whyNoMounts } from '../../src/testkit/mount-lab.ts'
import { type LabMachine, whyNoNetLab } from '../../src/testkit/netlab.ts'
import { BenchLab } from '../follow/bench-lab.ts'
import { echoTimes } from '../follow/echo.ts'
import { endProcess } from '../peers/xvfb.ts'
import { median, notMeasured, quantile, type Row } from '../report.ts'
import { bulkSpeed, firstByteTimes, homeOf } from './between-devices.ts'
import { DelayedCable, whyNoDelayedCable } from './delayed-cable.ts'

/*
 * Contents of files between two devices by direct connections and by WebRTC, against the same bytes without us, in one run: on a
 * bare cable, and on one that takes 80 ms there and back, without and with loss. Packets are real ones, in namespaces.
 */

const ONE_WAY_MS = 40
const STREAM = path.resolve(import.meta.dirname, 'stream-process.ts')
const CACHE_BYTES = 4 * 1024 * 1024
const KEYS = 60
const PATIENCE_MS = 120_000
const TICKS_PER_SECOND = 100

function rowsFor(megabytes: number, farMegabytes: number) {
  const row = (id: string, what: string, unit: string, must?: string) => ({ id: `moving-${id}`, what, unit, must, goal: undefined })
  const round = `${2 * ONE_WAY_MS} ms there and back`
  return {
    direct: row('direct', `cold read of ${megabytes} MiB held by another device, veth, direct`, 'MB/s', '0.7 of TLS + GCM open + append'),
    rtc: row('webrtc', `cold read of ${megabytes / 4} MiB held by another device, veth, WebRTC only`, 'MB/s', '0.8 of raw data channels'),
    typing: row('typing', 'key to echo while a cold read saturates direct connections, veth, p95', 'ms', '<= idle + 20'),
    first: row('first-80', `first 4 KiB in the middle of a cold file of 16 MiB, ${round}, direct, p50`, 'ms', '<= 3 round trips'),
    far: row('bulk-80', `cold read of ${farMegabytes} MiB, ${round}, direct`, 'MB/s', '0.8 of 4 raw TCP connections'),
    typingFar: row('typing-80', `key to echo while that goes on, p95`, 'ms', '<= idle + 20'),
    lossy: row('bulk-80-loss', `the same with 1 % of packets lost each way`, 'MB/s', '0.8 of 4 raw TCP connections'),
  }
}

export async function measureMovingBytes(args: readonly string[]): Promise<readonly Row[]> {
  const megabytes = args.includes('--small') ? 128 : 1024
  const farMegabytes = args.includes('--small') ? 128 : 512
  const ROWS = rowsFor(megabytes, farMegabytes)
  const why = whyNoMounts() ?? whyNoNetLab()
  if (why !== undefined) return Object.values(ROWS).map((row) => notMeasured(row, why))
  const lab = await BenchLab.create({
    proxied: false,
    env: (name, folder) => ({
      ELSEWHERE_MOUNT: path.join(folder, 'mnt'),
      ...(name === 'b' && { ELSEWHERE_CACHE_BYTES: String(CACHE_BYTES) }),
    }),
  })
  const rows: Row[] = []
  const done = (row: Row) => {
    console.error(`bench: ${row.id} ${row.value} ${JSON.stringify(row.peers)}`)
    rows.push(row)
  }
  try {
    const [a, b] = await Promise.all([homeOf(lab, 'a'), homeOf(lab, 'b')])
    await isDirect(lab, a, b, 'warm')
    const floor = await stream(lab, 'tls', megabytes)
    const before = await processorTimes(lab)
    const direct = await bulkSpeed(a, b, 'direct', megabytes * 2 ** 20)
    const perGigabyte = since(before, await processorTimes(lab), megabytes / 1024)
    done({ ...ROWS.direct, value: direct, met: direct >= 0.7 * floor, peers: { floor, ...perGigabyte }, n: 1 })
    const idle = await echoTimes(lab, KEYS)
    const loaded = await whileReading(a, b, 'load', megabytes, () => echoTimes(lab, KEYS))
    done(typing(ROWS.typing, idle, loaded))
    await lab.ask('b', (client) => client.writeSettings({ directFiles: false }))
    const beforeRtc = await processorTimes(lab)
    const rtc = await bulkSpeed(a, b, 'rtc', (megabytes / 4) * 2 ** 20)
    const perGigabyteRtc = since(beforeRtc, await processorTimes(lab), megabytes / 4096)
    done({
      ...ROWS.rtc,
      value: rtc,
      met: undefined,
      peers: perGigabyteRtc,
      n: 1,
      why: 'raw data channels are measured by the bench links only',
    })
    await lab.ask('b', (client) => client.writeSettings({ directFiles: true }))
    const far = [ROWS.first, ROWS.far, ROWS.typingFar, ROWS.lossy]
    const whyNot = whyNoDelayedCable()
    if (whyNot !== undefined) return [...rows, ...far.map((row) => notMeasured(row, whyNot))]
    const cable = new DelayedCable(lab.machine('a').machine, lab.machine('b').machine)
    try {
      await cable.use({ oneWayMs: ONE_WAY_MS })
      await isDirect(lab, a, b, 'warm-far')
      const first = await firstByteTimes(a, b, 10)
      const limit = 3 * 2 * ONE_WAY_MS
      done({ ...ROWS.first, value: median(first), met: median(first) <= limit, peers: { p95: quantile(first, 0.95) }, n: first.length })
      const tcp = await stream(lab, 'tcp', farMegabytes)
      const bulk = await bulkSpeed(a, b, 'far', farMegabytes * 2 ** 20)
      done({ ...ROWS.far, value: bulk, met: bulk >= 0.8 * tcp, peers: { 'TCP x4': tcp }, n: 1 })
      const idleFar = await echoTimes(lab, KEYS)
      done(typing(ROWS.typingFar, idleFar, await whileReading(a, b, 'load-far', farMegabytes, () => echoTimes(lab, KEYS))))
      await cable.use({ oneWayMs: ONE_WAY_MS, lossPercent: 1 })
      await isDirect(lab, a, b, 'warm-lossy')
      const tcpLossy = await stream(lab, 'tcp', farMegabytes / 4)
      const lossy = await bulkSpeed(a, b, 'lossy', (farMegabytes / 4) * 2 ** 20)
      done({ ...ROWS.lossy, value: lossy, met: lossy >= 0.8 * tcpLossy, peers: { 'TCP x4': tcpLossy }, n: 1 })
    } finally {
      cable.dispose()
    }
    return rows
  } finally {
    await lab.dispose()
  }
}

function typing(row: Omit<Row, 'value' | 'met' | 'peers'>, idle: readonly number[], loaded: readonly number[]): Row {
  const [before, during] = [quantile(idle, 0.95), quantile(loaded, 0.95)]
  return { ...row, value: during, met: during <= before + 20, peers: { idle: before }, n: loaded.length }
}

/** Processor seconds of both devices' files and device processes: what counts on a machine that does other things, too. */
async function processorTimes(lab: BenchLab): Promise<Readonly<Record<string, number>>> {
  const times: Record<string, number> = {}
  for (const name of ['a', 'b'] as const) {
    const { files, device } = await lab.machine(name).device.processes()
    for (const [what, pid] of Object.entries({ files, device })) {
      const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ')
      times[`${what} ${name}, CPU s/GB`] = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
    }
  }
  return times
}

const since = (before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>, gigabytes: number) =>
  Object.fromEntries(Object.entries(after).map(([name, seconds]) => [name, (seconds - (before[name] ?? 0)) / gigabytes]))

/** Something was read, and that made direct connections. */
async function isDirect(lab: BenchLab, a: string, b: string, name: string): Promise<void> {
  let tries = 0
  const isSo = async () => {
    await bulkSpeed(a, b, `${name}-${tries++}`, 2 ** 20).catch(() => 0)
    return ((await lab.link('b', 'a')).directFiles ?? 0) > 0
  }
  await eventually('files cross direct connections', isSo, PATIENCE_MS)
}

/** What `work` gives while B reads cold files of A without end. */
async function whileReading<T>(a: string, b: string, name: string, megabytes: number, work: () => Promise<T>): Promise<T> {
  const over = new AbortController()
  const reading = (async () => {
    for (let n = 0; !over.signal.aborted; n++) await bulkSpeed(a, b, `${name}-${n}`, megabytes * 2 ** 20)
  })()
  try {
    return await Promise.race([work(), reading.then(() => Promise.reject(new Error('the reading ended')))])
  } finally {
    over.abort()
    await reading
  }
}

/** MB/s of the same bytes without us, from A to B. */
async function stream(lab: BenchLab, how: 'tcp' | 'tls', megabytes: number): Promise<number> {
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
