import { stat } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { formatTable, withNoise, writeJson, type Bench } from '../bench/report.ts'
import { buildAll, isBuildStale } from './build.ts'
import { inProject } from './project.ts'

const KNOWN = ['follow', 'sync', 'identity', 'files', 'jobs', 'engines', 'links']

/** `npm run bench -- NAME [--json FILE]`: measures, prints a table, and fails only when a *must* was missed. */
export async function main(args: readonly string[]): Promise<number> {
  const [name = '', ...rest] = args
  if (!KNOWN.includes(name)) {
    console.error(`bench: say which: ${KNOWN.join(', ')}`)
    return 2
  }
  const file = inProject('bench', `${name}.ts`)
  if (!(await stat(file).catch(() => undefined))) {
    console.error(`bench: ${name} is not there yet: it comes with the part of the product that it measures`)
    return 3
  }
  if (await isBuildStale()) await buildAll()
  const { bench }: { bench: Bench } = await import(pathToFileURL(file).href)
  // Ended from outside it still takes its machines, and what runs in them, and its folders with it: they go when the process exits.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  const { result: rows, busyPercent } = await withNoise(() => bench.run(rest))
  console.log(formatTable(rows))
  console.log(`\nmachine busy in all ${busyPercent.toFixed(0)} % while measuring`)
  const jsonAt = rest.indexOf('--json')
  const json = jsonAt >= 0 ? rest[jsonAt + 1] : undefined
  if (json) await writeJson(json, name, rows)
  return rows.some(({ met }) => met === false) ? 1 : 0
}
