import { describe } from 'vitest'
import { MemoryAuthorityStore } from './authority-store.ts'
import { describeAuthorityStore } from './authority-store.suite.ts'

describe('MemoryAuthorityStore', () => describeAuthorityStore(() => ({ store: new MemoryAuthorityStore() })))
