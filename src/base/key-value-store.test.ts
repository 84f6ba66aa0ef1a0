import { describeKeyValueStore } from './key-value-store.suite.ts'
import { MemoryKeyValueStore } from './key-value-store.ts'

describeKeyValueStore('MemoryKeyValueStore', () => {
  const store = new MemoryKeyValueStore()
  return { store, reopen: () => store, close: () => {} }
})
