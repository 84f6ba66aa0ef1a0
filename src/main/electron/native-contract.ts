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

const historyEntry = z.object({ url: z.string().max(8192), title: z.string().max(1024), pageState: z.string().max(1_000_000).optional() })
export const pageHistory = z.object({ index: z.number().int().min(0), entries: z.array(historyEntry).min(1).max(50) })
export type PageHistory = z.infer<typeof pageHistory>

export const nativeMethods = {
  'host:info': { input: nothing, output: z.object({ electron: z.string(), canSealSecrets: z.boolean() }) },
  /** Shows a web page in a view of its own over the desk: own partition, no preload, no Node. Repeats move and show it. */
  'tab:show': { input: z.object({ tabId, bounds, url: pageUrl.optional(), history: pageHistory.optional() }), output: nothing },
  'tab:hide': { input: z.object({ tabId }), output: nothing },
  'tab:navigate': { input: z.object({ tabId, to: z.union([pageUrl, z.enum(['back', 'forward', 'reload', 'stop'])]) }), output: nothing },
  'tab:close': { input: z.object({ tabId }), output: nothing },
  /** History with scroll and form text, for the workspace: restoring never re-posts a form. */
  'tab:history': { input: z.object({ tabId }), output: pageHistory.nullable() },
  'page:open-outside': { input: z.object({ url: pageUrl }), output: nothing },
  /** OS keystore; refused where the back end is plain text. base64 in and out. */
  'secret:seal': { input: z.object({ base64: z.string().max(4096) }), output: z.object({ base64: z.string() }) },
  'secret:open': { input: z.object({ base64: z.string().max(16_384) }), output: z.object({ base64: z.string() }) },
} as const

export type NativeMethod = keyof typeof nativeMethods
export type NativeInput<M extends NativeMethod> = z.input<(typeof nativeMethods)[M]['input']>
export type NativeOutput<M extends NativeMethod> = z.output<(typeof nativeMethods)[M]['output']>

/** What a tab's view tells the desk. */
export const tabChange = z.object({
  tabId,
  url: z.string().max(8192),
  title: z.string().max(1024),
  loading: z.boolean(),
  canGoBack: z.boolean(),
  canGoForward: z.boolean(),
  failure: z.string().max(500).optional(),
})
export type TabChange = z.infer<typeof tabChange>
export const TAB_CHANGED = 'tab:changed'

/** What preload puts on `window.elsewhereNative`: two functions and nothing else. */
export interface NativeBridge {
  /** @throws Error  the message starts with a stable code: `native/...: what happened` */
  invoke(method: string, input: unknown): Promise<unknown>
  /** Returns the function that stops it. */
  onTabChanged(listener: (change: unknown) => void): () => void
}
