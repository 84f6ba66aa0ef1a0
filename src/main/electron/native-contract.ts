import * as z from 'zod'

/*
 * The one IPC contract between the desk's page and Electron's main process. Everything else a page needs it asks of its
 * device over the WebSocket, in every host alike. Parsed on both ends: a page is not trusted by main, nor main by a page.
 */

const tabId = z.string().min(1).max(64)
/** CSS px of the window's content; whole numbers, clamped by main to the window. */
const bounds = z.object({
  x: z.number().int().min(-32_768).max(32_767),
  y: z.number().int().min(-32_768).max(32_767),
  width: z.number().int().min(0).max(32_767),
  height: z.number().int().min(0).max(32_767),
})
const nothing = z.object({})

/** A page address that may be shown: http or https, no user name or password in it. */
export const pageUrl = z
  .string()
  .max(2048)
  .refine((text) => {
    if (!URL.canParse(text)) return false
    const url = new URL(text)
    return (url.protocol === 'http:' || url.protocol === 'https:') && url.username === '' && url.password === ''
  }, 'must be http or https, without a user name or password')

/** Pages of a tab, oldest first, and which of them is shown. Addresses only: forms are never posted again. */
export const pageHistory = z
  .object({ urls: z.array(pageUrl).min(1).max(50), index: z.number().int().min(0).max(49) })
  .refine(({ urls, index }) => index < urls.length, 'index points at a page of the list')
export type PageHistory = z.infer<typeof pageHistory>

const scrollY = z.number().min(0).max(1e9)
const wish = z.enum(['location', 'notifications', 'clipboard', 'camera', 'microphone'])
/** What a page may ask the person for. */
export type Wish = z.infer<typeof wish>

/** `byPerson`: opened just now by the person at this display, not come with the workspace. */
const openedPage = z.object({ history: pageHistory, scrollY, byPerson: z.boolean() })
export type OpenedPage = z.infer<typeof openedPage>

export const nativeMethods = {
  /** `canSealSecrets`: the operating system has a key store, and it is more than plain text. */
  'host:info': { input: nothing, output: z.object({ electron: z.string(), canSealSecrets: z.boolean() }) },
  /** Keys that stay the desk's while a page in a view has the keyboard; they come as `key-pressed`. */
  'host:keys': { input: z.object({ bindings: z.array(z.string().min(1).max(40)).max(200) }), output: nothing },
  /** Shows a page in a view of its own over the desk. A view that is there is only moved and shown: `page` is for a new one. */
  'tab:show': { input: z.object({ tabId, bounds, page: openedPage.optional() }), output: nothing },
  /** Takes the view out of sight; the page goes on. With `picture`: how it looked, as a data: URL, to stand in its place. */
  'tab:hide': { input: z.object({ tabId, picture: z.boolean() }), output: z.object({ picture: z.string().max(6_000_000).nullable() }) },
  /** Errors: native/unknown-tab, native/refused-address. */
  'tab:navigate': { input: z.object({ tabId, to: z.union([pageUrl, z.enum(['back', 'forward', 'reload', 'stop'])]) }), output: nothing },
  /** Gives the keyboard to the page. */
  'tab:focus': { input: z.object({ tabId }), output: nothing },
  /** What a menu of the page offers; see `tab-menu`. */
  'tab:edit': { input: z.object({ tabId, what: z.enum(['cut', 'copy', 'paste']) }), output: nothing },
  /** Answers `tab-asks`. A question that is gone is no error. */
  'tab:answer': { input: z.object({ tabId, question: z.number().int(), allow: z.boolean() }), output: nothing },
  'tab:close': { input: z.object({ tabId }), output: nothing },
  'page:open-outside': { input: z.object({ url: pageUrl }), output: nothing },
  /** OS key store; refused where the back end is plain text. base64 in and out. Errors: native/no-keystore, native/other-keystore. */
  'secret:seal': { input: z.object({ base64: z.string().max(4096) }), output: z.object({ base64: z.string() }) },
  'secret:open': { input: z.object({ base64: z.string().max(16_384) }), output: z.object({ base64: z.string() }) },
} as const

export type NativeMethod = keyof typeof nativeMethods
export type NativeInput<M extends NativeMethod> = z.input<(typeof nativeMethods)[M]['input']>
export type NativeOutput<M extends NativeMethod> = z.output<(typeof nativeMethods)[M]['output']>

/** What a tab's view tells the desk; also sent when nothing changed. */
const tabChange = z.object({
  type: z.literal('tab-changed'),
  tabId,
  /** Only pages that can be opened again; undefined before the first. */
  history: pageHistory.optional(),
  title: z.string().max(1024),
  loading: z.boolean(),
  canGoBack: z.boolean(),
  canGoForward: z.boolean(),
  scrollY,
  /** A small picture as a data: URL. */
  icon: z.string().max(100_000).optional(),
  /** The person at this display opened or used the page: only then is where it went the workspace's business. */
  byPerson: z.boolean(),
  /** Chromium's name of what went wrong, e.g. ERR_NAME_NOT_RESOLVED. */
  failure: z.string().max(200).optional(),
})
export type TabChange = z.infer<typeof tabChange>

export const nativeEvent = z.discriminatedUnion('type', [
  tabChange,
  /** A link or script wants another window. It gets a tab, or nothing. */
  z.object({ type: z.literal('tab-wants-tab'), tabId, url: pageUrl, background: z.boolean() }),
  z.object({ type: z.literal('tab-asks'), tabId, question: z.number().int(), site: z.string().max(300), wishes: z.array(wish).min(1) }),
  /** The question was answered, or the page that asked is gone. */
  z.object({ type: z.literal('tab-asks-no-more'), tabId, question: z.number().int() }),
  z.object({ type: z.literal('tab-refused-download'), tabId, name: z.string().max(300), url: z.string().max(2048) }),
  /** The person works in the page: the desk sees no pointer and no keys of that. `press`: a click or touch. */
  z.object({ type: z.literal('tab-used'), tabId, press: z.boolean() }),
  /** The person asked for a menu in the page: where, in px of the view, and on what. */
  z.object({
    type: z.literal('tab-menu'),
    tabId,
    x: z.number().int().min(0).max(32_767),
    y: z.number().int().min(0).max(32_767),
    link: pageUrl.optional(),
    canCut: z.boolean(),
    canCopy: z.boolean(),
    canPaste: z.boolean(),
  }),
  /** The view is gone without the desk having asked for it: there were too many. */
  z.object({ type: z.literal('tab-gone'), tabId }),
  z.object({
    type: z.literal('key-pressed'),
    key: z.string().max(40),
    code: z.string().max(40),
    ctrlKey: z.boolean(),
    altKey: z.boolean(),
    shiftKey: z.boolean(),
    metaKey: z.boolean(),
  }),
])
export type NativeEvent = z.infer<typeof nativeEvent>
/** The one channel of events. */
export const NATIVE_EVENT = 'native:event'

/** What preload puts on `window.elsewhereNative`: two functions and nothing else. */
export interface NativeBridge {
  /** @throws Error  the message holds a stable code: `native/...: what happened` */
  invoke(method: string, input: unknown): Promise<unknown>
  /** Returns the function that stops it. */
  onEvent(listener: (event: unknown) => void): () => void
}
