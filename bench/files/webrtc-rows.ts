import { execFileSync } from 'node:child_process'
import os from 'node:os'
import path from 'node:path'
import { eventually } from '../../e2e/harness/e2e-pair.ts'
import { whyNoMounts } from '../../src/testkit/mount-lab.ts'
import { whyNoNetLab } from '../../src/testkit/netlab.ts'
import { BenchLab } from '../follow/bench-lab.ts'
import { echoTimes } from '../follow/echo.ts'
import { endProcess } from '../peers/xvfb.ts'
import { notMeasured, quantile, type Row } from '../report.ts'
import { bulkSpeed, homeOf } from './between-devices.ts'
import { DelayedCable, whyNoDelayedCable } from './delayed-cable.ts'

/*
 * Contents of files between two devices that no TCP connection joins: by WebRTC connections of their own, by the link alone, and
 * raw data channels, in one run; on a bare cable, and on one that takes 80 ms there and back, without and with loss.
 */

const ONE_WAY_MS = 40
const CONNECTIONS = 8
const CHANNELS = path.resolve(import.meta.dirname, 'channels-process.ts')
/** Less than any file that is read, so that nothing of it is there before. */
const CACHE_BYTES = 4 * 1024 * 1024
const KEYS = 60
const PATIENCE_MS = 180_000
const MIB = 2 ** 20

const round = `${2 * ONE_WAY_MS} ms there and back`
const row = (id: string, what: string, unit: string, must?: string) => ({ id: `webrtc-${id}`, what, unit, must, goal: undefined })
const ROWS = {
  near: row('veth', 'cold read of 128 MiB held by another device, veth, WebRTC only', 'MB/s', '0.8 of raw data channels'),
  typing: row('typing', 'key to echo while that goes on, p95', 'ms', '<= idle + 20'),
  far: row('80', `cold read of 48 MiB, ${round}, WebRTC only`, 'MB/s', 'more than the link alone'),
  typingFar: row('typing-80', 'key to echo while that goes on, p95', 'ms', '<= idle + 20'),
  lossy: row('80-loss', `cold read of 12 MiB, ${round}, 1 % of packets lost each way, WebRTC only`, 'MB/s', 'more than the link alone'),
  typingLossy: row('typing-80-loss', 'key to echo while that goes on, p95', 'ms', '<= idle + 20'),
}

