import path from 'node:path'
import { type AppState, type AppStateInput, appState } from '../../src/session/app-state.ts'
import type { ActivityId, TabId, WindowId } from '../../src/session/session-ids.ts'
import type { SnapZone } from '../../src/session/snap-zone.ts'
import { E2eDesk } from '../harness/e2e-desk.ts'
import type { E2eDisplay } from '../harness/e2e-display.ts'
import { eventually } from '../harness/e2e-pair.ts'
import type { DemoMachines } from './demo-machines.ts'

const PLAN = `# Garden plan

Beds 1 and 2: beans out by Friday, garlic in on Monday.
Bed 3: leave the chard, it feeds us until frost.

- [x] order garlic (40 cloves)
- [x] mend the cold frame
- [ ] turn the compost again
`
const FILES: Readonly<Record<string, string>> = {
  'garden-plan.md': PLAN,
  'watering.csv': 'day,litres\nmon,42\ntue,38\nwed,0\n',
  'seed-order.txt': 'garlic 40\nbroad beans 2 packets\n',
  'Photos/readme.txt': 'from the phone\n',
  'Recipes/bean-soup.md': '# Bean soup\n',
  'Letters/council.md': 'About the allotment path\n',
}
/** A program that goes on counting: it is the same one on every display. */
const COUNTER = 'i=0; while :; do i=$((i+1)); printf "pump %4d  %s  %2d l\\n" $i "$(date +%T)" $((i*7%40)); sleep 1; done'
/** Left, top, width and height of a window as shares of the desk. */
type Share = readonly [number, number, number, number]
const TYPED = 'Ask Ben for the long ladder'

const app = (state: AppStateInput): AppState => appState.parse(state)
const id = <T extends string>(text: string) => text as T

/** What `arrange` made, for those who measure it. */
export interface DemoWorkspace {
  readonly terminalId: string
}

/** A desk as a person has one in the middle of work, on the first machine: `display` shows it, and is typed into. */
export async function arrangeDesk(machines: DemoMachines, name: string, display: E2eDisplay): Promise<DemoWorkspace> {
  const { device, deviceId, home, machine } = machines.machine(name)
  await machines.fillHome(name, FILES)
  const url = await machines.helper(name, 'page-server.ts', machine?.address ?? '127.0.0.1')
  const area = await display.desk.boundingBox()
  if (!area) throw new Error('the desk has no area')
  const desk = await E2eDesk.open(device, { width: area.width, height: area.height })
  try {
    const terminal = await desk.client.openTerminal({ device: deviceId, cwd: home, columns: 80, rows: 24 })
    const [home1, trip] = [id<ActivityId>('home'), id<ActivityId>('trip')]
    const open = (window: string, where: SnapZone | Share, state: AppStateInput) => {
      const windowId = id<WindowId>(window)
      const ids = { id: windowId, tabId: id<TabId>(`${window}-tab`), app: app(state) }
      if (typeof where === 'string') return desk.do({ type: 'window/open', ...ids }, { type: 'window/snap', windowId, zone: where })
      const [x, y, width, height] = where
      const rect = { x: x * area.width, y: y * area.height, width: width * area.width, height: height * area.height }
      return desk.do({ type: 'window/open', ...ids, rect })
    }
    desk.do({ type: 'window/close', windowId: id<WindowId>('welcome') })
    desk.do({ type: 'activity/rename', activityId: home1, name: 'Garden' })
    desk.do({ type: 'activity/create', id: trip, name: 'Trip to Lyon' })
    open('tasks', 'left', { kind: 'tasks' })
    open('devices', 'right', { kind: 'devices' })
    desk.do({ type: 'activity/switch', activityId: home1 })
    open('files', [0.04, 0.05, 0.44, 0.5], { kind: 'files', device: deviceId, path: null })
    open('web', [0.54, 0.48, 0.42, 0.47], { kind: 'web', url, title: 'Garden diary', history: [url], index: 0 })
    open('terminal', [0.5, 0.05, 0.45, 0.4], { kind: 'terminal', device: deviceId, terminalId: terminal.terminalId, cwd: home })
    open('editor', [0.09, 0.31, 0.43, 0.6], {
      kind: 'editor',
      device: deviceId,
      path: path.join(home, 'garden-plan.md'),
      textDoc: null,
      version: null,
    })
    await typeInto(display)
    return { terminalId: terminal.terminalId }
  } finally {
    desk.dispose()
  }
}

/** Starts the program and leaves text unsaved, with the keyboard. */
async function typeInto(display: E2eDisplay): Promise<void> {
  const terminal = display.desk.locator('.xterm').first()
  await terminal.waitFor()
  const screen = display.desk.locator('.app.terminal').first()
  await eventually('a prompt', async () => (await screen.innerText()).includes('$'))
  await terminal.click()
  await display.page.keyboard.type(`clear; ${COUNTER}\n`)
  await eventually('the program counts', async () => /pump +2 /.test(await screen.innerText()))
  const text = display.desk.locator('.cm-content').first()
  await eventually('the text is read', async () => (await text.innerText()).includes('compost'))
  await text.click()
  await display.page.keyboard.press('Control+End')
  await display.page.keyboard.type(`- [ ] ${TYPED}`)
}
