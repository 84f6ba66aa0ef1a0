import { expect, it } from 'vitest'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { AuthorityAuthor, authorityDevice, entryOf } from '../../testkit/authority-world.ts'
import { AUTHORITY_HEAD_BYTES, countOfHead, headOf } from './authority-head.ts'
import { foldAuthority } from './fold-authority.ts'

const crypto = new SodiumCrypto()

it('[ID82] equal logs have equal heads in any order, others do not; the count is told', () => {
  const author = new AuthorityAuthor()
  const laptop = authorityDevice('laptop')
  const added = author.say(author.me, [author.genesis], { kind: 'add-device', role: 'admin', entry: entryOf(laptop) })
  const a = author.say(laptop, [added], { kind: 'rename', device: laptop, name: 'a' })
  const b = author.say(author.me, [added], { kind: 'rename', device: laptop, name: 'b' })
  const of = (...operations: (typeof a)[]) => headOf(crypto, foldAuthority(author.me, operations).state)
  const all = of(author.genesis, added, a, b)
  expect(of(b, a, added, author.genesis)).toEqual(all)
  expect(of(author.genesis, added, a)).not.toEqual(all)
  expect([countOfHead(all), all.length]).toEqual([4, AUTHORITY_HEAD_BYTES])
})

it('[ID82] no log, and what is no head, count for nothing', () => {
  for (const head of [headOf(crypto, undefined), new Uint8Array(39), new Uint8Array(40).fill(255)])
    expect(countOfHead(head)).toBeUndefined()
})
