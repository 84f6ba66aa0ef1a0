import { expect, it, vi } from 'vitest'
import { toBase64Url, utf8 } from '../../base/bytes.ts'
import { DeviceWorld } from '../../testkit/device-world.ts'
import { LONG_WAIT } from '../../testkit/paired-devices.ts'
import { SeededRandom } from '../../testkit/seeded-random.ts'
import golden from './golden/bucket-with-kit-1.json' with { type: 'json' }

/*
 * What version 1 put into a bucket is read by whoever has a kit of then (style guide R24): two packs, one marked to go, their indexes,
 * two batches. The file is never changed; a new format gets a new one.
 */
it('[BK2] [BK7] [ID158] a bucket of format 1 and its recovery kit give all files back, and nothing in it is held for wrong', async () => {
  const world = new DeviceWorld()
  try {
    for (const [name, base64] of Object.entries(golden.objects))
      world.bucket.objects.set(name, new Uint8Array(Buffer.from(base64, 'base64')))
    const bare = await world.install('bare')
    const control = bare.control()
    await control.restoreDevice({
      kit: toBase64Url(utf8(golden.kit)),
      words: golden.words.join(' '),
      passphrase: 'quite another passphrase',
      deviceName: 'bare',
      unattended: false,
    })
    await vi.waitFor(async () => expect((await control.listDatasets({})).length).toBe(1), LONG_WAIT)
    const [shown] = await control.syncBuckets({})
    expect(shown).toMatchObject({ endpoint: 'https://s3.example.org', bucket: 'ada', datasetName: 'Home' })
    // The marked pack gives chunks and counts no more; whoever wrote them has a minute to send them anew.
    expect(shown?.status).toMatchObject({ state: 'partial', chunks: 3, packs: 2, wrong: 0, strangeBatches: 0, awayChunks: 2 })
    const dataset = shown?.dataset as string
    const read = async (path: string) => {
      const { node } = await control.datasetAt({ dataset, path })
      return Buffer.from((await control.readDatasetBytes({ dataset, node, offset: 0, length: 100_000 })).base64, 'base64')
    }
    expect((await read('/docs/plan.txt')).toString()).toBe('second')
    expect(Buffer.compare(await read('/random.bin'), new SeededRandom(15).bytes(20_000))).toBe(0)
    const marked = Object.keys(golden.objects).find((name) => name.includes('/d/')) as string
    expect(world.bucket.objects.has(marked)).toBe(true)
    expect(bare.errors).toEqual([])
  } finally {
    world.dispose()
  }
})
