/** Paths of home folders: absolute, POSIX-like on their device, whatever the platform of this display. */

/** `/home/kim` + `src` = `/home/kim/src`. */
export const joinPath = (folder: string, name: string): string => (folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`)

/** The folder a path lies in; the root is its own. */
export function parentPath(path: string): string {
  const slash = path.replace(/\/+$/, '').lastIndexOf('/')
  return slash <= 0 ? '/' : path.slice(0, slash)
}

/** The last name of a path. */
export const baseName = (path: string): string => path.replace(/\/+$/, '').split('/').at(-1) || '/'

/** `path` is `folder` or below it. */
export const isWithin = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`)

/** `~/src/main.ts` for what lies in the home folder, else the path itself: how a person writes it. */
export function tildePath(path: string, home: string | undefined): string {
  const folder = home?.replace(/\/+$/, '')
  return folder && isWithin(path, folder) ? `~${path.slice(folder.length)}` : path
}

export interface Crumb {
  readonly name: string
  readonly path: string
}

/** From home down to `path`. Home itself is named by the caller; outside home it starts at the root. */
export function crumbs(path: string, home: string, homeName: string): readonly Crumb[] {
  const inside = isWithin(path, home)
  const start = inside ? home : '/'
  const names = path.slice(start.length).split('/').filter(Boolean)
  const list: Crumb[] = [{ name: inside ? homeName : '/', path: start }]
  for (const name of names) list.push({ name, path: joinPath((list.at(-1) as Crumb).path, name) })
  return list
}

/** Why a name cannot be used, or undefined. Limits of the usual file systems: 255 bytes, no slash, no NUL. */
export function nameProblem(name: string, taken: ReadonlySet<string>, current?: string): string | undefined {
  if (name.trim() === '') return 'A name is needed.'
  if (name === '.' || name === '..') return `"${name}" has a meaning of its own; choose another name.`
  if (/[/\0]/.test(name)) return 'A name cannot hold a slash.'
  if (new TextEncoder().encode(name).length > 255) return 'The name is too long (255 bytes at most).'
  if (name !== current && taken.has(name)) return `"${name}" is already there.`
  return undefined
}

/** The name a copy gets where its own is taken: `a.txt`, `a 2.txt`, `a 3.txt`, ... */
export function copyName(wanted: string, taken: ReadonlySet<string>): string {
  const dot = wanted.lastIndexOf('.')
  const [stem, ending] = dot > 0 ? [wanted.slice(0, dot), wanted.slice(dot)] : [wanted, '']
  for (let count = 1; ; count++) {
    const name = count === 1 ? wanted : `${stem} ${count}${ending}`
    if (!taken.has(name)) return name
  }
}

/** `New folder`, `New folder 2`, ...: the first that is not taken. */
export function freeName(wanted: string, taken: ReadonlySet<string>): string {
  for (let count = 1; ; count++) {
    const name = count === 1 ? wanted : `${wanted} ${count}`
    if (!taken.has(name)) return name
  }
}
