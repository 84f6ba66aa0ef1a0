import { run } from './project.ts'

/** Each is compiled with only its own globals (R3): portable rooms know neither DOM nor Node. */
export const TYPE_PROJECTS = ['portable', 'renderer', 'node', 'tests']

export async function main(): Promise<number> {
  const results = await Promise.all(TYPE_PROJECTS.map(async (name) => ({ name, ...(await run('tsc', ['-p', `tsconfig/${name}.json`])) })))
  for (const { name, code, output, elapsedMs } of results) {
    console.log(`types ${name}: ${code === 0 ? 'ok' : 'failed'} (${(elapsedMs / 1000).toFixed(1)} s)`)
    if (code !== 0) console.log(output)
  }
  return results.every(({ code }) => code === 0) ? 0 : 1
}
