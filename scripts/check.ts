import { main as lint } from './lint.ts'
import { main as lockfile } from './lockfile.ts'
import { run } from './project.ts'
import { main as types } from './types.ts'

async function format(): Promise<number> {
  const { code, output } = await run('biome', ['format', '.'])
  console.log(code === 0 ? 'format: ok' : `${output}\nformat: failed; "npm run format" mends it`)
  return code
}

async function unit(): Promise<number> {
  const { code } = await run('vitest', ['run', '--project', 'unit', '--reporter=dot'], { show: true })
  return code
}

/** types, lint, layers, format, lockfile, unit tests: what must hold before every commit. Under a minute. */
export async function main(): Promise<number> {
  const startedMs = performance.now()
  const still = await Promise.all([types(), lint(), format(), lockfile()])
  const codes = [...still, await unit()]
  const failed = codes.filter((code) => code !== 0).length
  console.log(
    `check: ${failed === 0 ? 'all good' : `${failed} of ${codes.length} parts failed`} in ${((performance.now() - startedMs) / 1000).toFixed(0)} s`,
  )
  return failed === 0 ? 0 : 1
}
