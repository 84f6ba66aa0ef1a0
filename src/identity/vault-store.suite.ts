import { describe, expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import type { VaultStore } from './vault-store.ts'

/** What every `VaultStore` must do. `create` gives an empty one each time. */
export function describeVaultStore(create: () => Promise<VaultStore>): void {
  describe('ID14 vault files', () => {
    it('[ID14] has nothing at first, keeps what is written, and forgets what is removed', async () => {
      const store = await create()
      expect(await store.read('vault')).toBeUndefined()
      await store.remove('unattended')
      await store.write('vault', utf8('one'))
      await store.write('unattended', utf8('key'))
      await store.write('vault', utf8('two'))
      expect(await store.read('vault')).toEqual(utf8('two'))
      expect(await store.read('unattended')).toEqual(utf8('key'))
      await store.remove('unattended')
      await store.remove('unattended')
      expect(await store.read('unattended')).toBeUndefined()
      expect(await store.read('vault')).toEqual(utf8('two'))
    })

    it('[ID14] hands out copies: wiping what was read or written changes nothing kept', async () => {
      const store = await create()
      const written = utf8('secret')
      await store.write('vault', written)
      written.fill(0)
      const read = await store.read('vault')
      read?.fill(0)
      expect(await store.read('vault')).toEqual(utf8('secret'))
    })
  })
}
