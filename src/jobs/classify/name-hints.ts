import type { JobLabel } from '../job-contract.ts'
import hints from './knowledge/name-hints.json' with { type: 'json' }

/*
 * What the name of a script, task, file or image suggests when nothing better is known. A name is a promise of whoever
 * gave it, so all of this is a guess, and its confidence says so.
 */

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))
const WATCH = words(hints.watch)
const BATCH = words(hints.batch)
const SERVICE = words(hints.service)
const FILE_SERVICE = words(hints.fileService)
const FILE_BATCH = words(hints.fileBatch)
const INTERACTIVE = words(hints.interactive)
const IMAGE_SERVICE = words(hints.imageService)
const IMAGE_BATCH = words(hints.imageBatch)

/** `start:devServer` → start, dev, server. */
export const nameTokens = (name: string): readonly string[] =>
  name
    .slice(0, 512)
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean)

export interface Hint {
  readonly label: JobLabel
  readonly token: string
}

function first(tokens: readonly string[], ...kinds: readonly (readonly [ReadonlySet<string>, JobLabel])[]): Hint | undefined {
  for (const [kind, label] of kinds) {
    const token = tokens.find((one) => kind.has(one))
    if (token !== undefined) return { label, token }
  }
  return undefined
}

/** Of a script's or task's name: `build:watch` watches, `dev:build` builds. */
export const taskHint = (name: string): Hint | undefined =>
  first(nameTokens(name), [WATCH, 'service'], [BATCH, 'batch'], [INTERACTIVE, 'interactive'], [SERVICE, 'service'])

/** Of a file that is run: its own name says more than its folders. */
export function fileHint(path: string): Hint | undefined {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.' && part !== '..')
  const file = nameTokens(parts.at(-1) ?? '')
  const folders = parts.slice(0, -1).flatMap(nameTokens)
  return (
    first(file, [WATCH, 'service'], [FILE_BATCH, 'batch'], [FILE_SERVICE, 'service']) ??
    first(folders, [FILE_BATCH, 'batch'], [FILE_SERVICE, 'service'])
  )
}

/** Of a container image that is not known by itself. */
export const imageHint = (image: string): Hint | undefined => first(nameTokens(image), [IMAGE_SERVICE, 'service'], [IMAGE_BATCH, 'batch'])
