import { main as test } from './test.ts'

/** The whole suite with every fuzz, kill and convergence test at full length (ELSEWHERE_ROUNDS=full). */
export async function main(args: readonly string[]): Promise<number> {
  process.env.ELSEWHERE_ROUNDS = 'full'
  return test(args)
}
