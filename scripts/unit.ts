import { run } from './project.ts'

/** `npm run unit -- [FILTER...]`: the unit tests, or those of the files named. */
export async function main(args: readonly string[]): Promise<number> {
  return (await run('vitest', ['run', '--project', 'unit', ...args], { show: true })).code
}
