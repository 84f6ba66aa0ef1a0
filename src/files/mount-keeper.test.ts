import { expect, it } from 'vitest'
import { silentLogger } from '../base/logger.ts'
import { TestDatasetHost } from '../testkit/dataset-hosts.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MountKeeper, type TreeMounter } from './mount-keeper.ts'
import { type MountedTree, ROOT_INO } from './mounted-tree.ts'

const turns = async () => {
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve))
}

/** A device whose open datasets are mounted, as far as a test looks: `names` at the top of the mount. */
function mountedDevice() {
  const clock = new ManualClock()
  const device = new TestDatasetHost(0, 1, clock)
  const mounts: MountedTree[] = []
  const ended = { count: 0 }
  const mounter: TreeMounter = {
    setting: { isOn: true, at: '/mnt' },
    keep: () => {},
    space: () => ({ totalBytes: 1, freeBytes: 1 }),
    mount: async (at, tree) => {
      mounts.push(tree)
      return { at, ended: new Promise(() => {}), unmount: async () => void ended.count++ }
    },
  }
  const keeper = new MountKeeper({ host: device.host, mounter, clock, log: silentLogger })
  const names = async () => (await mounts[0]?.readdir(ROOT_INO, 0, 10))?.map(({ name }) => name)
  return { device, mounts, ended, keeper, names }
}

it('[MT15] a dataset that is opened later joins the mount, one that is closed leaves it, and neither ends it', async () => {
  const { device, mounts, ended, keeper, names } = mountedDevice()
  await device.unlock()
  await turns()
  expect(await names()).toEqual(['Home'])
  await device.unlock('4'.repeat(22), 'Work')
  await turns()
  expect([await names(), mounts.length, ended.count]).toEqual([['Home', 'Work'], 1, 0])
  await device.unlock('4'.repeat(22), 'Studio')
  await turns()
  expect([await names(), keeper.status]).toMatchObject([['Home', 'Studio'], { folders: [{ name: 'Home' }, { name: 'Studio' }] }])
  await device.host.handlers().closeDataset({ dataset: '4'.repeat(22) }, {} as never)
  await turns()
  expect([await names(), mounts.length, ended.count]).toEqual([['Home'], 1, 0])
  await device.host.close()
  expect(ended.count).toBe(1)
  keeper.dispose()
  device.dispose()
})

it('[MT15] one that is being closed does not come back into the mount before it is, unless closing it is called off', async () => {
  const { device, keeper, names } = mountedDevice()
  await device.unlock()
  await device.unlock('4'.repeat(22), 'Work')
  await turns()
  let go = () => {}
  device.host.beforeClose(() => new Promise((resolve) => (go = resolve)))
  const closing = device.host.handlers().closeDataset({ dataset: '4'.repeat(22) }, {} as never)
  await turns()
  await device.unlock('5'.repeat(22), 'Studio')
  await turns()
  expect(await names()).toEqual(['Home', 'Studio'])
  await device.unlock('4'.repeat(22), 'Work')
  go()
  await closing
  await turns()
  expect((await names())?.toSorted()).toEqual(['Home', 'Studio', 'Work'])
  const closed = device.host.close()
  go()
  await closed
  keeper.dispose()
  device.dispose()
})

it('a dataset whose opening waits for others to be closed stays closed when the device locks meanwhile', async () => {
  const device = new TestDatasetHost(0, 1, new ManualClock())
  await device.unlock()
  const gone: (() => void)[] = []
  device.host.beforeClose(() => new Promise((resolve) => gone.push(resolve)))
  const closing = device.host.close()
  const waits = device.unlock()
  const again = device.host.close()
  for (const go of gone) go()
  await expect(waits).rejects.toMatchObject({ code: 'dataset/locked' })
  await Promise.all([closing, again])
  expect(device.host.open).toEqual([])
  await device.unlock()
  expect(device.host.open.length).toBe(1)
  device.dispose()
})
