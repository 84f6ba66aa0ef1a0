import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { segmentsBehind } from '../../files/checkpoint/segments-behind.ts'
import { linkHosts } from '../../testkit/dataset-hosts.ts'
import type { DiskDatasetHost } from '../../testkit/disk-dataset-host.ts'
import { testDatasetKeys } from '../../testkit/file-parts.ts'
import { KILL_AIMS, type KillAim, killedBytes, KILLED_DEVICES, killedDevice } from '../../testkit/kill-dataset.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'

const PROCESS = fileURLToPath(new URL('../../testkit/kill-dataset.ts', import.meta.url))
const DATASET = testDatasetKeys().dataset
/** A checkpoint of these is some dozen pages, and is loaded in several slices. */
const [FOLDERS, FILES_EACH] = [40, 40]
/** A kill falls into one of the first so many of its kind, so long after that was begun, at most. */
const TIMES = 4
const SPAN_MS = 100
/** While a checkpoint is loaded it falls when so much of it is there; more than all: what comes after its nodes, its history among that. */
const SHARES = 1.3
/** Of the files of earlier rounds so many are read on the second device, too; on the first one all are. */
const SAMPLE = 40
/** Tried at most until one fell into each. */
const MOST_ROUNDS = 60

const folder = mkdtempSync(path.join(tmpdir(), 'elsewhere-killed-'))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const until = async (isSo: () => boolean, what: string) => {
  for (let n = 0; n < 3000 && !isSo(); n++) await new Promise((resolve) => setTimeout(resolve, 10))
  expect({ what, isSo: isSo() }).toEqual({ what, isSo: true })
}

/** Runs both devices until the kill; what it said was kept, and what it was at. */
async function runAndKill(aim: KillAim, second: number, round: number, random: SeededRandom) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', PROCESS, folder, String(second), aim, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<string | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)))
  const kept: string[] = []
  const share = (random.below(1000) / 1000) * SHARES
  let [at, times] = ['start', aim === 'checkpoint loaded' ? 1 : 1 + random.below(TIMES)]
  for await (const line of createInterface({ input: child.stdout })) {
    const [what = ''] = line.split(' ', 1)
    const rest = line.slice(what.length + 1)
    if (what === 'kept') kept.push(rest)
    else if (what === 'at') at = rest
    // On a busy machine all of it may be there before that is told.
    const isLoaded = what === 'at' && at === 'segments behind it'
    const isDue =
      aim === 'checkpoint loaded' ? isLoaded || (what === 'share' && Number(rest) >= Math.min(share, 1)) : what === 'at' && at === aim
    if (!isDue || --times !== 0) continue
    setTimeout(() => child.kill('SIGKILL'), aim === 'checkpoint loaded' && share < 1 ? 0 : random.below(SPAN_MS))
  }
  expect({ round, signal: await ended }).toEqual({ round, signal: 'SIGKILL' })
  return { at, kept }
}

async function unreadable({ open: { dataset } }: DiskDatasetHost, names: readonly string[]): Promise<string[]> {
  const lost: string[] = []
  for (const name of names) {
    const bytes = killedBytes(name)
    const node = dataset.lookup(dataset.root, name)
    const read = node && (await dataset.readRange(node.id, 0, bytes.length + 1).catch(() => undefined))
    if (!read || Buffer.compare(read, bytes) !== 0) lost.push(name)
  }
  return lost
}

/** Both are started again; `isLoading`: the second goes on with its checkpoint. They are linked until each has what the other wrote, read, checked and stopped. */
async function look(second: number, all: readonly string[], some: readonly string[]) {
  const devices = [await killedDevice(folder, 0).start(), await killedDevice(folder, second).start()] as const
  const [a, b] = devices
  const { isLoading } = b.open.loader
  const link = linkHosts(a, b)
  try {
    await until(() => !b.open.loader.isLoading && segmentsBehind(b.open.store).size === 0 && b.open.store.nodeCount() > FOLDERS, 'loaded')
    await until(() => a.open.store.nodeCount() === b.open.store.nodeCount(), 'equal')
    await until(() => devices.every(({ open }) => open.status().unsafeVersions === 0), 'safe')
    const lost = [await unreadable(a, all), await unreadable(b, some)]
    const problems: string[] = []
    for (const { host, n } of devices) problems.push(...(await host.check(DATASET)).problems.map((line) => `device ${n}: ${line}`))
    return { isLoading, lost, problems, asides: devices.flatMap(({ open }) => open.setAsideFiles) }
  } finally {
    link.dispose()
    for (const device of devices) await device.stop()
  }
}

it('[DS13] kill -9 in a write, an eviction, while a checkpoint is made or loaded: what was told to be kept is read, and the check is clean', {
  timeout: 3_600_000,
}, async () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  const first = await killedDevice(folder, 0).start()
  for (let n = 0; n < FOLDERS; n++) {
    const { id } = first.open.dataset.makeFolder(first.open.dataset.root, `folder ${n}`)
    for (let m = 0; m < FILES_EACH; m++) await first.write(`file ${m}`, utf8(`text ${n} ${m}`), id)
  }
  await first.stop()
  const fell = new Map<string, number>()
  const all: string[] = []
  let second = 1
  const rounds = roundsOfRun(8, 100, KILL_AIMS.length)
  const isMissing = () => KILL_AIMS.some((aim) => !fell.has(aim))
  for (let round = 0; round < rounds || (isMissing() && round < MOST_ROUNDS); round++) {
    const aim = KILL_AIMS[round % KILL_AIMS.length] as KillAim
    if (aim === 'checkpoint loaded' && ++second >= KILLED_DEVICES) throw new Error('more rounds than devices')
    const { at, kept } = await runAndKill(aim, second, round, random)
    all.push(...kept)
    const some = [...kept, ...Array.from({ length: Math.min(SAMPLE, all.length) }, () => random.pick(all))]
    const { isLoading, ...found } = await look(second, all, some)
    const where = at === 'checkpoint loaded' && !isLoading ? 'before a checkpoint is loaded' : at
    fell.set(where, (fell.get(where) ?? 0) + 1)
    expect({ seed, round, at, ...found }).toEqual({ seed, round, at, lost: [[], []], problems: [], asides: [] })
  }
  const table = [...fell].sort(([a], [b]) => (a < b ? -1 : 1)).map(([at, count]) => `${String(count).padStart(4)}  ${at}`)
  console.info(`kills of two files processes: seed ${seed}, ${all.length} files kept, none lost\n${table.join('\n')}`)
  expect(isMissing()).toBe(false)
})
