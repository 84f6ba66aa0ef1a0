import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import path from 'node:path'
import { whenLoaded } from '../files/checkpoint/still-loading.ts'
import { linkHosts } from './dataset-hosts.ts'
import { DiskDatasetHost } from './disk-dataset-host.ts'
import { SeededRandom } from './seeded-random.ts'

/** What a kill is to fall into; it may fall beside it. */
export const KILL_AIMS = ['write', 'eviction', 'checkpoint made', 'checkpoint loaded'] as const
export type KillAim = (typeof KILL_AIMS)[number]

/** Devices of the person: the first stays, and of the others one after the other starts with its checkpoint. */
export const KILLED_DEVICES = 50

export const killedDevice = (folder: string, n: number): DiskDatasetHost =>
  new DiskDatasetHost(n, { folder: path.join(folder, `device-${n}`), count: KILLED_DEVICES })

/** What the file of this name holds: up to 40 KB, all of them different. */
export function killedBytes(name: string): Uint8Array {
  const digest = createHash('sha256').update(name).digest()
  return Buffer.alloc(1 + (digest.readUInt16BE(0) % 40_000), digest)
}

/*
 * The files processes of two devices in one process, on a real disk, until it is killed: `node kill-dataset.ts FOLDER SECOND AIM ROUND`.
 * Says on stdout what it is at before it begins, how much of a checkpoint is loaded, and the name of each file when its write has returned.
 */
if (process.argv[1]?.endsWith('kill-dataset.ts')) {
  const [folder, second, aim, round] = process.argv.slice(2) as [string, string, KillAim, string]
  const say = (line: string) => writeSync(1, `${line}\n`)
  const random = new SeededRandom(Number(round))
  const [a, b] = [await killedDevice(folder, 0).start(), await killedDevice(folder, Number(second)).start()]
  let count = 0
  const write = async (device: DiskDatasetHost) => {
    const name = `${device.n}-${round}-${count++}`
    const { dataset } = device.open
    const manifest = await dataset.writer.write(killedBytes(name))
    await whenLoaded(() => dataset.createFile(dataset.root, name, { manifest }))
    say(`kept ${name}`)
  }
  const writeSome = async () => {
    say('at write')
    for (let n = 0; n < 12; n++) await write(random.chance(0.5) ? a : b)
  }
  const make = async () => {
    say('at checkpoint made')
    await a.open.maker.make()
  }
  const evict = async () => {
    // What nobody else has yet is written before and while space is made.
    link.dispose()
    for (let n = 0; n < 3; n++) await write(b)
    say('at eviction')
    await Promise.all([b.open.makeRoom(0, Math.floor(b.open.chunks.stats.bytes / 2)), write(b), write(b)])
    link = linkHosts(a, b)
  }

  if (aim === 'checkpoint loaded') {
    while (!a.open.maker.last) {
      await make()
      if (!a.open.maker.last) await write(a)
    }
    say('at checkpoint loaded')
  }
  let link = linkHosts(a, b)
  if (aim === 'checkpoint loaded') {
    const { loader, store } = b.open
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    while (!loader.isLoading && store.nodeCount() === 0) await turn()
    for (let told = -1; loader.isLoading; await turn()) {
      if (loader.loadedRows === told) continue
      told = loader.loadedRows
      say(`share ${told / (loader.rows ?? Number.POSITIVE_INFINITY)}`)
      if (random.chance(0.3)) await write(b)
    }
  }
  for (;;) {
    if (aim !== 'eviction' || random.chance(0.3)) await writeSome()
    if (aim === 'checkpoint made') await make()
    if (aim === 'eviction') await evict()
    if (aim === 'checkpoint loaded') say('at segments behind it')
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
