import { joinPath, parentPath } from './home-path.ts'

/** Where a link or picture of a Markdown text leads. `none`: nowhere that is opened from here (other schemes, places in the page). */
export type MarkdownTarget =
  | { readonly kind: 'web'; readonly url: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'none' }

/** @param path  of the text, in its place; a relative target is looked up beside it, and never leads out of the place */
export function markdownTarget(path: string, target: string): MarkdownTarget {
  if (/^https?:\/\//i.test(target)) {
    return URL.canParse(target) ? { kind: 'web', url: new URL(target).href } : { kind: 'none' }
  }
  const [plain = ''] = target.split(/[?#]/, 1)
  if (plain === '' || plain.startsWith('//') || /^[a-z][a-z0-9+.-]*:/i.test(plain)) return { kind: 'none' }
  const names = plainLetters(plain).split('/')
  if (names.some((name) => name.includes('\0'))) return { kind: 'none' }
  let at = plain.startsWith('/') ? '/' : parentPath(path)
  for (const name of names) {
    if (name === '..') at = parentPath(at)
    else if (name !== '' && name !== '.') at = joinPath(at, name)
  }
  return at.length > 4096 ? { kind: 'none' } : { kind: 'file', path: at }
}

function plainLetters(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a percent sign that is only that
  }
}
