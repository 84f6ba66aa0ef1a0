import { describeChunkStore } from './chunk-store.suite.ts'
import { MemoryChunkStore } from './memory-chunk-store.ts'

describeChunkStore('memory', async () => ({ store: new MemoryChunkStore(), dispose: async () => {} }))
