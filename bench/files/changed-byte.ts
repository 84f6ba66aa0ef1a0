import { mkdir, open, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../../e2e/harness/e2e-pair.ts'
import { whyNoMounts } from '../../src/testkit/mount-lab.ts'
import { whyNoNetLab } from '../../src/testkit/netlab.ts'
import type { BenchLab } from '../follow/bench-lab.ts'
import { SshPeer } from '../peers/sshd.ts'
import { notMeasured, type Row } from '../report.ts'
import { scratchFolder } from '../scratch-folder.ts'
import { homeOf } from './between-devices.ts'
import { readWords } from './cold-peers.ts'
import { writeRandom } from './cold-read.ts'
import { mountedPair, secondsOf, sentBytes, untilQuiet } from './on-cable.ts'
import { LoopbackSshd } from './peer-mounts.ts'

/*
 * One byte in the middle of a large file that both devices hold is changed on A, and read on B: what A has put on the cable, counted by the system, with
 * all headers and all that devices say to each other anyway. rsync does the same with the same sizes.
 */

const MIB = 2 ** 20
const KIB = 1024
const SPARSE_BYTES = 100e9
const PATIENCE_MS = 300_000
/** How much idle devices say is counted over so long. */
const IDLE_MS = 10_000

export async function measureChangedByte(args: readonly string[]): Promise<readonly Row[]> {
  const mib = args.includes('--small') ? 128 : 1024
  const row = (id: string, what: string, kib: number) => ({
    id: `changed-${id}`,
    what,
    unit: 'KiB',
    must: `<= ${kib} KiB`,
    goal: undefined,
  })
  const rows = {
    whole: row('byte', `one changed byte in ${mib} MiB: sent by A until B has read it and both are quiet`, 256),
    sparse: row('sparse', 'the same in a sparse file of 100 GB', 1024),
  }
  const why = whyNoMounts() ?? whyNoNetLab()
  if (why !== undefined) return Object.values(rows).map((one) => notMeasured(one, why))
  const folder = scratchFolder('ew-changed-')
  const lab = await mountedPair()
  try {
    const [a, b] = await Promise.all([homeOf(lab, 'a'), homeOf(lab, 'b')])
    await writeRandom(path.join(a, 'whole'), mib)
    await isThere(path.join(b, 'whole'), mib * MIB)
    await secondsOf(lab.machine('b').machine, readWords(path.join(b, 'whole')))
    const idle = await idleBytes(lab)
    const whole = await changeByte(lab, a, b, 'whole', mib * MIB)
    const holes = await open(path.join(a, 'holes'), 'w')
    await holes.truncate(SPARSE_BYTES).finally(() => holes.close())
    await isThere(path.join(b, 'holes'), SPARSE_BYTES)
    const sparse = await changeByte(lab, a, b, 'holes', SPARSE_BYTES)
    const rsync = await rsyncBytes(lab, folder, mib)
    const done = (to: (typeof rows)['whole'], counted: Counted, kib: number): Row => ({
      ...to,
      value: counted.a / KIB,
      met: counted.a <= kib * KIB,
      peers: { 'sent by B': counted.b / KIB, seconds: counted.seconds, 'idle, A, KiB/s': idle / KIB },
      n: 1,
    })
    const wholeRow = done(rows.whole, whole, 256)
    return [
      typeof rsync === 'string'
        ? { ...wholeRow, why: rsync }
        : {
            ...wholeRow,
            peers: { ...wholeRow.peers, rsync: rsync.a / KIB, 'rsync, sent by B': rsync.b / KIB },
            commands: { rsync: rsync.commandLine },
          },
      { ...done(rows.sparse, sparse, 1024), why: 'rsync reads all 100 GB on both sides: not measured beside' },
    ]
  } finally {
    await lab.dispose()
    await rm(folder, { recursive: true, force: true })
  }
}

interface Counted {
  readonly a: number
  readonly b: number
  /** Until B has read the byte. */
  readonly seconds: number
}

const machines = (lab: BenchLab) => [lab.machine('a').machine, lab.machine('b').machine] as const

async function isThere(file: string, bytes: number): Promise<void> {
  await eventually(`${path.basename(file)} is known on b`, async () => (await stat(file)).size === bytes, PATIENCE_MS)
}

/** What A sends in a second when nothing happens. */
async function idleBytes(lab: BenchLab): Promise<number> {
  await untilQuiet(machines(lab))
  const before = sentBytes(machines(lab)[0])
  await delay(IDLE_MS)
  return (sentBytes(machines(lab)[0]) - before) / (IDLE_MS / 1000)
}

async function changeByte(lab: BenchLab, a: string, b: string, name: string, bytes: number): Promise<Counted> {
  const [from, to] = machines(lab)
  const at = Math.floor(bytes / 2) + 12_345
  await untilQuiet([from, to])
  const before = { a: sentBytes(from), b: sentBytes(to) }
  const begunMs = performance.now()
  const changed = await flip(path.join(a, name), at)
  await eventually(`the byte of ${name} has changed on b`, async () => (await byteAt(path.join(b, name), at)) === changed, PATIENCE_MS)
  const seconds = (performance.now() - begunMs) / 1000
  await untilQuiet([from, to])
  return { a: sentBytes(from) - before.a, b: sentBytes(to) - before.b, seconds }
}

/** Changes one byte in its place. @returns what it is now */
async function flip(file: string, at: number): Promise<number> {
  const value = 255 - (await byteAt(file, at))
  const handle = await open(file, 'r+')
  await handle.write(Uint8Array.of(value), 0, 1, at).finally(() => handle.close())
  return value
}

async function byteAt(file: string, at: number): Promise<number> {
  const handle = await open(file)
  const byte = new Uint8Array(1)
  await handle.read(byte, 0, 1, at).finally(() => handle.close())
  return byte[0] ?? 0
}

/** The same with rsync, from A to B; or why it was not measured. */
async function rsyncBytes(lab: BenchLab, folder: string, mib: number): Promise<(Counted & { commandLine: string }) | string> {
  const [from, to] = machines(lab)
  const why = LoopbackSshd.whyNot('rsync')
  const ssh = why === undefined ? await SshPeer.start(from, to) : undefined
  if (!ssh) return `rsync: ${why ?? 'no sshd'}`
  try {
    const [held, taken] = [path.join(folder, 'a'), path.join(folder, 'b')]
    await mkdir(held)
    await mkdir(taken)
    await writeRandom(path.join(held, 'whole'), mib)
    const words = ['rsync', '-a', '-e', `ssh -F ${ssh.config}`, `${held}/`, `other:${taken}/`]
    await secondsOf(from, words)
    await delay(1_100) // its clock is in seconds: it looks at what is newer
    await flip(path.join(held, 'whole'), Math.floor((mib * MIB) / 2) + 12_345)
    await untilQuiet([from, to])
    const before = { a: sentBytes(from), b: sentBytes(to) }
    const seconds = await secondsOf(from, words)
    const after = { a: sentBytes(from) - before.a, b: sentBytes(to) - before.b }
    return { ...after, seconds, commandLine: words.join(' ') }
  } finally {
    await ssh.dispose()
  }
}
