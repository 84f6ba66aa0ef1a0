import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { inProject } from './project.ts'

const ROW = /^\| ([A-Z]{2,4}\d+) \|/

/** Rules of all SPEC.md below a folder: how many there are, and which number stands twice, where. */
export async function checkRuleIds(folder: string): Promise<{ readonly count: number; readonly twice: readonly string[] }> {
  const found = new Map<string, string[]>()
  for (const file of (await readdir(folder, { recursive: true })).filter((name) => path.basename(name) === 'SPEC.md').toSorted()) {
    const lines = (await readFile(path.join(folder, file), 'utf8')).split('\n')
    lines.forEach((line, at) => {
      const id = ROW.exec(line)?.[1]
      if (id !== undefined) found.set(id, [...(found.get(id) ?? []), `${file.replaceAll(path.sep, '/')}:${at + 1}`])
    })
  }
  const twice = [...found].flatMap(([id, places]) =>
    places.length > 1 ? [`${id} is given ${places.length} times: ${places.join(', ')}`] : [],
  )
  return { count: found.size, twice }
}

/** A number names one rule: tests and code say which they are about by it. */
export async function main(): Promise<number> {
  const { count, twice } = await checkRuleIds(inProject('src'))
  for (const line of twice) console.log(`lint: rule ${line}; give the newer one a number of its own`)
  if (count === 0) console.log('lint: no rule was found in any SPEC.md')
  else if (twice.length === 0) console.log(`rules: ${count}, each number once`)
  return count === 0 || twice.length > 0 ? 1 : 0
}
