import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { type Entry, productEntries } from './notice.ts'
import { inProject } from './project.ts'

const TEXT_FILE = /^(licen[cs]e|copying|notice|unlicense)([.-].*)?$/i
/** A package's read-me may be all it says. */
const IN_README = /^#+\s*licen[cs]e\b[\s\S]*/im

/** What a package says of its licence, or undefined when it says no more than its name. */
async function textOf({ place }: Entry): Promise<string | undefined> {
  const names = await readdir(inProject(place)).catch(() => [])
  const files = names.filter((name) => TEXT_FILE.test(name)).sort()
  const texts = await Promise.all(files.map((name) => readFile(inProject(place, name), 'utf8').catch(() => '')))
  const text = texts.join('\n').trim()
  if (text !== '') return text
  const readme = names.find((name) => /^readme/i.test(name))
  return readme ? IN_README.exec(await readFile(inProject(place, readme), 'utf8'))?.[0].trim() : undefined
}

const isInstalled = async ({ place }: Entry): Promise<boolean> => (await readdir(inProject(place)).catch(() => [])).length > 0

/**
 * The licences of all that an application package holds, bundled or not, as one text: bundles have no packages whose folders
 * could hold them. Equal texts stand once. Packages of other platforms are not in it, as they are not in the package.
 */
export async function licenceTexts(): Promise<string> {
  const byText = new Map<string, string[]>()
  for (const entry of await productEntries()) {
    if (!(await isInstalled(entry))) continue
    const text = (await textOf(entry)) ?? `Licence, as its manifest names it: ${entry.licence}`
    const title = `${entry.name} ${entry.version} (${entry.licence})`
    byText.set(text, [...(byText.get(text) ?? []), title])
  }
  const own = await readFile(inProject('LICENSE'), 'utf8')
  const parts = [...byText].map(([text, titles]) => [...new Set(titles), '', text].join('\n'))
  return [`Elsewhere\n\n${own.trim()}`, ...parts].join(`\n\n${'-'.repeat(80)}\n\n`).concat('\n')
}

if (import.meta.main) console.log(`${path.basename(import.meta.filename)}: ${(await licenceTexts()).length} characters`)
