/** Longest path of an input or output, and of one name in it: what datasets and Linux take. */
const MAX_PATH = 4_096
const MAX_NAME_BYTES = 255
/** Each is looked at for every path: deeper, and a small file would ask for minutes. */
export const MAX_LEVELS = 64

const encoder = new TextEncoder()

/**
 * A path below the workflow's folder in its one spelling: no `.`, no doubled or ending slash; `.` is the folder itself.
 * Undefined: it leads out of the folder, is over MAX_LEVELS deep, or cannot be a path.
 */
export function normalPath(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- exactly those are refused
  if (text.length > MAX_PATH || text.startsWith('/') || /[\u0000-\u001f\u007f]/.test(text)) return undefined
  const names = text.split('/').filter((name) => name !== '' && name !== '.')
  if (text === '' || names.length > MAX_LEVELS || names.some((name) => name === '..' || encoder.encode(name).length > MAX_NAME_BYTES))
    return undefined
  return names.join('/') || '.'
}

/** `path` below `folder`, both as `normalPath` gives them. */
export const joinPath = (folder: string, path: string): string => (folder === '.' ? path : path === '.' ? folder : `${folder}/${path}`)

/** The folders above, the nearest first; `.` is above all. */
export function pathsAbove(path: string): string[] {
  if (path === '.') return []
  const above: string[] = []
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) above.push(path.slice(0, at))
  return [...above, '.']
}

/** Who has which path: finds those that are the same, lie in, or hold another one, without comparing each with each. */
export class PathIndex<Owner> {
  readonly #owners = new Map<string, Set<Owner>>()
  /** By each folder above. */
  readonly #below = new Map<string, Set<Owner>>()

  add(path: string, owner: Owner): void {
    add(this.#owners, path, owner)
    for (const above of pathsAbove(path)) add(this.#below, above, owner)
  }

  /** One by one: mostly the first is enough. An owner may come more than once. */
  *overlapping(path: string): Generator<Owner, undefined> {
    for (const folder of pathsAbove(path)) yield* this.#owners.get(folder) ?? []
    yield* this.#owners.get(path) ?? []
    yield* this.#below.get(path) ?? []
  }
}

function add<Owner>(map: Map<string, Set<Owner>>, path: string, owner: Owner): void {
  const there = map.get(path)
  if (there) there.add(owner)
  else map.set(path, new Set([owner]))
}
