import { expect, it } from 'vitest'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { authorityDevice } from '../../testkit/authority-world.ts'
import { HeadsHeard } from './heads-heard.ts'

it('[ID67] a device that knows less than it did is told of, once, also across a restart', () => {
  const store = new MemoryKeyValueStore()
  const phone = authorityDevice('phone')
  const heard = new HeadsHeard(store)
  expect([heard.hear(phone, 5), heard.hear(phone, 9), heard.hear(authorityDevice('tablet'), 2)]).toEqual([undefined, undefined, undefined])
  const again = new HeadsHeard(store)
  expect(again.hear(phone, 7)).toEqual({ kind: 'rollback', device: phone, before: 9, now: 7 })
  expect([again.hear(phone, 7), again.hear(phone, 8)]).toEqual([undefined, undefined])
})
