import { create } from 'zustand'
import { systemClock } from '../../base/clock.ts'
import { type Disposable, DisposableStore } from '../../base/disposable.ts'
import { appState, type AppState } from '../../session/app-state.ts'
import type { TabId } from '../../session/session-ids.ts'
import type { NativeEvent, NativeInput, TabChange } from '../../main/electron/native-contract.ts'
import { dispatch, sessionNow, useDesk } from '../desk/desk-store.ts'
import { keymapNow, onKeymapChange } from '../desk/keymap-store.ts'
import { deskMayTake } from '../desk/keys.ts'
import { closeMenu, openMenuAt } from '../ui/menu.tsx'
import { showToast } from '../ui/toast.tsx'
import { nativeHost, NativeCallError } from './native-host.ts'
import { pageMenu } from './page-menu.ts'
import { changeOf, openedPage } from './tab-agreement.ts'

type Asking = Extract<NativeEvent, { type: 'tab-asks' }>
type Bounds = NativeInput<'tab:show'>['bounds']

/** What this display knows of a tab's view. */
export interface NativeTab {
  readonly change?: TabChange
  readonly asking: readonly Asking[]
  /** Why the page was not opened. */
  readonly refusal?: NativeCallError
  /** Another number, another view. */
  readonly generation: number
}

const NO_TAB: NativeTab = { asking: [], generation: 0 }
/** Where a page goes by script can change many times a second; the workspace hears of it this often. */
const WRITE_EVERY_MS = 1_000

const useTabs = create<{ readonly tabs: Readonly<Record<string, NativeTab>> }>(() => ({ tabs: {} }))
export const useNativeTab = (tabId: string): NativeTab => useTabs((state) => state.tabs[tabId] ?? NO_TAB)
/** A page's small picture, where a view has shown it here. */
export const useTabIcon = (tabId: string): string | undefined => useTabs((state) => state.tabs[tabId]?.change?.icon)

const tabNow = (tabId: string): NativeTab => useTabs.getState().tabs[tabId] ?? NO_TAB
const setTab = (tabId: string, change: Partial<NativeTab>) =>
  useTabs.setState(({ tabs }) => ({ tabs: { ...tabs, [tabId]: { ...(tabs[tabId] ?? NO_TAB), ...change } } }))

/** Tabs that have a view, with the address the workspace had when the view last followed it. */
const agreed = new Map<string, string>()
/** Tabs whose page the person at this display has just opened. */
const openedHere = new Set<string>()
const waiting = new Map<string, Disposable>()
const wroteAtMs = new Map<string, number>()

const webState = (tabId: string) => {
  const app = useDesk.getState().session?.tabs[tabId as TabId]?.app
  return app?.kind === 'web' ? app : undefined
}

/** Tabs on their way to an address: until they are there, their view still speaks of the page before. */
const leaving = new Map<string, { readonly from: string | undefined; readonly started: boolean }>()
const shownUrl = ({ change }: NativeTab): string | undefined => change?.history?.urls[change.history.index]

/** Makes a tab's view follow the workspace, where another display has gone on to `url`: it is made anew at its page. */
export function followPage(tabId: string, url: string): void {
  const known = agreed.get(tabId)
  if (known === undefined || known === url) return
  if (shownUrl(tabNow(tabId)) === url) agreed.set(tabId, url)
  else closeView(tabId)
}

/** Shows a tab's view at a place, made anew where there is none. */
export async function showView(tabId: string, bounds: Bounds): Promise<void> {
  const app = webState(tabId)
  if (!nativeHost || !app || app.url === '') return
  const page = agreed.has(tabId) ? {} : { page: openedPage(app, openedHere.delete(tabId)) }
  agreed.set(tabId, app.url)
  await nativeHost.call('tab:show', { tabId, bounds, ...page }).catch((error: NativeCallError) => {
    agreed.delete(tabId)
    setTab(tabId, { refusal: error })
  })
}

