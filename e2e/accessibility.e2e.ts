import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { whyNoNetLab } from '../src/testkit/netlab.ts'
import { whyNoBrowser } from './harness/chromium.ts'
import { E2eDesk } from './harness/e2e-desk.ts'
import { E2eDevice } from './harness/e2e-device.ts'
import { E2eDisplay } from './harness/e2e-display.ts'
import { E2eLab } from './harness/e2e-pair.ts'
import { keepEvidence } from './harness/evidence.ts'
import { closeWindows, findings, grip, runFromPalette } from './harness/hands.ts'

const why = whyNoNetLab() ?? whyNoBrowser
const QUIET = { reducedMotion: 'reduce' } as const

/**
 * Every screen, app, page, menu and dialog, in both themes: each is looked at in light and, the system having changed its
 * mind, in dark, as it stands; there only axe's rules about colours are asked, for a theme changes nothing else.
 * Two devices: pairing shows its last steps only when somebody answers.
 */
describe.skipIf(why !== undefined)(`axe finds nothing serious, light or dark${why ? ` (${why})` : ''}`, () => {
  let lab: E2eLab
  let display: E2eDisplay
  let page: Page
  let found: string[] = []

  beforeAll(async () => {
    lab = await E2eLab.createWith({ paired: false }, 'kitchen', 'server')
    const { device, browser } = lab.machine('kitchen')
    await mkdir(path.join(device.folder, 'Empty'))
    display = await E2eDisplay.open(device, browser, QUIET)
    page = display.page
    page.setDefaultTimeout(15_000)
  })
  afterEach((context) => keepEvidence(context, { display }))
  afterAll(() => lab?.dispose())

  const lookAt = async (on: Page, where: string, scope?: string) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await on.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await on.locator(`html[data-theme="${colorScheme}"]`).waitFor({ state: 'attached' })
      found.push(...(await findings(on, `${where}, ${colorScheme}`, scope, colorScheme === 'dark' ? 'colours' : undefined)))
    }
  }
  const look = (where: string, scope?: string) => lookAt(page, where, scope)
  /** For people: a picture of what was looked at last. */
  const shoot = async (of: E2eDisplay, name: string) => {
    if (process.env.ELSEWHERE_SHOTS) await of.screenshot(path.join(process.env.ELSEWHERE_SHOTS, `${name}.png`))
  }
  const DIALOG = '[role=dialog]:not(.window)'
  const clean = () => {
    const seen = found
    found = []
    expect(seen).toEqual([])
  }
  const front = () => page.locator('.window[data-active]')
  const FRONT = '.window[data-active]'
  const open = async (words: string, title: RegExp, content: string) => {
    await runFromPalette(page, words, title)
    await front().locator(content).first().waitFor()
  }

  it('first run, its three steps and what they refuse', async () => {
    const fresh = await E2eDevice.start({ name: 'new', machine: lab.lab.machine('kitchen') })
    onTestFinished(() => fresh.dispose())
    const first = await E2eDisplay.open(fresh, lab.machine('kitchen').browser, QUIET)
    await first.page.getByLabel('Your name').fill('Maria')
    await lookAt(first.page, 'first run, who')
    await first.page.getByRole('button', { name: 'I have a recovery kit' }).click()
    await first.page.getByRole('heading', { name: 'Get everything back' }).waitFor()
    const words = Array.from({ length: 14 }, () => 'word').join(' ')
    await first.page.getByLabel('Words from the page').fill(words)
    await first.page.getByLabel('File of the kit').setInputFiles({ name: 'kit', mimeType: 'text/plain', buffer: Buffer.from('none') })
    await lookAt(first.page, 'recovery kit, file and words')
    await shoot(first, 'restore')
    await first.page.getByRole('button', { name: 'Continue' }).click()
    await first.page.getByRole('heading', { name: 'Protect it here' }).waitFor()
    await lookAt(first.page, 'recovery kit, passphrase')
    for (let back = 0; back < 2; back++) await first.page.getByRole('button', { name: 'Back' }).click()
    await first.page.getByRole('button', { name: 'Continue' }).click()
    await first.page.getByLabel('Passphrase', { exact: true }).fill('correct horse battery staple')
    await first.page.getByLabel('Once more').fill('correct horse battery stable')
    await first.page.getByText('The two are not the same.').waitFor()
    await lookAt(first.page, 'first run, passphrase refused')
    await first.page.getByLabel('Once more').fill('correct horse battery staple')
    await first.page.getByRole('button', { name: 'Continue' }).click()
    await lookAt(first.page, 'first run, first or join')
    await first.close()
    // A page that its device does not answer.
    const prepare = (page: Page) => page.routeWebSocket(/./, (socket) => socket.close())
    const away = await E2eDisplay.open(fresh, lab.machine('kitchen').browser, { ...QUIET, prepare })
    await away.page.getByText('Elsewhere is not running on this machine').waitFor()
    await lookAt(away.page, 'the device is away')
    await shoot(away, 'device-away')
    await away.close()
    clean()
  })

  it('locked, a passphrase refused, the first desk and the empty one', async () => {
    await page.getByLabel('Passphrase', { exact: true }).fill('not this')
    await look('locked')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    await look('passphrase refused')
    await page.waitForTimeout(1_500) // the next try is possible after a second
    await display.unlock()
    await page.getByRole('heading', { name: /^Welcome/ }).waitFor()
    await look('the first desk')
    await closeWindows(page)
    await page.getByText('Nothing is open in').waitFor()
    await look('an empty desk, with what was closed')
    clean()
  })

  it('the bar and what opens from it', async () => {
    await page.getByRole('button', { name: /^Activity/ }).click()
    await page.getByRole('menu').waitFor()
    await look('activity menu')
    await page.getByRole('menuitem', { name: 'Rename' }).click()
    await page.getByLabel('Name of the activity').waitFor()
    await look('activity renamed', '.top-bar')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: /^Command or search/ }).click()
    const field = page.getByPlaceholder(/Go to a window/)
    await field.waitFor()
    await look('palette', '.palette')
    await field.fill('nothing is called this')
    await look('palette without an answer', '.palette')
    await page.keyboard.press('Escape')
    await field.waitFor({ state: 'detached' })
    await page.getByRole('button', { name: /^Messages/ }).click()
    await page.getByRole('dialog', { name: 'Messages' }).waitFor()
    await look('messages')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Ada: menu' }).click()
    await page.getByRole('menu').waitFor()
    await look('menu of me')
    await page.keyboard.press('Escape')
    clean()
  })

  it('terminal, editor, files, web, task manager, settings', async () => {
    await open('terminal', /^Terminal/, '.xterm')
    await look('terminal', FRONT)
    await front().locator('.xterm').click()
    await page.keyboard.press('Control+Shift+f')
    await look('terminal, find', FRONT)
    await page.keyboard.press('Escape')
    await open('editor', /^Editor/, '.cm-content')
    await front().locator('.cm-content').click()
    await page.keyboard.type('const a = "text" // and a remark')
    await look('editor', FRONT)
    await page.keyboard.press('Control+s')
    await page.getByRole('dialog', { name: /Save/ }).waitFor()
    await look('save as', '[role=dialog]:not(.window)')
    await page.keyboard.press('Escape')
    await closeWindows(page)

    await open('files', /^Files/, '.files-row')
    await look('files', FRONT)
    await front().getByText('Empty', { exact: true }).click({ button: 'right' })
    await page.getByRole('menu').waitFor()
    await look('menu of a file')
    await page.keyboard.press('Escape')
    await front()
      .getByRole('button', { name: /tiles|grid/i })
      .click()
    await look('files as tiles', FRONT)
    // [AP148] Where copies have to be, from the keyboard.
    const places = front().getByRole('navigation', { name: 'Places' })
    const copies = page.getByRole('dialog', { name: 'Where copies of Home are' })
    for (const { before, after } of [
      { before: '1', after: '3' },
      { before: '3', after: '1' },
    ]) {
      await places.getByRole('button', { name: /^Home/ }).click({ button: 'right' })
      await page.getByRole('menuitem', { name: 'Where copies are…' }).press('Enter')
      const field = copies.getByLabel('Other devices that must have it')
      await expect.poll(() => field.inputValue()).toBe(before)
      await copies.getByRole('switch', { name: 'kitchen' }).waitFor()
      if (before === '1') await look('where copies are', DIALOG)
      await field.fill('9')
      await copies.getByText('A number from 1 to 8.').waitFor()
      await field.fill(after)
      await field.press('Enter')
      await copies.waitFor({ state: 'detached' })
    }
    await front().getByText('Empty', { exact: true }).dblclick()
    await front()
      .getByRole('tab', { name: /^Empty/ })
      .waitFor()
    await look('an empty folder', FRONT)
    // A text that changed under the editor's hands.
    const note = path.join(lab.machine('kitchen').device.folder, 'note.txt')
    await writeFile(note, 'as it was\n')
    await open('files', /^Files/, '.files-row')
    await front()
      .getByRole('option', { name: /^note\.txt/ })
      .dblclick()
    await front().locator('.cm-content').waitFor()
    await front().locator('.cm-content').click()
    await page.keyboard.type('mine ')
    await writeFile(note, 'as another program left it\n')
    await page.keyboard.press('Control+s')
    await front().getByRole('button', { name: 'Show difference' }).click()
    await page.getByRole('dialog', { name: 'What is different' }).getByText('as another program left it').waitFor()
    await look('a text that changed on the disk', DIALOG)
    await shoot(display, 'difference')
    await page.getByRole('button', { name: 'Save mine over it' }).last().click()
    await page.getByRole('dialog', { name: 'What is different' }).waitFor({ state: 'detached' })
    await open('jobs', /^Jobs/, '.app')
    await front().getByRole('button', { name: 'Learned from runs' }).click()
    await page.getByRole('dialog', { name: 'Learned from runs' }).getByText('Nothing learned yet').waitFor()
    await look('what was learned', DIALOG)
    await shoot(display, 'learned')
    await page.keyboard.press('Escape')
    await open('web', /^Web/, '.app')
    await look('web', FRONT)
    await open('task', /^Task/, '.tasks-table')
    await look('task manager', FRONT)
    await closeWindows(page)

    await open('settings', /^Settings/, '.app')
    for (const name of ['Appearance', 'Keys', 'This device', 'Security', 'About']) {
      await front().getByText(name, { exact: true }).first().click()
      await look(`settings, ${name}`, FRONT)
    }
    await front().getByText('Security', { exact: true }).first().click()
    await front().getByRole('button', { name: 'Lock device…' }).click()
    await page.getByRole('dialog', { name: 'Lock this device?' }).waitFor()
    await look('lock this device?', DIALOG)
    await shoot(display, 'lock-device')
    await page.getByRole('button', { name: 'Cancel' }).click()
    await front().getByRole('button', { name: 'Change…', exact: true }).click()
    const change = page.getByRole('dialog', { name: 'Change the passphrase' })
    await change.getByLabel('Your passphrase now').fill('not this one')
    await change.getByLabel('New passphrase').fill('four quite random words')
    await change.getByLabel('Once more').fill('four quite random words')
    await change.getByRole('button', { name: 'Change it' }).click()
    await change
      .getByText(/not the passphrase/)
      .first()
      .waitFor()
    await look('another passphrase', DIALOG)
    await shoot(display, 'change-passphrase')
    await change.getByRole('button', { name: 'Cancel' }).click()
    await front().getByRole('switch', { name: 'Unlocks by itself when it starts' }).click()
    await page.getByRole('dialog', { name: 'Unlock by itself from now on?' }).waitFor()
    await look('unlock by itself?', DIALOG)
    await page.getByRole('button', { name: 'Keep asking' }).click()
    await front().getByRole('button', { name: 'Make a kit…' }).click()
    const kit = page.getByRole('dialog', { name: 'Make a recovery kit' })
    await kit.getByLabel('Your passphrase').fill('not this')
    await look('a passphrase asked for', DIALOG)
    await shoot(display, 'passphrase')
    await kit.getByRole('button', { name: 'Cancel' }).click()
    await front().getByText('Keys', { exact: true }).first().click()
    await front()
      .getByRole('button', { name: /^Change keys of/ })
      .first()
      .click()
    await page.keyboard.press('Alt+b')
    await look('settings, new keys', FRONT)
    await page.keyboard.press('Escape')
    clean()
  })

  it('menus, docks, switcher and modes of windows', async () => {
    await front().locator('.window-buttons').click({ button: 'right' })
    await page.getByRole('menu').waitFor()
    await page.getByRole('menuitem', { name: 'Snap to' }).hover()
    await page.getByRole('menuitemcheckbox', { name: 'Left half' }).waitFor()
    await look('menu of a window')
    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
    await front().getByRole('tab').first().click({ button: 'right' })
    await page.getByRole('menu').waitFor()
    await look('menu of a tab')
    await page.keyboard.press('Escape')
    await page.keyboard.down('Alt')
    await page.keyboard.press('q')
    await page.getByRole('listbox', { name: 'Windows' }).waitFor()
    await look('switcher')
    await page.keyboard.press('Escape')
    await page.keyboard.up('Alt')
    await page.locator('[data-dock-app=settings]').hover()
    await page.getByRole('group', { name: 'Windows of Settings' }).waitFor()
    await look('preview in the dock')
    await page.keyboard.press('Alt+F7')
    await page.getByText('Move with the arrow keys').waitFor()
    await look('moving by keys')
    await page.keyboard.press('Escape')
    const at = await grip(page, 'Settings')
    await page.mouse.move(at.x, at.y)
    await page.mouse.down()
    await page.mouse.move(at.x + 40, at.y + 40, { steps: 4 })
    await page.locator('.elsewhere-panel[data-carrying]').waitFor()
    await look('a window carried, the elsewhere dock grown', '.elsewhere')
    await page.keyboard.press('Escape')
    await page.mouse.up()
    clean()
  })

  it('devices: pairing from its choice to its end, failed and done, and the dialogs', async () => {
    const { device: server } = lab.machine('server')
    const app = front().locator('.devices')
    const offer = async () => {
      await app.getByRole('button', { name: 'Show a code' }).click()
      await app.locator('.pairing-code').waitFor()
      return (await app.locator('.pairing-code span').allInnerTexts()).join('-')
    }
    await open('devices', /^Devices/, '.devices-row')
    await app.getByRole('button', { name: 'Details of kitchen' }).click()
    await look('a device in detail', FRONT)
    await app.getByRole('button', { name: 'Link another device' }).click()
    await app.getByLabel('Code or link').fill('no code')
    await look('pairing, the choice', FRONT)
    const burnt = await offer()
    await look('pairing, the code', FRONT)
    await server.cli(['pair', 'join', burnt.replace(/[^-]+$/, burnt.endsWith('zebra') ? 'apple' : 'zebra'), '--yes'])
    await app.getByText('They were not linked').waitFor()
    await look('pairing, failed', FRONT)
    await app.getByRole('button', { name: 'Start over' }).click()
    const joining = server.startCli(['pair', 'join', await offer(), '--yes'])
    await app.getByText('Is this your other device?').waitFor()
    await look('pairing, both names and the words', FRONT)
    await app.getByRole('button', { name: 'Yes, link them' }).click()
    await app.getByText('is linked').waitFor()
    await look('pairing, done', FRONT)
    expect((await joining.done).code).toBe(0)
    await app.getByRole('button', { name: 'Done' }).click()

    await app.getByRole('button', { name: 'Actions for server' }).click()
    await page.getByRole('menuitem', { name: 'Remove' }).waitFor()
    await look('menu of a device')
    await page.getByRole('menuitem', { name: 'Rename' }).click()
    await page.getByRole('dialog', { name: 'Rename server' }).waitFor()
    await look('rename a device', '[role=dialog]:not(.window)')
    await page.getByRole('button', { name: 'Cancel' }).click()
    await app.getByRole('button', { name: 'Actions for server' }).click()
    await page.getByRole('menuitem', { name: 'Remove' }).click()
    await page
      .getByRole('alertdialog')
      .or(page.getByRole('dialog', { name: 'Remove server?' }))
      .waitFor()
    await look('remove a device', '[role=dialog]:not(.window)')
    await page.getByRole('button', { name: 'Keep it' }).click()

    await app.getByRole('button', { name: 'Actions for server' }).click()
    await page.getByRole('menuitem', { name: 'Make it a member' }).click()
    await app.getByRole('radio', { name: 'Who may do what' }).click()
    await app.getByRole('row', { name: /server member/ }).waitFor()
    await look('who may do what', FRONT)
    await app.getByRole('button', { name: 'Give access' }).click()
    const giving = page.getByRole('dialog', { name: 'Give access' })
    await giving.getByRole('switch', { name: 'Use a shell' }).click()
    await look('give access', '[role=dialog]:not(.window)')
    await giving.getByRole('button', { name: 'Give', exact: true }).click()
    await app.getByText(/server may run programs in a shell on .* until/).waitFor()
    await look('what is given', FRONT)
    await app.getByRole('button', { name: /^Revoke: server may/ }).click()
    await app.getByText('Nothing is given beyond that').waitFor()
    await app.getByRole('radio', { name: 'Ledger' }).click()
    const entries = app.getByRole('list', { name: 'Entries, newest first' })
    // What was done above stands there, in the order it was done: the newest first.
    await entries.getByRole('listitem').first().waitFor()
    expect(await entries.innerText()).toMatch(
      /revoked a grant[\s\S]*gave a grant to server[\s\S]*server was made a member[\s\S]*This ledger began/,
    )
    await app.getByRole('button', { name: 'Verify' }).click()
    await app.locator('.ledger-verdict[data-good="true"]').waitFor()
    await look('ledger', FRONT)
    await app.getByRole('radiogroup', { name: 'What is shown' }).getByRole('radio', { name: 'Devices' }).click()
    await app.getByRole('button', { name: 'Actions for server' }).click()
    await page.getByRole('menuitem', { name: 'Make it an admin' }).click()
    clean()
  })

  it('a device that is away: its tile, its files, its terminal', async () => {
    await runFromPalette(page, 'terminal on server', /^Terminal on server/)
    await front().locator('.xterm').waitFor()
    await runFromPalette(page, 'files on server', /^Files on server/)
    await front().locator('.files-row').first().waitFor()
    await lab.machine('server').device.stop()
    await page.locator('.device-tile[data-state="away"], .device-tile[data-state="connecting"]').waitFor({ timeout: 60_000 })
    await page.locator('.app-strip').first().waitFor({ timeout: 30_000 })
    await look('windows of a device that is away')
    await page.keyboard.press('Alt+e')
    await page.locator('.elsewhere-panel[data-open]').waitFor()
    await look('the elsewhere dock, by keys', '.elsewhere')
    await page.keyboard.press('Escape')
    clean()
  })

  it('small screens', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    const views = page.getByRole('navigation', { name: 'Views' })
    for (const view of ['Window', /^Tabs/, 'Apps', 'Elsewhere'] as const) {
      await views.getByRole('button', { name: view }).click()
      await look(`small screen, ${view}`)
    }
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.locator('.top-bar').waitFor()
    clean()
  })

  it('hand-over', async () => {
    const { device, browser } = lab.machine('kitchen')
    const other = await E2eDisplay.open(device, browser, QUIET)
    await other.unlock('move')
    await page.getByText(/^You are on/).waitFor()
    await look('handed over')
    await other.close()
    clean()
  })

  it('[AP75] the whole device locked from Settings: its lock screen says why, and what that stopped', async () => {
    await display.unlock()
    await open('settings', /^Settings/, '.app')
    await front().getByText('Security', { exact: true }).first().click()
    await front().getByRole('button', { name: 'Lock device…' }).click()
    await page.getByRole('dialog', { name: 'Lock this device?' }).getByRole('button', { name: 'Lock device' }).click()
    await page.getByText('You locked kitchen.').waitFor()
    await page.getByText('Programs in terminals go on; your other devices cannot reach them until you unlock.').waitFor()
    expect(await page.getByText('has restarted').count()).toBe(0)
    expect((await lab.machine('kitchen').device.status()).phase).toBe('sealed')
    await look('a locked device')
    await shoot(display, 'locked-device')
    await display.unlock()
    expect((await lab.machine('kitchen').device.status()).phase).toBe('open')
    clean()
  })

  it('[SE60] a desk that a newer Elsewhere changed can be looked at, and says so', async () => {
    const desk = await E2eDesk.open(lab.machine('kitchen').device, { width: 1320, height: 864 })
    desk.markNewer()
    await page.getByText(/^This desk was last changed by a newer Elsewhere/).waitFor()
    desk.dispose()
    await look('a desk that is newer')
    await shoot(display, 'newer')
    clean()
  })
})
