import fc from 'fast-check'
import { expect } from 'vitest'
import { roundsOfRun, seedOfRun } from './seeded-random.ts'

/**
 * Loaded before every test file: a property without a seed of its own takes the run's, so that a run that passed passes
 * again (R23). fast-check prints the seed of what fails; ELSEWHERE_SEED asks for it.
 * The same for its number of rounds.
 */
fc.configureGlobal({ seed: seedOfRun(), numRuns: roundsOfRun(100, 1_000) })

/** Bytes are compared as such: member by member, as vitest does, a megabyte takes half a second. Only equal ones are settled here. */
expect.addEqualityTesters([
  (a: unknown, b: unknown) =>
    a instanceof Uint8Array && b instanceof Uint8Array && a.constructor === b.constructor && Buffer.compare(a, b) === 0 ? true : undefined,
])
