import { readJoinLink } from '../pairing-code.ts'

/** What was seen, besides the link that is wanted: nothing of it is shown, opened or kept. */
export type Seen =
  | { readonly kind: 'link'; readonly link: string }
  /** A link of ours that does the other thing: contact instead of device, or the reverse. */
  | { readonly kind: 'other-link' }
  /** More than one such link: which is meant is not ours to choose. */
  | { readonly kind: 'several' }
  /** Any other QR code. */
  | { readonly kind: 'other' }
  | { readonly kind: 'nothing' }

/** The one link in what was read. */
export function whatIsSeen(texts: readonly string[], wanted: 'join' | 'contact'): Seen {
  const links = new Set(texts.flatMap((text) => readJoinLink(text, wanted) ?? []))
  const [link] = links
  if (link !== undefined) return links.size === 1 ? { kind: 'link', link } : { kind: 'several' }
  const other = wanted === 'join' ? 'contact' : 'join'
  if (texts.some((text) => readJoinLink(text, other))) return { kind: 'other-link' }
  return { kind: texts.length > 0 ? 'other' : 'nothing' }
}
