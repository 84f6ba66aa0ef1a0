import { systemClock } from '../base/clock.ts'
import type { DatasetId } from '../base/ids.ts'
import { ChunkCipher } from '../files/chunk-cipher.ts'
import type { ChunkStore } from '../files/chunk-store.ts'
import { type ChunkSource, ContentReader } from '../files/content-reader.ts'
import { ContentWriter } from '../files/content-writer.ts'
import { ChunkCutter } from '../files/cut-chunks.ts'
import { HeldDatasetKeys } from '../files/dataset-key-source.ts'
import { MemoryChunkStore } from '../files/memory-chunk-store.ts'
import { NodeFilesCrypto } from '../platform/node/node-files-crypto.ts'

/** Keys of a data set that tests share. */
export function testDatasetKeys(epochs = 1): HeldDatasetKeys {
  const all = Array.from({ length: epochs }, (_, epoch) => ({ epoch, key: new Uint8Array(32).fill(0x40 + epoch) }))
  return new HeldDatasetKeys('2ao6CNLhf5RZ6kq8rSe9oX' as DatasetId, new Uint8Array(32).fill(7), all)
}

/** What reads and writes content, with real cryptography. */
export function contentParts(options: { store?: ChunkStore; source?: ChunkSource; keys?: HeldDatasetKeys } = {}) {
  const crypto = new NodeFilesCrypto()
  const keys = options.keys ?? testDatasetKeys()
  const store = options.store ?? new MemoryChunkStore()
  const cipher = new ChunkCipher(crypto, keys)
  const cutter = new ChunkCutter(crypto, keys.idKey)
  const reader = new ContentReader(store, cipher, options.source)
  return { crypto, keys, store, cipher, cutter, reader, writer: new ContentWriter({ store, cipher, cutter, reader, clock: systemClock }) }
}
