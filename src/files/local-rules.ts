/** What is in a folder can be made again by a program, or is of use on one machine only. */
const LOCAL_NAMES = new Set([
  'node_modules',
  'bower_components',
  '.venv',
  '.tox',
  '.nox',
  '__pycache__',
  '.mypy_cache',
  '.pytest_cache',
  '.ruff_cache',
  '.gradle',
  '.terraform',
  '.next',
  '.nuxt',
  '.turbo',
  '.parcel-cache',
  '.svelte-kit',
])
/** Names that mean it only beside one of these files: people call folders so, too. */
const LOCAL_BESIDE: Readonly<Record<string, readonly string[]>> = {
  target: ['Cargo.toml', 'pom.xml', 'build.sbt'],
  venv: ['pyproject.toml', 'requirements.txt', 'setup.py'],
  vendor: ['composer.json'],
}

/** The file in which a person says more, for the folder it lies in and all below. */
export const IGNORE_FILE = '.elsewhereignore'
/** Longer ones are not read. */
export const MAX_IGNORE_BYTES = 64 * 1024

/** One line of such a file. */
export interface LocalRule {
  readonly matches: (name: string) => boolean
  /** Of the folder the file lies in only. */
  readonly isHere: boolean
  readonly isLocal: boolean
}

/**
 * Lines as in a .gitignore, for names of folders: `build`, `/out` (in this folder only), `*.cache`, `!node_modules` (this one is not to
 * stay here). `#` begins a comment; a slash at the end changes nothing. Lines with a path are left out.
 */
export function parseIgnoreFile(text: string): LocalRule[] {
  return text.split('\n').flatMap((raw): LocalRule[] => {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) return []
    const isLocal = !line.startsWith('!')
    const pattern = line.replace(/^!/, '').replace(/\/+$/, '')
    const isHere = pattern.startsWith('/')
    const name = pattern.replace(/^\//, '')
    if (name === '' || name.includes('/')) return []
    const source = name
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replace(/\*+/g, '.*')
      .replace(/\?/g, '.')
    const expression = new RegExp(`^${source}$`, 'su')
    return [{ matches: (name) => expression.test(name), isHere, isLocal }]
  })
}

/**
 * Is a folder that is made under this name one of this device only (rule LF1)? The nearest file decides, in it the last line that
 * matches; without one the names above.
 *
 * @param files rules of the folder it is made in, then of those above
 */
export function isLocalName(name: string, files: readonly (readonly LocalRule[])[], hasSibling: (name: string) => boolean): boolean {
  for (const [distance, rules] of files.entries()) {
    const found = rules.findLast(({ matches, isHere }) => matches(name) && (!isHere || distance === 0))
    if (found) return found.isLocal
  }
  return LOCAL_NAMES.has(name) || (Object.hasOwn(LOCAL_BESIDE, name) && (LOCAL_BESIDE[name] ?? []).some(hasSibling))
}
