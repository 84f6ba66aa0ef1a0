import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { inProject, run } from './project.ts'

/** Each is compiled with only its own globals (R3): portable rooms know neither DOM nor Node. */
export const TYPE_PROJECTS = ['portable', 'renderer', 'node', 'tests']

/** What the compiler found out last time. A file is checked again when it, or the types of what it imports, changed. */
const CACHE = inProject('node_modules', '.cache', 'types')

/**
 * One thread for each project: they run beside each other, and threads of one project check what they share over again
 * (twice the processor time).
 */
const check = (name: string) =>
  run('tsc', ['-p', `tsconfig/${name}.json`, '--singleThreaded', '--incremental', '--tsBuildInfoFile', path.join(CACHE, `${name}.json`)])

export async function main(): Promise<number> {
  await mkdir(CACHE, { recursive: true })
  const results = await Promise.all(TYPE_PROJECTS.map(async (name) => ({ name, ...(await check(name)) })))
  for (const { name, code, output, elapsedMs } of results) {
    console.log(`types ${name}: ${code === 0 ? 'ok' : 'failed'} (${(elapsedMs / 1000).toFixed(1)} s)`)
    if (code !== 0) console.log(output)
  }
  return results.every(({ code }) => code === 0) ? 0 : 1
}
