import { expect, it } from 'vitest'
import { silentLogger } from '../base/logger.ts'
import { TestDatasetHost } from '../testkit/dataset-hosts.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MountKeeper, type TreeMounter } from './mount-keeper.ts'
import { type MountedTree, ROOT_INO } from './mounted-tree.ts'

const turns = async () => {
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve))
}

it('[MT15] a dataset that is opened later joins the mount, one that is closed leaves it, and neither ends it', async () => {
  const clock = new ManualClock()
  const device = new TestDatasetHost(0, 1, clock)
  const mounts: MountedTree[] = []
  let ended = 0
  const mounter: TreeMounter = {
    setting: { isOn: true, at: '/mnt' },
    keep: () => {},
    space: () => ({ totalBytes: 1, freeBytes: 1 }),
    mount: async (at, tree) => {
      mounts.push(tree)
      return { at, ended: new Promise(() => {}), unmount: async () => void ended++ }
    },
  }
  const keeper = new MountKeeper({ host: device.host, mounter, clock, log: silentLogger })
  const names = async () => (await mounts[0]?.readdir(ROOT_INO, 0, 10))?.map(({ name }) => name)
  await device.unlock()
  await turns()
  expect(await names()).toEqual(['Home'])
  await device.unlock('4'.repeat(22), 'Work')
  await turns()
  expect([await names(), mounts.length, ended]).toEqual([['Home', 'Work'], 1, 0])
  await device.unlock('4'.repeat(22), 'Studio')
  await turns()
  expect([await names(), keeper.status]).toMatchObject([['Home', 'Studio'], { folders: [{ name: 'Home' }, { name: 'Studio' }] }])
  await device.host.handlers().closeDataset({ dataset: '4'.repeat(22) }, {} as never)
  await turns()
  expect([await names(), mounts.length, ended]).toEqual([['Home'], 1, 0])
  await device.host.close()
  expect(ended).toBe(1)
  keeper.dispose()
  device.dispose()
})
