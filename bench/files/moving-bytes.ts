import path from 'node:path'
import { whyNoMounts } from '../../src/testkit/mount-lab.ts'
import { whyNoNetLab } from '../../src/testkit/netlab.ts'
import { BenchLab } from '../follow/bench-lab.ts'
import { echoTimes } from '../follow/echo.ts'
import { median, notMeasured, quantile, type Row } from '../report.ts'
import { bulkSpeed, firstByteTimes, homeOf } from './between-devices.ts'
import { isDirect } from './on-cable.ts'
import { stream } from './raw-stream.ts'
import { DelayedCable, whyNoDelayedCable } from './delayed-cable.ts'

/*
 * Contents of files between two devices by direct connections: on a cable that takes 80 ms there and back, without and with loss, against raw TCP in
 * the same run; and what typing feels of it, there and on a bare cable. Packets are real ones, in namespaces.
 */

const ONE_WAY_MS = 40
const CACHE_BYTES = 4 * 1024 * 1024
const KEYS = 60

function rowsFor(farMegabytes: number) {
  const row = (id: string, what: string, unit: string, must?: string) => ({ id: `moving-${id}`, what, unit, must, goal: undefined })
  const round = `${2 * ONE_WAY_MS} ms there and back`
  return {
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
  const ROWS = rowsFor(farMegabytes)
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
    const idle = await echoTimes(lab, KEYS)
    const loaded = await whileReading(a, b, 'load', megabytes, () => echoTimes(lab, KEYS))
    done(typing(ROWS.typing, idle, loaded))
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
