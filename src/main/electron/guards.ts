import type { App, Session, Shell, WebContents, WebPreferences } from 'electron'
import { pageUrl } from './native-contract.ts'

/** Web preferences of the desk's window. Electron's defaults, said aloud so that a test can hold them. */
export const DESK_PREFERENCES: WebPreferences = {
  sandbox: true,
  contextIsolation: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webSecurity: true,
  allowRunningInsecureContent: false,
  webviewTag: false,
  navigateOnDragDrop: false,
  spellcheck: false,
}

/** Where pages in views keep cookies and storage: apart from the desk, whose cookie opens the device. */
export const TAB_PARTITION = 'persist:elsewhere-tabs'

/** What a web page in a view gets: no preload at all, storage of its own. */
export const TAB_PREFERENCES: WebPreferences = { ...DESK_PREFERENCES, partition: TAB_PARTITION, safeDialogs: true }

/** Only these may be asked for, and only by the desk itself. Everything else is denied without a question. */
const DESK_PERMISSIONS: ReadonlySet<string> = new Set(['clipboard-sanitized-write', 'clipboard-read', 'notifications', 'fullscreen'])

/** The camera reads QR codes; nothing in the desk listens. A list without an entry is one that Electron did not tell. */
const isCamera = (permission: string, media: readonly (string | undefined)[]): boolean =>
  permission === 'media' && media.length > 0 && media.every((type) => type === 'video')

/** Same scheme, host and port. `URL.origin` is "null" for custom schemes in Node, so it cannot be compared. */
export function isSameOrigin(one: string, other: string): boolean {
  if (!URL.canParse(one) || !URL.canParse(other)) return false
  const [a, b] = [new URL(one), new URL(other)]
  return a.protocol === b.protocol && a.host === b.host && a.host !== ''
}

/**
 * Denies what a page could use to get out: permissions, navigation away from the desk, new windows, webviews.
 *
 * @param deskUrl    address of the desk as it is now; undefined while no device runs
 * @param isDesk     whether these contents are the desk's own window (pages in views may navigate; see web-view.ts for more)
 */
export function guardContents(
  contents: WebContents,
  deskUrl: () => string | undefined,
  isDesk: (contents: WebContents) => boolean,
  shell: Pick<Shell, 'openExternal'>,
): void {
  contents.on('will-navigate', (event) => {
    const allowed = isDesk(contents) ? isSameOrigin(event.url, deskUrl() ?? '') : pageUrl.safeParse(event.url).success
    if (!allowed) event.preventDefault()
  })
  contents.on('will-attach-webview', (event) => event.preventDefault())
  contents.setWindowOpenHandler(({ url }) => {
    // A link that wants a new window opens in the person's own browser, if it is a page at all.
    if (pageUrl.safeParse(url).success) void shell.openExternal(url)
    return { action: 'deny' }
  })
}

/** @param deskUrl  as above; a permission is granted only to a frame of the desk's own origin, the camera to no frame in it */
export function guardSession(session: Session, deskUrl: () => string | undefined): void {
  const allows = (permission: string, requestingUrl: string, isMainFrame: boolean, media: readonly (string | undefined)[]) =>
    (DESK_PERMISSIONS.has(permission) || (isMainFrame && isCamera(permission, media))) && isSameOrigin(requestingUrl, deskUrl() ?? '')
  session.setPermissionRequestHandler((_contents, permission, answer, details) => {
    const media = 'mediaTypes' in details ? (details.mediaTypes ?? []) : []
    answer(allows(permission, details.requestingUrl, details.isMainFrame, media))
  })
  session.setPermissionCheckHandler((_contents, permission, requestingOrigin, { isMainFrame, mediaType }) =>
    allows(permission, requestingOrigin, isMainFrame, [mediaType]),
  )
  session.setDevicePermissionHandler(() => false)
  session.setDisplayMediaRequestHandler((_request, answer) => answer({}))
}

/** Applies the guards to everything that is ever made, before it can load anything. The session of views has guards of its own. */
export function guardApp(
  app: App,
  deskUrl: () => string | undefined,
  isDesk: (contents: WebContents) => boolean,
  isTabSession: (session: Session) => boolean,
  shell: Pick<Shell, 'openExternal'>,
): void {
  app.enableSandbox()
  app.on('web-contents-created', (_event, contents) => {
    guardContents(contents, deskUrl, isDesk, shell)
    if (!isTabSession(contents.session)) guardSession(contents.session, deskUrl)
  })
  // Electron would send the first certificate it finds: who a person is goes to nobody unasked.
  app.on('select-client-certificate', (event, _contents, _url, _list, answer) => {
    event.preventDefault()
    answer()
  })
}
