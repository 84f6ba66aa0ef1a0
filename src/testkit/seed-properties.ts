import fc from 'fast-check'
import { roundsOfRun, seedOfRun } from './seeded-random.ts'

/**
 * Loaded before every test file: a property without a seed of its own takes the run's, so that a run that passed passes
 * again (R23). fast-check prints the seed of what fails; ELSEWHERE_SEED asks for it.
 * The same for its number of rounds.
 */
fc.configureGlobal({ seed: seedOfRun(), numRuns: roundsOfRun(100, 1_000) })
