import { run } from './project.ts'

/**
 * `npm run fuzz -- --seed N [name]`: the seeded fuzz tests alone, at full length; the seed is printed by each and can be
 * given again.
 */
export async function main(args: readonly string[]): Promise<number> {
  const seedAt = args.indexOf('--seed')
  const seed = seedAt >= 0 ? args[seedAt + 1] : undefined
  if (seedAt >= 0 && !/^\d+$/.test(seed ?? '')) {
    console.error('fuzz: --seed takes a whole number')
    return 2
  }
  const names = args.filter((_, i) => seedAt < 0 || (i !== seedAt && i !== seedAt + 1))
  const filters = names.length > 0 ? names : ['fuzz', 'prop', 'convergence']
  const env = { ELSEWHERE_ROUNDS: process.env.ELSEWHERE_ROUNDS ?? 'full', ...(seed ? { ELSEWHERE_SEED: seed } : {}) }
  const { code } = await run('vitest', ['run', ...filters], { show: true, env })
  return code
}
