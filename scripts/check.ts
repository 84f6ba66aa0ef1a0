import { stripVTControlCharacters } from 'node:util'
import { main as lint } from './lint.ts'
import { main as lockfile } from './lockfile.ts'
import { run } from './project.ts'
import { readShaky } from './test.ts'
import { main as types } from './types.ts'

async function format(): Promise<number> {
  const { code, output } = await run('biome', ['format', '.'])
  console.log(code === 0 ? 'format: ok' : `${output}\nformat: failed; "npm run format" mends it`)
  return code
}

async function unit(): Promise<number> {
  // What passing tests say would hide what the others found; `npm test` shows all of it.
  const rounds = process.env.ELSEWHERE_ROUNDS ?? 'quick'
  const { code, output } = await run(
    'vitest',
    ['run', '--project', 'unit', '--reporter=dot', '--reporter=./scripts/retry-reporter.ts', '--silent=passed-only'],
    {
      env: { ELSEWHERE_ROUNDS: rounds },
    },
  )
  const found = /Tests\s+(.*)/.exec(stripVTControlCharacters(output))?.[1]
  for (const line of readShaky(output)) console.log(line)
  console.log(code === 0 ? `unit: ok, ${found}; rounds of fuzz tests: ${rounds}` : `${output}\nunit: failed`)
  return code
}

/**
 * types, lint, layers, format, lockfile, unit tests: what must hold before every commit. Under a minute on two cores.
 *
 * The unit tests run beside the rest: alone they leave a core waiting now and then, and types are known long before them.
 * Fuzz tests and properties take a quarter of the rounds that `npm test` takes (`roundsOfRun` in the testkit).
 */
export async function main(): Promise<number> {
  const startedMs = performance.now()
  const codes = await Promise.all([types(), lint(), format(), lockfile(), unit()])
  const failed = codes.filter((code) => code !== 0).length
  console.log(
    `check: ${failed === 0 ? 'all good' : `${failed} of ${codes.length} parts failed`} in ${((performance.now() - startedMs) / 1000).toFixed(0)} s`,
  )
  return failed === 0 ? 0 : 1
}
