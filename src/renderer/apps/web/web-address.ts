/** What a person meant by typing into the address field. */
export type Address =
  | { readonly kind: 'page'; readonly url: string }
  /** Not an address, or one of a kind we never open. `reason` is for people. */
  | { readonly kind: 'refused'; readonly reason: string }

const MAX_URL = 2048

/**
 * Reads an address: adds https (http for this machine and bare IP addresses), never searches (no engine is chosen for
 * anyone), and refuses every scheme but http and https: `javascript:`, `data:` and `file:` would run or read as the desk.
 */
export function readAddress(typed: string): Address {
  const text = typed.trim()
  if (text === '') return { kind: 'refused', reason: 'Type an address, for example example.org.' }
  if (text.length > MAX_URL) return { kind: 'refused', reason: 'The address is too long (2,048 characters at most).' }
  const scheme = /^([a-z][a-z0-9+.-]*):(?!\d)/i.exec(text)?.[1]?.toLowerCase()
  if (scheme && scheme !== 'http' && scheme !== 'https') {
    return { kind: 'refused', reason: `Addresses that begin with "${scheme}:" cannot be opened here; only web pages can.` }
  }
  const url = parse(scheme ? text : `${isNear(text) ? 'http' : 'https'}://${text}`)
  if (!url || url.hostname === '' || (/\s/.test(text) && !scheme)) {
    return { kind: 'refused', reason: `"${text}" is not an address. Addresses look like example.org or https://example.org/page.` }
  }
  if (!scheme && !url.hostname.includes('.') && !url.hostname.includes(':') && url.hostname !== 'localhost') {
    return { kind: 'refused', reason: `"${text}" is not an address. Addresses look like example.org or https://example.org/page.` }
  }
  if (url.username !== '' || url.password !== '') {
    return { kind: 'refused', reason: 'An address with a name or password inside can mislead; leave that part out.' }
  }
  return { kind: 'page', url: url.href }
}

const isNear = (text: string): boolean => /^(localhost|[\w-]+\.localhost|127\.|\[?::1|\d+\.\d+\.\d+\.\d+)/.test(text)

function parse(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

/** The part of an address worth reading in a narrow field: no scheme, no trailing slash. */
export function shortAddress(url: string): string {
  return url.replace(/^https?:\/\/(www\.)?/, '').replace(/\/$/, '')
}

/** Pages visited in this tab, oldest first; lies in the tab's state. */
export interface WebHistory {
  readonly history: readonly string[]
  readonly index: number
}

/** Kept per tab: enough to go back through an afternoon, small enough to travel. */
export const MAX_HISTORY = 50

/** A new page: what was ahead is forgotten. The same page again changes nothing. */
export function visit({ history, index }: WebHistory, url: string): WebHistory {
  if (history[index] === url) return { history, index }
  const list = [...history.slice(0, index + 1), url].slice(-MAX_HISTORY)
  return { history: list, index: list.length - 1 }
}

/** Back (-1) or forward (+1); undefined if there is nothing there. */
export function step({ history, index }: WebHistory, by: -1 | 1): { readonly index: number; readonly url: string } | undefined {
  const url = history[index + by]
  return url === undefined ? undefined : { index: index + by, url }
}
