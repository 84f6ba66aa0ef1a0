/** Of so many of about one size one is made. */
const AT_LEAST = 8
/** With one round. */
const AT_MOST = 500
/** What is at least such a share of a full one is let be. */
const SMALL_SHARE = 1 / 8
/** Of one size: within so many times. What is merged is of a larger one then, so each byte is written anew a few times only. */
const STEP = 4
const MAX_TIER = 10

/**
 * Which small objects are made one (rule BK9): the smallest, when enough of about one size lie there; together they are at most a full one.
 * @param shareOf  of a full one, above 0
 */
export function smallOnes<T>(all: Iterable<T>, shareOf: (one: T) => number): readonly T[] {
  const tiers: T[][] = Array.from({ length: MAX_TIER + 1 }, () => [])
  for (const one of all) {
    const share = shareOf(one)
    if (share >= SMALL_SHARE) continue
    tiers[Math.min(MAX_TIER, Math.floor(Math.log(SMALL_SHARE / share) / Math.log(STEP)))]?.push(one)
  }
  const tier = tiers.findLast(({ length }) => length >= AT_LEAST) ?? []
  const taken: T[] = []
  let sum = 0
  for (const one of tier) {
    sum += shareOf(one)
    if (taken.length === AT_MOST || sum > 1) break
    taken.push(one)
  }
  return taken
}
