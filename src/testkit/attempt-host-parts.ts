import type { Clock } from '../base/clock.ts'
import { silentLogger } from '../base/logger.ts'
import type { AttemptHostParts } from '../jobs/attempt-host.ts'
import { FakeJobSpawner } from './fake-job-process.ts'
import { MemoryTreePlaces } from './memory-tree.ts'

/** Parts of an attempt host whose programs and folders are a test's. */
export const attemptHostParts = (clock: Clock, over: Partial<AttemptHostParts> = {}) => ({
  spawner: new FakeJobSpawner(),
  places: new MemoryTreePlaces(),
  sockets: { connect: () => Promise.reject(new Error('no ports here')) },
  signs: { lastInputMs: () => undefined, pressure: () => undefined },
  noSandbox: () => undefined,
  clock,
  logger: silentLogger,
  environment: {},
  home: '/home/ada',
  ...over,
})
