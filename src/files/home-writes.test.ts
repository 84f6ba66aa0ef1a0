import { expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { MemoryHomeDisk } from '../testkit/memory-home-disk.ts'
import { HomeWrites } from './home-writes.ts'

function writing() {
  const [disk, clock] = [new MemoryHomeDisk(), new ManualClock(0)]
  const at = `${disk.home}/film`
  return { disk, clock, at, writes: new HomeWrites(disk, clock) }
}

it('[FS14] pieces make a file, which is there when it is committed and not before; a piece that is sent again is not written again', async () => {
  const { disk, at, writes } = writing()
  const id = await writes.begin(at)
  expect(await writes.append(id, at, 0, utf8('one '))).toBe(4)
  expect(await writes.append(id, at, 0, utf8('one '))).toBe(4)
  expect(await writes.append(id, at, 4, utf8('two'))).toBe(7)
  expect(disk.files.size).toBe(0)
  await expect(writes.append(id, at, 8, utf8('!'))).rejects.toMatchObject({ code: 'file/changed' })
  await expect(writes.commit(id, at, 8)).rejects.toMatchObject({ code: 'file/changed' })
  await expect(writes.append(id, `${at}2`, 7, utf8('!'))).rejects.toMatchObject({ code: 'file/not-found' })
  const { version } = await writes.commit(id, at, 7)
  expect(new TextDecoder().decode(disk.files.get(at)?.bytes)).toBe('one two')
  // Whoever did not hear of it asks again.
  expect(await writes.commit(id, at, 7)).toEqual({ version })
  await expect(writes.append(id, at, 7, utf8('!'))).rejects.toMatchObject({ code: 'file/not-found' })
})

it('[FS14] who was cut off goes on within two minutes; later, and when it is given up, nothing of it is there', async () => {
  const { clock, at, writes, disk } = writing()
  const id = await writes.begin(at)
  for (let n = 0; n < 5; n++) {
    clock.advance(110_000)
    expect(await writes.append(id, at, n, utf8('x'))).toBe(n + 1)
  }
  clock.advance(121_000)
  await expect(writes.append(id, at, 5, utf8('x'))).rejects.toMatchObject({ code: 'file/not-found' })
  const other = await writes.begin(at)
  await writes.abandon(other, at)
  await writes.abandon(other, at)
  await expect(writes.commit(other, at, 0)).rejects.toMatchObject({ code: 'file/not-found' })
  expect(disk.files.size).toBe(0)
})

it('[FS14] 64 files are written at once, and no more; a name that is taken is refused at the beginning', async () => {
  const { at, writes, disk } = writing()
  await Promise.all(Array.from({ length: 63 }, (_, n) => writes.begin(`${at} ${n}`)))
  const both = await Promise.allSettled([writes.begin(`${at} 63`), writes.begin(`${at} 64`)]) // at once
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  await expect(writes.begin(at)).rejects.toMatchObject({ code: 'file/failed' })
  await disk.write(at, utf8('there'), null)
  await writes.abandon('0'.repeat(23) + '1', `${at} 0`)
  await expect(writes.begin(at)).rejects.toMatchObject({ code: 'file/exists' })
})
