import { describeDatasetStore } from './dataset-store.suite.ts'
import { MemoryDatasetStore } from './memory-dataset-store.ts'

describeDatasetStore('memory', () => ({ store: new MemoryDatasetStore(), dispose: () => {} }))
