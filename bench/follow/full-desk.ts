import { E2eDesk } from '../../e2e/harness/e2e-desk.ts'
import { E2eDevice } from '../../e2e/harness/e2e-device.ts'
import { E2eBrowser } from '../../e2e/harness/e2e-display.ts'
import { type AppStateInput, appState } from '../../src/session/app-state.ts'
import type { ActivityId, TabId, WindowId } from '../../src/session/session-ids.ts'
import { startVirtualScreen } from '../peers/xvfb.ts'

const AREA = { width: 1300, height: 860 }

/** Apps that need no program: what a tab shows is not what is measured here. */
const KINDS: readonly ((device: string) => AppStateInput)[] = [
  (device) => ({ kind: 'files', device, path: null }),
  (device) => ({ kind: 'editor', device, path: null, textDoc: null, version: null }),
  () => ({ kind: 'settings' }),
  () => ({ kind: 'tasks' }),
  () => ({ kind: 'devices' }),
]

/** So many windows, in activities of `perActivity`, each with `tabs` tabs. */
export interface DeskSize {
  readonly windows: number
  readonly tabs: number
  readonly perActivity: number
}

/** Opens windows, spread over activities; the first activity is shown, and an editor of it has the focus. */
export function openWindows(desk: E2eDesk, device: string, { windows, tabs, perActivity }: DeskSize): void {
  const id = <T extends string>(text: string) => text as T
  const app = (number: number) => appState.parse(KINDS[number % KINDS.length]?.(device))
  const home = desk.state.currentActivity
  for (let w = 0; w < windows; w++) {
    if (w > 0 && w % perActivity === 0)
      desk.do({ type: 'activity/create', id: id<ActivityId>(`a${w / perActivity}`), name: `Activity ${w / perActivity}` })
    const windowId = id<WindowId>(`w${w}`)
    desk.do({ type: 'window/open', id: windowId, tabId: id<TabId>(`t${w}-0`), app: app(w) })
    for (let t = 1; t < tabs; t++) desk.do({ type: 'tab/open', windowId, id: id<TabId>(`t${w}-${t}`), app: app(w + t), background: true })
  }
  desk.do({ type: 'activity/switch', activityId: home })
  const editor = windows >= perActivity ? perActivity - 4 : 1
  desk.do({ type: 'window/focus', windowId: id<WindowId>(`w${editor}`) })
}

/** A device with such a desk, and a hand on it that is let go afterwards. */
export async function onDesk<T>(size: DeskSize, work: (device: E2eDevice, desk: E2eDesk) => Promise<T>): Promise<T> {
  const device = await E2eDevice.start({ name: 'bench' })
  let desk: E2eDesk | undefined
  try {
    const deviceId = await device.create('Maria')
    desk = await E2eDesk.open(device, AREA)
    openWindows(desk, deviceId, size)
    return await work(device, desk)
  } finally {
    desk?.dispose()
    await device.dispose()
  }
}

/** A browser that paints on a virtual screen, as a person's does. */
export async function withHeadful<T>(work: (browser: E2eBrowser) => Promise<T>): Promise<T> {
  const screen = await startVirtualScreen()
  const browser = await E2eBrowser.launch(undefined, { headless: false, env: { DISPLAY: screen.display } })
  try {
    return await work(browser)
  } finally {
    await browser.dispose()
    await screen.stop()
  }
}
