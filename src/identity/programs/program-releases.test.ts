import { expect, it } from 'vitest'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { ProgramReleases } from './program-releases.ts'

it('[ID162] no more programs of one publisher are kept than are looked through; whoever adds more is told', () => {
  const releases = new ProgramReleases(new MemoryKeyValueStore())
  const release = (n: number, publisher = 'p'.repeat(43)) => ({
    publisher,
    format: 'elsewhere-program-release' as const,
    version: 1 as const,
    name: 'make',
    sig: 's'.repeat(86),
    release: String(n),
    ids: Array.from({ length: 64 }, (_, i) => `sha256:${(n * 64 + i).toString(16).padStart(64, '0')}`),
  })
  for (let n = 0; n < 16; n++) releases.add(release(n))
  expect(() => releases.add(release(16))).toThrow(expect.objectContaining({ code: 'release/too-many' }))
  releases.add(release(15)) // a newer word on a known one
  releases.add(release(16, 'q'.repeat(43)))
})
