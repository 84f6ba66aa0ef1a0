import type { Clock } from '../base/clock.ts'
import { Emitter } from '../base/emitter.ts'
import { silentLogger } from '../base/logger.ts'
import type { AttemptHostParts } from '../jobs/attempt-host.ts'
import { FakeJobSpawner } from './fake-job-process.ts'
import { FakePlacedPrograms } from './fake-placed-programs.ts'
import { MemoryTreePlaces } from './memory-tree.ts'

const never = (): never => {
  throw new Error('no terminals here')
}

/** Parts of an attempt host whose programs and folders are a test's. */
export const attemptHostParts = (clock: Clock, over: Partial<AttemptHostParts> = {}) => ({
  spawner: new FakeJobSpawner(),
  places: new MemoryTreePlaces(),
  programs: new FakePlacedPrograms(),
  sockets: { connect: () => Promise.reject(new Error('no ports here')) },
  signs: { lastInputMs: () => undefined, pressure: () => undefined },
  terminals: { start: () => never(), hangUp: async () => undefined, onDidChangeTerminal: new Emitter<never>().event },
  noSandbox: () => undefined,
  clock,
  logger: silentLogger,
  environment: {},
  home: '/home/ada',
  ...over,
})
