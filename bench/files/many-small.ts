import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { readFile, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { spawnSync } from 'node:child_process'
import { whyNoMounts } from '../../src/testkit/mount-lab.ts'
import { whyNoNetLab } from '../../src/testkit/netlab.ts'
import type { BenchLab } from '../follow/bench-lab.ts'
import { SyncthingPair } from '../peers/syncthing.ts'
import { notMeasured, type Row } from '../report.ts'
import { scratchFolder } from '../scratch-folder.ts'
import { isLessThan } from '../verdict.ts'
import { homeOf } from './between-devices.ts'
import { dropCaches, mountedPair, untilQuiet } from './on-cable.ts'
import { processorTimes, used } from './processor-times.ts'

/*
 * A folder of many small files is taken in on A and seen on B: `elsewhere fs import`, and a folder that syncthing is told to keep on both. Both begin with all
 * files on A's disk and nothing of them in memory. Seen is: every name is listed on B with its size. syncthing has the bytes there then, too; ours come when
 * they are read, and what is read first is compared.
 */

const FAN = 100
const FILE_BYTES = 1024
const SAMPLE = 50
const PATIENCE_MS = 1_500_000

export async function measureManySmall(args: readonly string[]): Promise<readonly Row[]> {
  const at = args.indexOf('--files')
  const files = at >= 0 ? Number(args[at + 1]) : args.includes('--small') ? 5_000 : 100_000
  const said = files.toLocaleString('en-US')
  const row = (id: string, what: string) => ({
    id: `many-${id}`,
    what: `${said} files of 1 KiB: ${what}`,
    unit: 's',
    must: 'ahead of syncthing',
    goal: undefined,
  })
  const rows = { import: row('import', 'import'), seen: row('seen', 'visible on the other device, from the begin of the import') }
  const why = whyNoMounts() ?? whyNoNetLab()
  if (why !== undefined) return Object.values(rows).map((one) => notMeasured(one, why))
  const folder = scratchFolder('ew-many-')
  const lab = await mountedPair()
  try {
    const from = path.join(folder, 'from')
    makeFiles(from, files)
    const ours = await importTimes(lab, from, files)
    // B still fetches the contents: what is measured next must not pay for that.
    await untilQuiet([lab.machine('a').machine, lab.machine('b').machine], PATIENCE_MS)
    const whyNot = SyncthingPair.whyNot()
    const peer = whyNot === undefined ? await syncthingTimes(lab, from, path.join(folder, 'to'), files) : undefined
    const done = (to: (typeof rows)['import'], which: 'import' | 'seen', more: Readonly<Record<string, number>>): Row => ({
      ...to,
      value: ours[which],
      met: isLessThan(ours[which], [peer?.[which]]),
      peers: { ...(peer && { syncthing: peer[which] }), ...more },
      commands: { elsewhere: 'elsewhere fs import FOLDER /many', ...(peer && { syncthing: SyncthingPair.commandLine }) },
      n: 1,
      ...(whyNot !== undefined && { why: whyNot }),
    })
    return [done(rows.import, 'import', ours.cpu), done(rows.seen, 'seen', { [`${SAMPLE} of them read on B`]: ours.sample })]
  } finally {
    await lab.dispose()
    await rm(folder, { recursive: true, force: true })
  }
}

const placeOf = (n: number) => path.join(`folder ${Math.floor(n / FAN)}`, `file ${n}.txt`)

/** Each with bytes of its own. */
function makeFiles(at: string, files: number): void {
  for (let n = 0; n < files; n++) {
    if (n % FAN === 0) mkdirSync(path.join(at, path.dirname(placeOf(n))), { recursive: true })
    writeFileSync(path.join(at, placeOf(n)), randomBytes(FILE_BYTES))
  }
}

async function importTimes(lab: BenchLab, from: string, files: number) {
  const b = await homeOf(lab, 'b')
  dropCaches()
  const before = await processorTimes(lab)
  const begunMs = performance.now()
  const since = () => (performance.now() - begunMs) / 1000
  const importing = lab
    .machine('a')
    .device.cli(['fs', 'import', from, '/many', '--json'])
    .then(({ code, output }) => {
      if (code !== 0) throw new Error(`the import ended with ${code}: ${output.slice(-300)}`)
      return since()
    })
  const [taken, seen] = await Promise.all([importing, isSeen(path.join(b, 'many'), files).then(since)])
  const after = await processorTimes(lab)
  const readMs = performance.now()
  for (let n = 0; n < SAMPLE; n++) {
    const place = placeOf(Math.floor(((n + 0.5) * files) / SAMPLE))
    const [there, here] = await Promise.all([readFile(path.join(b, 'many', place)), readFile(path.join(from, place))])
    if (!there.equals(here)) throw new Error(`${place} is another one on B`)
  }
  console.error(`bench: many: import ${taken.toFixed(1)} s, seen ${seen.toFixed(1)} s`)
  return { import: taken, seen, sample: (performance.now() - readMs) / 1000, cpu: used(before, after) }
}

async function syncthingTimes(lab: BenchLab, from: string, to: string, files: number) {
  const pair = await SyncthingPair.start(lab.machine('a').machine, lab.machine('b').machine)
  try {
    await pair.share({ a: from, b: to }, { paused: ['a'] })
    dropCaches()
    const begunMs = performance.now()
    const since = () => (performance.now() - begunMs) / 1000
    await pair.setPaused('a', false)
    const [taken, seen] = await Promise.all([pair.rested('a', files, PATIENCE_MS).then(since), isSeen(to, files).then(since)])
    console.error(`bench: many: syncthing scans ${taken.toFixed(1)} s, seen ${seen.toFixed(1)} s`)
    return { import: taken, seen }
  } finally {
    await pair.dispose()
  }
}

/** All names are listed with their sizes. First a few are looked for: to look for all costs whoever is measured. */
async function isSeen(at: string, files: number): Promise<void> {
  const giveUpMs = performance.now() + PATIENCE_MS
  const few = Array.from({ length: 20 }, (_, n) => path.join(at, placeOf(files - 1 - Math.floor((n * files) / 20))))
  for (const file of few) {
    while ((await stat(file).catch(() => undefined))?.size !== FILE_BYTES) {
      if (performance.now() > giveUpMs) throw new Error(`${file} was not seen in ${PATIENCE_MS / 1000} s`)
      await delay(100)
    }
  }
  for (;;) {
    const begunMs = performance.now()
    // In a process of its own: a mount is never looked through from the process that would have to end the one that serves it.
    const { stdout } = spawnSync('find', [at, '-type', 'f', '-name', 'file *.txt', '-size', `${FILE_BYTES}c`, '-printf', '.'], {
      encoding: 'utf8',
      maxBuffer: 1 << 24,
    })
    if (stdout.length >= files) return
    if (performance.now() > giveUpMs) throw new Error(`${stdout.length} of ${files} files were seen in ${PATIENCE_MS / 1000} s`)
    await delay(Math.max(200, 2 * (performance.now() - begunMs)))
  }
}
