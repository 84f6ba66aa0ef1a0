import { expect, it } from 'vitest'
import { FileError } from '../../../files/file-error.ts'
import { RpcError } from '../../../rpc/rpc-error.ts'
import { homeFileHandlers } from '../../../files/serve-files.ts'
import { ManualClock } from '../../../testkit/manual-clock.ts'
import { MemoryHomeDisk } from '../../../testkit/memory-home-disk.ts'
import { uploadHome } from './device-source.ts'

/** A device's files, of which each call may be cut off before or after it was carried out. */
function far(isCut: (name: string, nth: number) => 'before' | 'after' | undefined) {
  const disk = new MemoryHomeDisk()
  const handlers = homeFileHandlers(disk, new ManualClock(0))
  let nth = 0
  const calls: string[] = []
  const call = (name: 'beginWrite' | 'appendWrite' | 'commitWrite' | 'abandonWrite') => async (input: never) => {
    const cut = isCut(name, nth++)
    calls.push(name)
    if (cut === 'before') throw FileError.deviceAway('far')
    const answer = await (handlers[name] as (input: never, context: never) => unknown)(input, {} as never)
    if (cut === 'after') throw new RpcError('rpc/closed', 'no answer')
    return answer
  }
  const client = {
    beginWrite: call('beginWrite'),
    appendWrite: call('appendWrite'),
    commitWrite: call('commitWrite'),
    abandonWrite: call('abandonWrite'),
  } as unknown as Parameters<typeof uploadHome>[0]
  return { disk, client, calls }
}

const MIB = 1024 * 1024
const content = Uint8Array.from({ length: 5 * MIB + 17 }, (_, n) => (n * 31) % 251)
const work = (signal = new AbortController().signal) => {
  const told: number[] = []
  return { told, signal, onBytes: (bytes: number) => told.push(bytes) }
}

it('[FS14] a file of any size goes to a device piece by piece, and goes on after cuts, wherever they fall', async () => {
  const { disk, client, calls } = far((_name, nth) =>
    nth === 0 ? undefined : nth % 3 === 1 ? 'before' : nth % 3 === 2 ? 'after' : undefined,
  )
  const of = work()
  await uploadHome(client, 'far', '/home/test/film', new Blob([content]), of, 0)
  expect(Buffer.compare(disk.files.get('/home/test/film')?.bytes as Uint8Array, content)).toBe(0)
  expect(of.told.reduce((sum, bytes) => sum + bytes, 0)).toBe(content.length)
  expect(Math.max(...of.told)).toBe(MIB)
  expect(calls.filter((name) => name === 'appendWrite').length).toBeGreaterThan(6)
})

it('[FS14] cancelled, or refused, it leaves nothing', async () => {
  const stop = new AbortController()
  const { disk, client, calls } = far(() => undefined)
  const of = work(stop.signal)
  const going = uploadHome(client, 'far', '/home/test/film', new Blob([content]), { ...of, onBytes: () => stop.abort() }, 0)
  await expect(going).rejects.toMatchObject({ name: 'AbortError' })
  expect([disk.files.size, calls.at(-1)]).toEqual([0, 'abandonWrite'])
})
