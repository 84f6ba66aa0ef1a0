import type { Session, WebContents } from 'electron'
import type { Wish } from './native-contract.ts'
import type { TabRules } from './tab-rules.ts'
import type { WebView } from './web-view.ts'

/** Granted without a question: Chromium itself wants a click first, and nothing is read. */
const SILENT: ReadonlySet<string> = new Set(['clipboard-sanitized-write'])
const WISHES: Readonly<Record<string, readonly Wish[]>> = {
  geolocation: ['location'],
  'geolocation-approximate': ['location'],
  notifications: ['notifications'],
  'clipboard-read': ['clipboard'],
}

function wishesOf(permission: string, media: readonly string[]): readonly Wish[] {
  if (permission !== 'media') return WISHES[permission] ?? []
  return media.flatMap((type): Wish[] => (type === 'video' ? ['camera'] : type === 'audio' ? ['microphone'] : []))
}

const siteOf = (url: string): string => (URL.canParse(url) ? new URL(url).host : '')

/**
 * The session of all pages in views: what they may load (TabRules), what they may ask for (EL6: the person is asked, the answer
 * holds until Elsewhere ends), and that nothing is downloaded behind the person's back.
 */
export function guardTabSession(
  session: Session,
  rules: TabRules,
  viewOf: (contents: WebContents | null | undefined) => WebView | undefined,
): void {
  const granted = new Set<string>()
  const isGranted = (site: string, wishes: readonly Wish[]) => wishes.length > 0 && wishes.every((wish) => granted.has(`${site} ${wish}`))

  session.webRequest.onBeforeRequest(({ url, initiatorOrigin }, answer) => {
    const refused = rules.refusal(url, initiatorOrigin) !== undefined
    answer({ cancel: refused })
  })
  session.setPermissionCheckHandler((_contents, permission, origin, { mediaType }) => {
    return SILENT.has(permission) || isGranted(siteOf(origin), wishesOf(permission, mediaType ? [mediaType] : []))
  })
  session.setPermissionRequestHandler((contents, permission, answer, details) => {
    const site = siteOf(details.requestingUrl)
    const wishes = wishesOf(permission, ('mediaTypes' in details && details.mediaTypes) || [])
    const view = viewOf(contents)
    if (SILENT.has(permission) || isGranted(site, wishes)) return answer(true)
    // Only the page whose address the person sees may ask, not what it has embedded from elsewhere.
    if (!view || wishes.length === 0 || site === '' || site !== siteOf(contents.getURL())) return answer(false)
    void view.ask(site, wishes).then((allowed) => {
      if (allowed) for (const wish of wishes) granted.add(`${site} ${wish}`)
      answer(allowed)
    })
  })
  session.setDevicePermissionHandler(() => false)
  session.setDisplayMediaRequestHandler((_request, answer) => answer({}))
  session.on('will-download', (event, item, contents) => {
    event.preventDefault()
    viewOf(contents)?.refuseDownload(item.getFilename(), item.getURL())
  })
}
