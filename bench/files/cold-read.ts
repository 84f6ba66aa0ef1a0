import { randomBytes } from 'node:crypto'
import { open, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { eventually } from '../../e2e/harness/e2e-pair.ts'
import { whyNoMounts } from '../../src/testkit/mount-lab.ts'
import { whyNoNetLab } from '../../src/testkit/netlab.ts'
import type { BenchLab } from '../follow/bench-lab.ts'
import { median, notMeasured, type Row } from '../report.ts'
import { scratchFolder } from '../scratch-folder.ts'
import { isMoreThan, verdict } from '../verdict.ts'
import { homeOf } from './between-devices.ts'
import { ColdPeers, PEER_NAMES, readWords } from './cold-peers.ts'
import { dropCaches, isDirect, mountedPair, secondsOf, untilQuiet } from './on-cable.ts'
import { processorTimes, used } from './processor-times.ts'
import { stream } from './raw-stream.ts'

/*
 * One file that another device holds, read for the first time: through the mount, and by what people use today, over the same cable, in turn. The caches
 * of the system are dropped before each. Each round has bytes of its own, so that nobody knows them.
 */

const MIB = 2 ** 20
/** What B keeps, as a share of what is read: so that nothing of it is there before. */
const CACHE_SHARE = 1 / 4
const AHEAD_OF = ['scp', 'sshfs', 'syncthing'] as const
const PATIENCE_MS = 300_000

export async function measureColdRead(args: readonly string[]): Promise<readonly Row[]> {
  const mib = args.includes('--small') ? 128 : 1024
  const rounds = args.includes('--once') ? 1 : 3
  const row = {
    id: 'cold-direct',
    what: `cold read of ${mib} MiB held by another device, veth, direct, caches dropped, p50`,
    unit: 'MB/s',
    must: `0.7 of the floor (TLS + GCM open + append), ahead of ${AHEAD_OF.join(', ')}`,
    goal: undefined,
  }
  const why = whyNoMounts() ?? whyNoNetLab()
  if (why !== undefined) return [notMeasured(row, why)]
  const folder = scratchFolder('ew-cold-')
  const lab = await mountedPair(mib * MIB * CACHE_SHARE)
  let peers: ColdPeers | undefined
  try {
    peers = await ColdPeers.start(lab, folder)
    const [a, b] = await Promise.all([homeOf(lab, 'a'), homeOf(lab, 'b')])
    await isDirect(lab, a, b, 'warm')
    const rates = new Map<string, number[]>()
    const cpu: Used[] = []
    const note = (name: string, rate: number) => {
      console.error(`bench: cold ${name} ${rate.toFixed(1)} MB/s`)
      rates.set(name, [...(rates.get(name) ?? []), rate])
    }
    for (let n = 0; n < rounds; n++) {
      note('floor', await stream(lab, 'tls', mib))
      note('elsewhere', (mib * MIB) / 1e6 / (await ours(lab, a, b, `cold-${n}`, mib, cpu)))
      const file = `plain-${n}`
      await writeRandom(path.join(peers.held, file), mib)
      for (const [name, measure] of peers.measures) {
        dropCaches()
        note(name, (mib * MIB) / 1e6 / (await measure(file)))
      }
      await rm(path.join(peers.held, file))
    }
    const p50 = (name: string) => {
      const all = rates.get(name)
      return all && median(all)
    }
    const [value, floor] = [p50('elsewhere') ?? 0, p50('floor') ?? 0]
    const measured = ['floor', ...PEER_NAMES].flatMap((name) => {
      const rate = p50(name)
      return rate === undefined ? [] : [[name, rate] as const]
    })
    return [
      {
        ...row,
        value,
        met: verdict(value >= 0.7 * floor, isMoreThan(value, AHEAD_OF.map(p50))),
        peers: { ...Object.fromEntries(measured), 'of the floor': value / floor, ...perGigabyte(cpu) },
        commands: {
          ...peers.commands,
          elsewhere: 'dd bs=1M of=/dev/null in the mount of B',
          'every read': 'sync; echo 3 > /proc/sys/vm/drop_caches before',
        },
        n: rounds,
        ...(peers.missing.length > 0 && { why: peers.missing.join('; ') }),
      },
    ]
  } finally {
    await peers?.dispose()
    await lab.dispose()
    await rm(folder, { recursive: true, force: true })
  }
}

type Used = Readonly<Record<string, number>>

/** The middle of what each process used. */
const perGigabyte = (all: readonly Used[]): Used =>
  Object.fromEntries(Object.keys(all[0] ?? {}).map((name) => [`${name}, per GiB`, median(all.map((one) => one[name] ?? 0))]))

async function ours(lab: BenchLab, a: string, b: string, name: string, mib: number, cpu: Used[]): Promise<number> {
  await writeRandom(path.join(a, name), mib)
  const there = path.join(b, name)
  await eventually(`${name} is known on b`, async () => (await stat(there)).size === mib * MIB, PATIENCE_MS)
  await untilQuiet([lab.machine('a').machine, lab.machine('b').machine])
  dropCaches()
  const before = await processorTimes(lab)
  const seconds = await secondsOf(lab.machine('b').machine, readWords(there))
  cpu.push(used(before, await processorTimes(lab), mib / 1024))
  await rm(path.join(a, name))
  return seconds
}

/** In pieces: a whole GiB of it in memory would be felt by what is measured. */
export async function writeRandom(file: string, mib: number): Promise<void> {
  const handle = await open(file, 'w')
  try {
    for (let n = 0; n < mib; n++) await handle.write(randomBytes(MIB))
  } finally {
    await handle.close()
  }
}
