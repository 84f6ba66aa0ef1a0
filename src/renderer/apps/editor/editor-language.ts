import type { LanguageDescription, LanguageSupport } from '@codemirror/language'

/** All languages there are, each loaded when a text of it is shown. The list itself is a chunk of its own. */
async function allLanguages(): Promise<readonly LanguageDescription[]> {
  return (await import('@codemirror/language-data')).languages
}

export interface FoundLanguage {
  readonly name: string
  readonly support: LanguageSupport
}

/** The language of a text: the chosen one, else by the file's name; undefined = plain text. */
export async function findLanguage(chosen: string | null, path: string | null): Promise<FoundLanguage | undefined> {
  const [{ LanguageDescription }, languages] = await Promise.all([import('@codemirror/language'), allLanguages()])
  const fileName = path?.split('/').at(-1) ?? ''
  const found = chosen ? languages.find((language) => language.name === chosen) : LanguageDescription.matchFilename(languages, fileName)
  if (!found) return undefined
  return { name: found.name, support: await found.load() }
}

/** Names for the menu, sorted. */
export async function languageNames(): Promise<readonly string[]> {
  return (await allLanguages()).map((language) => language.name).sort((a, b) => a.localeCompare(b))
}
