import { afterEach, expect, it } from 'vitest'
import { DisposableStore } from '../base/disposable.ts'
import { linkHosts, TestDatasetHost } from '../testkit/dataset-hosts.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { SeededRandom } from '../testkit/seeded-random.ts'
import { ROOT_NODE } from './op.ts'

let owned = new DisposableStore()
afterEach(() => {
  owned.dispose()
  owned = new DisposableStore()
})

async function three() {
  const clock = new ManualClock()
  const hosts = [0, 1, 2].map((n) => owned.add(new TestDatasetHost(n, 3, clock)))
  for (const host of hosts) await host.unlock()
  const [near, silent, good] = hosts as [TestDatasetHost, TestDatasetHost, TestDatasetHost]
  const write = async ({ open }: TestDatasetHost, name: string, seed: number) => {
    const manifest = await open.dataset.writer.write(new SeededRandom(seed).bytes(200_000))
    open.dataset.createFile(ROOT_NODE, name, { manifest })
    open.dataset.flush()
  }
  /** Time goes on until it is so, at most so long. */
  const until = async (isSo: () => boolean, ms: number) => {
    for (let past = 0; past < ms && !isSo(); past += 100) {
      for (let turn = 0; turn < 6; turn++) await new Promise((resolve) => setImmediate(resolve))
      clock.advance(100)
    }
    return isSo()
  }
  return { clock, near, silent, good, write, until }
}

it('[TR17] a device that is silent about its chunks holds up nobody else: what others write is copied and safe', async () => {
  const { near, silent, good, write, until } = await three()
  for (let n = 0; n < 20; n++) await write(silent, `of silent ${n}`, n)
  silent.chunks.takes = () => new Promise(() => {})
  owned.add(linkHosts(near, silent))
  expect(await until(() => near.open.book.owed.length === 20, 5_000)).toBe(true)
  await write(good, 'of good', 30)
  owned.add(linkHosts(near, good))
  expect(await until(() => good.open.status().unsafeVersions === 0, 10_000)).toBe(true)
  expect(near.open.book.owed.length).toBe(20)
})

it('[TR17] what a device was silent about is copied when it answers; what else it wrote is not behind that', async () => {
  const { near, silent, write, until } = await three()
  for (let n = 0; n < 3; n++) await write(silent, `file ${n}`, n)
  const first = silent.open.dataset.at('/file 0').manifest.pieces[0]?.id
  silent.chunks.gives = (id) => id !== first
  let isSilent = true
  silent.chunks.takes = () => new Promise((resolve) => void (isSilent ? undefined : resolve()))
  owned.add(linkHosts(near, silent))
  expect(await until(() => near.open.book.owed.length === 3, 5_000)).toBe(true)
  await until(() => false, 30_000)
  isSilent = false
  silent.chunks.takes = undefined
  expect(await until(() => near.open.book.owed.length === 1, 200_000)).toBe(true)
  silent.chunks.gives = () => true
  expect(await until(() => near.open.book.owed.length === 0, 100_000)).toBe(true)
})

it('[TR17] whoever reads what only a silent device has is told after a minute', async () => {
  const { near, silent, write, until } = await three()
  await write(silent, 'file', 1)
  owned.add(linkHosts(near, silent))
  near.chunks.takes = undefined
  silent.chunks.takes = () => new Promise(() => {})
  expect(await until(() => near.open.dataset.children(ROOT_NODE).length === 1, 5_000)).toBe(true)
  let code = ''
  const { manifest } = near.open.dataset.at('/file')
  const read = near.open.dataset.reader.read(manifest, 0, 10).catch((error) => (code = error.code))
  expect(await until(() => code !== '', 90_000)).toBe(true)
  await read
  expect(code).toBe('chunk/unavailable')
})