/** @returns how it looked, if that was wanted and could be had */
export async function hideView(tabId: string, picture: boolean): Promise<string | null> {
  if (!nativeHost || !agreed.has(tabId)) return null
  return nativeHost.call('tab:hide', { tabId, picture }).then(
    (answer) => answer.picture,
    () => null, // a view that is gone is hidden
  )
}

export function closeView(tabId: string): void {
  if (!agreed.delete(tabId)) return
  waiting.get(tabId)?.dispose()
  waiting.delete(tabId)
  leaving.delete(tabId)
  setTab(tabId, { ...NO_TAB, generation: tabNow(tabId).generation + 1 })
  nativeHost?.call('tab:close', { tabId }).catch(showFailure)
}

/** Says that the person here opens this address in this tab; with a view, the view goes there. */
export function goTo(tabId: string, url: string): void {
  openedHere.add(tabId)
  setTab(tabId, { refusal: undefined })
  if (!agreed.has(tabId)) return
  openedHere.delete(tabId)
  agreed.set(tabId, url)
  const from = shownUrl(tabNow(tabId))
  if (from === url) leaving.delete(tabId)
  else leaving.set(tabId, { from, started: false })
  tell(tabId, url)
}

/** Back, forward, reload, stop. */
export function tell(tabId: string, to: NativeInput<'tab:navigate'>['to']): void {
  setTab(tabId, { refusal: undefined })
  nativeHost?.call('tab:navigate', { tabId, to }).catch((error: NativeCallError) => {
    leaving.delete(tabId)
    setTab(tabId, { refusal: error })
  })
}

export const focusView = (tabId: string): void => void nativeHost?.call('tab:focus', { tabId }).catch(() => undefined) // not shown yet

export function answerQuestion({ tabId, question }: Asking, allow: boolean): void {
  nativeHost?.call('tab:answer', { tabId, question, allow }).catch(showFailure)
}

const showFailure = (error: unknown) =>
  showToast({ severity: 'error', title: 'The window did not do that', body: error instanceof Error ? error.message : String(error) })

/**
 * Keeps views and workspace together while a desk is open: takes in what views tell, closes those whose tab is gone, and all of
 * them when the desk goes. Undefined where the host has no views.
 */
export function followNativeTabs(): Disposable | undefined {
  const host = nativeHost
  if (!host) return undefined
  const owned = new DisposableStore()
  owned.defer(host.onEvent(handleEvent))
  const sendKeys = () => {
    const bindings = keymapNow().bindings.filter((binding) => deskMayTake(binding, 'text'))
    host.call('host:keys', { bindings: bindings.slice(0, 200) }).catch(showFailure)
  }
  sendKeys()
  owned.defer(onKeymapChange(sendKeys))
  owned.defer(
    useDesk.subscribe((now, before) => {
      if (now.session?.tabs === before.session?.tabs) return
      for (const tabId of [...agreed.keys()]) if (!webState(tabId)) closeView(tabId)
    }),
  )
  owned.defer(() => {
    for (const tabId of [...agreed.keys()]) closeView(tabId)
    useTabs.setState({ tabs: {} })
  })
  return owned
}

function handleEvent(event: NativeEvent): void {
  if (event.type === 'key-pressed') return hear(new KeyboardEvent('keydown', { ...event, bubbles: true, cancelable: true }))
  const { tabId } = event
  if (!agreed.has(tabId)) return // a last word of a view that was closed
  switch (event.type) {
    case 'tab-changed':
      setTab(tabId, { change: event })
      return hasArrived(tabId, event) ? write(tabId) : undefined
    case 'tab-wants-tab':
      return openBeside(tabId, event.url, event.background)
    case 'tab-asks':
      return setTab(tabId, { asking: [...tabNow(tabId).asking, event] })
    case 'tab-asks-no-more':
      return setTab(tabId, { asking: tabNow(tabId).asking.filter(({ question }) => question !== event.question) })
    case 'tab-refused-download':
      return sayNoDownload(event.name, event.url)
    case 'tab-used':
      if (event.press) closeMenu()
      return hear(event.press ? new PointerEvent('pointerdown', { bubbles: true }) : new WheelEvent('wheel', { bubbles: true }), tabId)
    case 'tab-menu':
      return openPageMenu(event)
    case 'tab-gone':
      agreed.delete(tabId)
      return setTab(tabId, { ...NO_TAB, generation: tabNow(tabId).generation + 1 })
  }
}

