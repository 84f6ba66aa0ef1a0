import { expect, it } from 'vitest'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import type { DeviceId } from '../../base/ids.ts'
import { contactWritesHandlers, MAX_CONTACT_WRITES } from './contact-writes.ts'

/** A files process that answers when the test says so, and grants that are watched. */
function contactWith({ isLostAtOnce = false } = {}) {
  const owned = new DisposableStore()
  const begun: ((write: { write: string }) => void)[] = []
  const abandoned: string[] = []
  let watched = 0
  const client = {
    datasetAt: async ({ path }: { path: string }) => {
      if (path !== '/') throw Object.assign(new Error('not there'), { code: 'file/not-found' })
      return { isLocal: false, kind: 'folder', node: 'root' }
    },
    beginDatasetWrite: () => new Promise<{ write: string }>((resolve) => begun.push(resolve)),
    abandonDatasetWrite: async ({ write }: { write: string }) => {
      abandoned.push(write)
      return {}
    },
  }
  const grants = {
    require: () => undefined,
    watch(_question: unknown, lost: () => void): Disposable {
      watched++
      if (isLostAtOnce) lost()
      return { dispose: () => void watched-- }
    },
  }
  const handlers = contactWritesHandlers({
    device: 'theirs' as DeviceId,
    grants,
    files: { client: async () => client },
    owned,
  } as unknown as Parameters<typeof contactWritesHandlers>[0])
  const begin = (path: string) => Promise.resolve(handlers.beginSharedWrite({ dataset: 'd', path }, {} as never))
  return { owned, begun, abandoned, begin, watched: () => watched }
}
const settle = async () => {
  for (let turns = 0; turns < 60; turns++) await Promise.resolve()
}

it('[ID163] as many as are asked for at once are counted before they are open', async () => {
  const { owned, begun, begin } = contactWith()
  const asked = Array.from({ length: MAX_CONTACT_WRITES + 1 }, (_, nth) => begin(`/${nth}.txt`))
  const last = expect(asked.at(-1)).rejects.toMatchObject({ code: 'file/failed' })
  await settle()
  expect(begun).toHaveLength(MAX_CONTACT_WRITES)
  begun.forEach((answer, nth) => answer({ write: `w${nth}` }))
  await last
  await Promise.all(asked.slice(0, MAX_CONTACT_WRITES))
  owned.dispose()
})

it('[ID163] a link that goes while a write begins leaves nothing open', async () => {
  const { owned, begun, abandoned, begin, watched } = contactWith()
  const asked = expect(begin('/a.txt')).rejects.toMatchObject({ code: 'file/not-found' })
  await settle()
  owned.dispose()
  begun[0]?.({ write: 'w' })
  await asked
  await settle()
  expect([abandoned, watched()]).toEqual([['w'], 0])
})

it('[ID163] a grant that ends while a write begins leaves nothing open and nothing watched', async () => {
  const { begun, abandoned, begin, watched } = contactWith({ isLostAtOnce: true })
  const asked = expect(begin('/a.txt')).rejects.toMatchObject({ code: 'file/not-found' })
  await settle()
  begun[0]?.({ write: 'w' })
  await asked
  await settle()
  expect([abandoned, watched()]).toEqual([['w'], 0])
})
