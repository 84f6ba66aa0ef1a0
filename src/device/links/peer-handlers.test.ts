import { expect, it, vi } from 'vitest'
import { DomainError } from '../../base/errors.ts'
import { systemClock } from '../../base/clock.ts'
import type { DeviceId } from '../../base/ids.ts'
import type { Ability, GrantCheck } from '../../identity/grant-check.ts'
import { memoryChannelPair } from '../../testkit/memory-channels.ts'
import { peerJobsHandlers, type PeerJobsOptions } from '../jobs/peer-jobs.ts'

class Refused extends DomainError {
  readonly code = 'grant/refused'
}

/** A host that runs one attempt, started on this machine's network or not. */
function asking(asShell: boolean) {
  const may = new Set<Ability>(['jobs:run', 'shell'])
  const watched = new Map<Ability, () => void>()
  const ended: string[] = []
  const grants = {
    allows: ({ ability }) => may.has(ability),
    require: ({ ability }) => {
      if (!may.has(ability)) throw new Refused(`not ${ability}`)
    },
    watch: ({ ability }, lost) => {
      watched.set(ability, lost)
      return { dispose: () => watched.delete(ability) }
    },
    jobGrants: () => [],
    describe: () => '',
  } satisfies GrantCheck
  const client = {
    attachFor: async () => ({ channel: 1, tree: 2, asShell }),
    endAttempt: async ({ reason }: { reason: string }) => (ended.push(reason), {}),
    channel: () => memoryChannelPair()[0],
  }
  const host = { client: async () => client } as unknown as PeerJobsOptions['host']
  const handlers = peerJobsHandlers({ device: 'peer' as DeviceId, grants, host, clock: systemClock } as unknown as PeerJobsOptions)
  const context = { signal: new AbortController().signal, openChannel: () => memoryChannelPair()[0] }
  const attach = async () => handlers.attachPlaced({ attempt: '2'.repeat(16), from: 0 }, context as never)
  return { may, watched, ended, attach }
}

it('[JB55] an attempt on the network of this machine, taken up by another link, ends with the grant of a shell', async () => {
  const { watched, ended, attach } = asking(true)
  await attach()
  expect([...watched.keys()]).toEqual(['jobs:run', 'shell'])
  watched.get('shell')?.()
  await vi.waitFor(() => expect(ended).toEqual(['grant']), 30_000)
})

it('[JB55] it is not taken up without that grant, and ends; one that is shut in needs no shell', async () => {
  const open = asking(true)
  open.may.delete('shell')
  await expect(open.attach()).rejects.toMatchObject({ code: 'grant/refused' })
  expect(open.ended).toEqual(['grant'])
  const shut = asking(false)
  shut.may.delete('shell')
  await shut.attach()
  expect([...shut.watched.keys()]).toEqual(['jobs:run'])
})
