import { readdir } from 'node:fs/promises'
import { main as layers } from './layers.ts'
import { inProject, run } from './project.ts'
import { main as ruleIds } from './rule-ids.ts'

const LINTED = ['src', 'e2e', 'bench', 'scripts']

async function countSources(): Promise<number> {
  let count = 0
  for (const folder of LINTED) {
    const entries = await readdir(inProject(folder), { recursive: true, withFileTypes: true }).catch(() => [])
    count += entries.filter((entry) => entry.isFile() && /\.(ts|tsx|mjs|cjs)$/.test(entry.name)).length
  }
  return count
}

/** oxlint, then the import table and the numbers of rules. Fails also when a tool saw fewer files than there are: a blind check is no check. */
export async function main(): Promise<number> {
  const { code, output } = await run('oxlint', ['--format', 'default', ...LINTED])
  const seen = Number(/on (\d+) files?/.exec(output)?.[1] ?? 0)
  const there = await countSources()
  const blind = seen < there
  if (code !== 0 || blind) console.log(output)
  if (blind) console.log(`lint: oxlint saw ${seen} files but there are ${there}`)
  else console.log(`lint: ${seen} files, ${code === 0 ? 'ok' : 'failed'}`)
  const layersCode = await layers()
  const rulesCode = await ruleIds()
  return code === 0 && !blind && layersCode === 0 && rulesCode === 0 ? 0 : 1
}
