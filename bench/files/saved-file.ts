import { rm } from 'node:fs/promises'
import path from 'node:path'
import { whyNoMounts } from '../../src/testkit/mount-lab.ts'
import { whyNoNetLab } from '../../src/testkit/netlab.ts'
import { SyncthingPair } from '../peers/syncthing.ts'
import { median, notMeasured, quantile, type Row } from '../report.ts'
import { scratchFolder } from '../scratch-folder.ts'
import { isLessThan, verdict } from '../verdict.ts'
import { homeOf } from './between-devices.ts'
import { mountedPair } from './on-cable.ts'
import { saveTimes } from './save-times.ts'

/*
 * A small file is saved in a folder of A and read in the same one of B: by us, and by syncthing as it comes (a change rests ten seconds before it is sent) and
 * with the shortest rest it takes, one second.
 */

const SAVES = 20

export async function measureSavedFile(args: readonly string[]): Promise<readonly Row[]> {
  const isSmall = args.includes('--small')
  const row = {
    id: 'saved',
    what: 'a small file saved on A > readable on B, veth, p50',
    unit: 'ms',
    must: '<= 500 ms, ahead of syncthing',
    goal: '150 ms',
  }
  const why = whyNoMounts() ?? whyNoNetLab()
  if (why !== undefined) return [notMeasured(row, why)]
  const folder = scratchFolder('ew-saved-')
  const lab = await mountedPair()
  let pair: SyncthingPair | undefined
  try {
    const [a, b] = await Promise.all([homeOf(lab, 'a'), homeOf(lab, 'b')])
    const ours = await saveTimes(a, b, SAVES)
    const whyNot = SyncthingPair.whyNot()
    const peers: Record<string, number> = { p95: quantile(ours, 0.95) }
    let usual: number | undefined
    if (whyNot === undefined) {
      pair = await SyncthingPair.start(lab.machine('a').machine, lab.machine('b').machine)
      const [from, to] = [path.join(folder, 'a'), path.join(folder, 'b')]
      await pair.share({ a: from, b: to })
      await pair.rested('b', 0)
      usual = median(await saveTimes(from, to, isSmall ? 3 : 7))
      await pair.setWatch(1)
      peers.syncthing = usual
      peers['syncthing, fsWatcherDelayS=1'] = median(await saveTimes(from, to, isSmall ? 5 : 15))
    }
    const value = median(ours)
    return [
      {
        ...row,
        value,
        met: verdict(value <= 500, isLessThan(value, [usual])),
        peers,
        n: ours.length,
        ...(whyNot === undefined ? { commands: { syncthing: SyncthingPair.commandLine } } : { why: whyNot }),
      },
    ]
  } finally {
    await pair?.dispose()
    await lab.dispose()
    await rm(folder, { recursive: true, force: true })
  }
}
