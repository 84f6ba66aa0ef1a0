import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KeyValueStore } from './key-value-store.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value)

/** Rules SY90-SY92: what every implementation of KeyValueStore does. `make` opens an empty store. */
export function describeKeyValueStore(
  name: string,
  make: () => { store: KeyValueStore; reopen: () => KeyValueStore; close: () => void },
): void {
  describe(name, () => {
    let made: ReturnType<typeof make>
    let store: KeyValueStore
    beforeEach(() => {
      made = make()
      store = made.store
    })
    afterEach(() => made.close())

    it('[SY90] the value last put is read, per space', () => {
      store.put('a', 'k', bytes('one'))
      store.put('a', 'k', bytes('two'))
      store.put('b', 'k', bytes('other'))
      expect([text(store.get('a', 'k')), text(store.get('b', 'k')), store.get('a', 'none')]).toEqual(['two', 'other', undefined])
    })

    it('[SY91] entries lists a space, with keys in plain; a deleted key is gone', () => {
      store.put('a', 'x', bytes('1'))
      store.put('a', 'y', bytes('2'))
      store.put('b', 'z', bytes('3'))
      store.delete('a', 'x')
      store.delete('a', 'never')
      expect(store.entries('a').map(([key, value]) => [key, text(value)])).toEqual([['y', '2']])
      expect(store.entries('none')).toEqual([])
    })

    it('[SY92] values are there after closing and opening', () => {
      store.put('a', 'k', bytes('one'))
      store = made.reopen()
      expect(text(store.get('a', 'k'))).toBe('one')
      expect(store.entries('a').map(([key]) => key)).toEqual(['k'])
    })
  })
}
