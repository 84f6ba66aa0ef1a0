import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { BenchLab } from './bench-lab.ts'

const FILE_BYTES = 256 * 1024
/** Reads under way at once: more than the bulk connection lets into flight on a path of 80 ms. */
const READS = 24

/**
 * B reads a file of A's home without end, many times at once, as the Files app reads one, while `work` runs.
 *
 * @returns what `work` returned, and the speed of the files in MB/s
 */
export async function whileFilesFlow<T>(lab: BenchLab, work: () => Promise<T>): Promise<{ result: T; megabytesPerSecond: number }> {
  const { device: from, deviceId: device } = lab.machine('a')
  const file = path.join(from.folder, 'load.bin')
  await writeFile(file, randomBytes(FILE_BYTES))
  return lab.ask('b', async (client) => {
    const over = new AbortController()
    let bytes = 0
    const startedMs = performance.now()
    const readers = Array.from({ length: READS }, async () => {
      while (!over.signal.aborted) {
        await client.readBytes({ device, path: file })
        bytes += FILE_BYTES
      }
    })
    const failed = Promise.all(readers).then(() => new Promise<never>(() => {})) // rejects when a read fails
    try {
      const result = await Promise.race([work(), failed])
      return { result, megabytesPerSecond: bytes / 1e3 / (performance.now() - startedMs) }
    } finally {
      over.abort()
      await Promise.allSettled(readers)
    }
  })
}
