import { describe } from 'vitest'
import { describeCrypto } from '../../identity/crypto.suite.ts'
import { SodiumCrypto } from './sodium-crypto.ts'

describe('SodiumCrypto', () => describeCrypto(() => new SodiumCrypto()))