/** What a page in a view has swallowed, the desk hears as if it had been done where the view lies. */
function hear(event: Event, tabId?: string): void {
  const place = tabId === undefined ? undefined : document.querySelector(`[data-native-view="${CSS.escape(tabId)}"]`)
  ;(place ?? document.body).dispatchEvent(event)
}

/** False while the view still shows the page it was sent away from. It may also stay there: a download, an answer without a page. */
function hasArrived(tabId: string, change: TabChange): boolean {
  const way = leaving.get(tabId)
  if (!way) return true
  const isStill = shownUrl({ ...NO_TAB, change }) === way.from
  if (isStill && change.loading) leaving.set(tabId, { ...way, started: true })
  if (isStill && (change.loading || !way.started)) return false
  leaving.delete(tabId)
  return true
}

function write(tabId: string): void {
  const leftMs = (wroteAtMs.get(tabId) ?? Number.NEGATIVE_INFINITY) + WRITE_EVERY_MS - systemClock.monotonicMs()
  if (waiting.has(tabId)) return
  if (leftMs <= 0) return writeNow(tabId)
  waiting.set(
    tabId,
    systemClock.after(leftMs, () => {
      waiting.delete(tabId)
      writeNow(tabId)
    }),
  )
}

function writeNow(tabId: string): void {
  const [app, { change }] = [webState(tabId), tabNow(tabId)]
  const patch = app && change && changeOf(app, change, agreed.get(tabId))
  if (!patch || leaving.has(tabId)) return
  wroteAtMs.set(tabId, systemClock.monotonicMs())
  agreed.set(tabId, patch.url ?? app.url)
  dispatch({ type: 'tab/set-state', tabId: tabId as TabId, app: { ...app, ...patch } })
}

function openBeside(tabId: string, url: string, background: boolean): void {
  const windowId = sessionNow().tabs[tabId as TabId]?.window
  if (!windowId) return
  const app: AppState = appState.parse({ kind: 'web', url, history: [url], index: 0 })
  const opened = dispatch({ type: 'tab/open', windowId, app, background })
  if (opened) openedHere.add(opened)
}

function openPageMenu(event: Extract<NativeEvent, { type: 'tab-menu' }>): void {
  const { tabId, x, y } = event
  const { change } = tabNow(tabId)
  const place = document.querySelector(`[data-native-view="${CSS.escape(tabId)}"]`)?.getBoundingClientRect()
  if (!place || !change) return
  const page = { url: shownUrl({ ...NO_TAB, change }), canGoBack: change.canGoBack, canGoForward: change.canGoForward }
  const entries = pageMenu(event, page, {
    go: (to) => tell(tabId, to),
    edit: (what) => void nativeHost?.call('tab:edit', { tabId, what }).catch(showFailure),
    openTab: (url) => openBeside(tabId, url, true),
    openOutside: (url) => void nativeHost?.call('page:open-outside', { url }).catch(showFailure),
    copyText: (text) => void navigator.clipboard.writeText(text).catch(showFailure),
  })
  openMenuAt(place.left + x, place.top + y, 'Page', entries)
}

function sayNoDownload(name: string, url: string): void {
  showToast({
    severity: 'warn',
    title: name === '' ? 'A download was stopped' : `“${name}” was not downloaded`,
    body: 'Pages in Elsewhere do not download. Your browser can: it opens the address there, where you may have to sign in again.',
    ...(url !== '' && {
      action: { label: 'Open in browser', onSelect: () => void nativeHost?.call('page:open-outside', { url }).catch(showFailure) },
    }),
  })
}
