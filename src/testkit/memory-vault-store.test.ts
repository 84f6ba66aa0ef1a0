import { describe } from 'vitest'
import { describeVaultStore } from '../identity/vault-store.suite.ts'
import { MemoryVaultStore } from '../identity/memory-vault-store.ts'

describe('MemoryVaultStore', () => describeVaultStore(async () => new MemoryVaultStore()))
