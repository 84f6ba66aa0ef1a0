import type { MachineCondition } from '../jobs/machine-facts.ts'

/** A machine that is as a test says; without more, an idle one that has every tool and a sandbox. */
export const fixedCondition = (over: Partial<MachineCondition> = {}): MachineCondition => ({
  platform: 'linux',
  architecture: 'x64',
  battery: () => undefined,
  lastInputMs: () => undefined,
  ownerSigns: { lastInputMs: () => undefined, pressure: () => undefined },
  missing: () => [],
  noSandbox: () => undefined,
  speed: async () => 1,
  measureFolder: async () => ({ bytes: 0, files: 0, complete: true }),
  ...over,
})
