import { expect, it } from 'vitest'
import { Emitter } from '../../base/emitter.ts'
import { silentLogger } from '../../base/logger.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import type { HostClient } from '../device-parts.ts'
import { JobsService, type JobsServiceOptions } from './jobs-service.ts'

it('[JB48] a host that outlived the device process hears that no display is unlocked any more', async () => {
  const connected = new Emitter<HostClient>()
  const told: boolean[] = []
  const host = {
    onDidChangeTree: () => ({ dispose: () => undefined }),
    tellDisplayOpen: async ({ isOpen }: { isOpen: boolean }) => void told.push(isOpen),
  } as unknown as HostClient
  const service = new JobsService({
    local: { client: async () => host, onDidConnect: connected.event, dispose: () => undefined },
    peers: { onDidAdd: () => ({ dispose: () => undefined }) },
    contacts: { onDidMeet: () => ({ dispose: () => undefined }) },
    clock: new ManualClock(),
    log: silentLogger,
  } as unknown as JobsServiceOptions)
  connected.fire(host)
  service.setDisplayOpen(true)
  await Promise.resolve()
  connected.fire(host) // started anew
  expect(told).toEqual([false, true, true])
  service.dispose()
})