export async function measureWebRtc(args: readonly string[]): Promise<readonly Row[]> {
  const why = whyNoMounts() ?? whyNoNetLab() ?? whyNoDelayedCable()
  if (why !== undefined) return Object.values(ROWS).map((one) => notMeasured(one, why))
  const lab = await BenchLab.create({
    proxied: false,
    env: (name, folder) => ({
      ELSEWHERE_MOUNT: path.join(folder, 'mnt'),
      ...(name === 'b' && { ELSEWHERE_CACHE_BYTES: String(CACHE_BYTES) }),
    }),
  })
  const only = args.find((arg) => arg.startsWith('--path='))?.slice('--path='.length)
  const rows: Row[] = []
  const done = (one: Row) => {
    const [load = 0] = os.loadavg()
    rows.push({ ...one, peers: { ...one.peers, load } })
    console.error(`bench: ${one.id} ${one.value} ${JSON.stringify({ ...one.peers, load })}`)
  }
  let cable: DelayedCable | undefined
  let reads = 0
  try {
    const [a, b] = await Promise.all([homeOf(lab, 'a'), homeOf(lab, 'b')])
    const read = (bytes: number) => bulkSpeed(a, b, `read-${reads++}`, bytes)
    /** Over the link alone, then over connections of their own, while somebody types too. */
    const measure = async (
      to: Omit<Row, 'value' | 'met' | 'peers'>,
      typing: Omit<Row, 'value' | 'met' | 'peers'>,
      mib: { link: number; own: number },
      ofRaw: boolean,
    ) => {
      const raw1 = await channels(lab, 1, mib.link)
      const raw = await channels(lab, CONNECTIONS, mib.own)
      await lab.ask('b', (client) => client.writeSettings({ directFiles: false }))
      await eventually('the link alone carries files', async () => (await lab.link('b', 'a')).directFiles === 0)
      const link = await read(mib.link * MIB)
      await lab.ask('b', (client) => client.writeSettings({ directFiles: true }))
      const isOwn = async () => {
        await read(5 * MIB)
        return (await lab.link('b', 'a')).directKind === 'webrtc'
      }
      await eventually('files cross WebRTC connections of their own', isOwn, PATIENCE_MS)
      const own = await read(mib.own * MIB)
      const met = ofRaw ? own >= 0.8 * Math.max(raw1, raw) : own > link
      done({ ...to, value: own, met, peers: { 'link alone': link, 'raw x1': raw1, [`raw x${CONNECTIONS}`]: raw }, n: 1 })
      const idle = await echoTimes(lab, KEYS)
      const over = new AbortController()
      const reading = (async () => {
        while (!over.signal.aborted) await read(mib.own * MIB)
      })()
      const busy = await echoTimes(lab, KEYS).finally(() => over.abort())
      await reading
      const { directFiles = 0 } = await lab.link('b', 'a')
      const [before, during] = [quantile(idle, 0.95), quantile(busy, 0.95)]
      done({ ...typing, value: during, met: during <= before + 20, peers: { idle: before, connections: directFiles }, n: busy.length })
    }
    if (only === undefined || only === 'near') {
      allowTcp(lab, false)
      await measure(ROWS.near, ROWS.typing, { link: 64, own: 128 }, true)
      allowTcp(lab, true)
    }
    cable = new DelayedCable(lab.machine('a').machine, lab.machine('b').machine)
    if (only === undefined || only === 'far') {
      await use(lab, cable, 0)
      await measure(ROWS.far, ROWS.typingFar, { link: 24, own: 48 }, false)
      allowTcp(lab, true)
    }
    if (only === undefined || only === 'loss') {
      await use(lab, cable, 1)
      await measure(ROWS.lossy, ROWS.typingLossy, { link: 5, own: 12 }, false)
    }
    return rows
  } finally {
    cable?.dispose()
    await lab.dispose()
  }
}

/** The link comes about first: where a device is found, TCP counts. */
async function use(lab: BenchLab, cable: DelayedCable, lossPercent: number): Promise<void> {
  await cable.use({ oneWayMs: ONE_WAY_MS, lossPercent })
  const isFar = async () => ((await lab.link('b', 'a')).roundTripMs ?? 0) >= 2 * ONE_WAY_MS && (await lab.link('b', 'a')).state === 'linked'
  await eventually('a and b are linked over the slow cable', isFar, PATIENCE_MS)
  allowTcp(lab, false)
}

/** Without it TCP is tried, and fails, as behind two routers. */
function allowTcp(lab: BenchLab, isAllowed: boolean): void {
  for (const name of ['a', 'b'] as const)
    execFileSync('ip', ['-n', lab.machine(name).machine.namespace, 'rule', isAllowed ? 'del' : 'add', 'ipproto', 'tcp', 'prohibit'])
}

/** MB/s of raw data channels from A to B. */
async function channels(lab: BenchLab, connections: number, megabytes: number): Promise<number> {
  const start = (name: 'a' | 'b', role: string) => {
    const args = [CHANNELS, role, String(connections), String(megabytes)]
    return lab.machine(name).machine.spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  }
  const to = start('b', 'take')
  const from = start('a', 'send')
  try {
    from.on('message', (told) => to.send(told as object))
    return await new Promise<number>((resolve, reject) => {
      setTimeout(() => reject(new Error(`raw data channels took more than ${PATIENCE_MS / 1e3} s`)), PATIENCE_MS).unref()
      for (const child of [from, to]) child.on('exit', (code) => reject(new Error(`raw data channels: a process ended with ${code}`)))
      to.on('message', (told: { readonly rate?: number }) => {
        if (told.rate === undefined) from.send(told)
        else resolve(told.rate)
      })
    })
  } finally {
    await endProcess(from)
    await endProcess(to)
  }
}
