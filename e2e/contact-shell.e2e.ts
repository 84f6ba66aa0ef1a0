import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Locator } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { whyNoNetLab } from '../src/testkit/netlab.ts'
import { whyNoBrowser } from './harness/chromium.ts'
import type { E2eDisplay } from './harness/e2e-display.ts'
import { E2eLab, eventually } from './harness/e2e-pair.ts'
import { keepEvidence } from './harness/evidence.ts'
import { findings, runFromPalette } from './harness/hands.ts'

const why = whyNoNetLab() ?? whyNoBrowser
const PATIENCE_MS = 60_000
const CLI = path.resolve(import.meta.dirname, '../bin/elsewhere.mjs')
/** Where ELSEWHERE_PICTURES says, what the screens look like is kept. */
const PICTURES = process.env.ELSEWHERE_PICTURES

async function pageOf(display: E2eDisplay, name: 'Contacts' | 'Who may do what'): Promise<Locator> {
  await runFromPalette(display.page, 'devices', /^Devices/)
  const app = display.page.locator('.window[data-active]').locator('.devices')
  await app.getByRole('radio', { name }).click()
  return app
}

describe.skipIf(why !== undefined)(`what another person is given from the screen${why ? ` (${why})` : ''}`, () => {
  let lab: E2eLab
  let ada: E2eDisplay
  let bob: E2eDisplay

  beforeAll(async () => {
    lab = await E2eLab.createWith({ persons: ['Ada', 'Bob'] }, 'laptop', 'desktop')
    await becomeContacts(lab)
    ada = await lab.display('laptop', 'move')
    bob = await lab.display('desktop', 'move')
  }, 240_000)
  afterEach((context) => keepEvidence(context, { ada, bob }))
  afterAll(() => lab?.dispose())

  /** The command line on that machine, with what it is given to read; what it says, errors too. */
  const cli = async (machine: string, args: readonly string[], input = '') => {
    const { folder } = lab.machine(machine).device
    const env = { ...process.env, HOME: folder, ELSEWHERE_DATA: folder }
    const cwd = path.join(folder, 'work') // a job takes its folder along
    mkdirSync(cwd, { recursive: true })
    const child = lab.lab.machine(machine).spawn(process.execPath, [CLI, ...args], { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => (said += String(bytes)))
    child.stdin?.end(input)
    await new Promise((resolve) => child.on('close', resolve))
    return said
  }
  const picture = async (display: E2eDisplay, name: string) => {
    if (!PICTURES) return
    mkdirSync(PICTURES, { recursive: true })
    await display.screenshot(path.join(PICTURES, `${name}.png`))
  }
  const looksRight = async (display: E2eDisplay, name: string, scope: string) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await display.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await display.page.locator(`html[data-theme="${colorScheme}"]`).waitFor({ state: 'attached' })
      expect(await findings(display.page, `${name}, ${colorScheme}`, scope)).toEqual([])
      await picture(display, `${name}-${colorScheme}`)
    }
    await display.page.emulateMedia({ colorScheme: 'light' })
  }

  it('[ID165] [AP63] [AP77] is given after a yes of its own, used from the screen, seen and ended by its owner, and gone with the grant', {
    timeout: 240_000,
  }, async () => {
    const mine = await pageOf(ada, 'Contacts')
    await mine.getByRole('button', { name: 'Actions for Bob' }).click()
    await ada.page.getByRole('menuitem', { name: 'Let them use a shell' }).click()
    const dialog = ada.page.getByRole('dialog', { name: 'Let Bob use a shell?' })
    const give = dialog.getByRole('button', { name: 'Let them' })
    expect(await give.isDisabled()).toBe(true)
    await looksRight(ada, 'shell-dialog', '.ui-dialog')
    await dialog.getByRole('switch', { name: /^Yes: Bob may do on laptop everything that I can/ }).click()
    await give.click()

    const theirs = await pageOf(bob, 'Contacts')
    await theirs.getByText(/^Lets you use a shell on laptop until/).waitFor({ timeout: PATIENCE_MS })
    await picture(bob, 'shell-offered')
    const beside = await lab.display('laptop', 'beside')
    const said = ada.page
      .getByText('Bob opened a shell on laptop')
      .first()
      .waitFor({ timeout: 2 * PATIENCE_MS }) // for some seconds only
    await theirs.getByRole('button', { name: 'Open a terminal' }).click()
    await bob.page.locator('.window[data-active]').getByRole('button', { name: 'On laptop of Ada, linked' }).waitFor()
    const rows = bob.page.locator('.window[data-active] .xterm-rows')
    await eventually('its prompt is there', async () => /[#$]/.test(await rows.innerText()))
    await bob.page.locator('.window[data-active] .terminal-place').click()
    const type = async (line: string) => {
      await bob.page.keyboard.type(line)
      await bob.page.keyboard.press('Enter')
    }
    const { folder } = lab.machine('laptop').device
    await type('echo "home:$HOME:" | tr a-z A-Z')
    await eventually('it runs on the laptop, as that account', async () =>
      (await rows.innerText()).replaceAll(/\s/g, '').includes(`HOME:${folder.toUpperCase()}:`),
    )
    await picture(bob, 'shell-in-use')

    const listed = mine.getByRole('list', { name: 'Shells of others on your devices' })
    await listed.getByText('Bob is in a shell on laptop').waitFor({ timeout: PATIENCE_MS })
    await said
    // Read on one display, it is read on the other; what it is about opens; and it is put away.
    const bell = (display: E2eDisplay, name: string | RegExp) => display.page.getByRole('button', { name, exact: true })
    await bell(beside, 'Messages, 1 new').waitFor()
    await bell(ada, 'Messages, 1 new').click()
    const messages = ada.page.getByRole('dialog', { name: 'Messages' })
    await messages.getByRole('button', { name: /^New: Bob opened a shell on laptop/ }).click()
    await bell(beside, 'Messages').waitFor()
    await looksRight(ada, 'messages', '.messages')
    await ada.page.locator('.devices').getByRole('radio', { name: 'Ledger' }).click()
    await bell(ada, 'Messages').click() // that press was outside of the list, which closed it
    await messages.getByRole('button', { name: 'Show: Bob opened a shell on laptop' }).click()
    await expect.poll(() => ada.page.locator('.devices').getByRole('radio', { name: 'Contacts' }).getAttribute('aria-checked')).toBe('true')
    await bell(ada, 'Messages').click()
    await messages.getByRole('button', { name: 'Put away: Bob opened a shell on laptop' }).click()
    await messages.getByText('Nothing to report').waitFor()
    await ada.page.keyboard.press('Escape')
    await beside.close()
    await looksRight(ada, 'shell-seen', '.window[data-active]')
    expect(await cli('laptop', ['contact', 'shells'])).toMatch(/Bob on laptop since .*runs/)
    await listed.getByRole('button', { name: 'End the shell of Bob on laptop' }).click()
    await listed.waitFor({ state: 'detached' })
    await eventually('it has ended for him, too', async () =>
      /was ended by signal/.test(await bob.page.locator('.window[data-active] .terminal[data-phase]').innerText()),
    )
    await picture(bob, 'shell-ended')

    // The same from the command line, and in the middle of it the grant ends.
    const heard = await cli('desktop', ['contact', 'shell', 'Ada'], 'echo it-is-$((40+2))-there; exit\n')
    expect(heard).toContain('it-is-42-there')
    await listed.waitFor({ state: 'detached' }) // else it is taken for the next one, which then is not there to be cut
    const waiting = cli('desktop', ['contact', 'shell', 'Ada'], 'sleep 600\n')
    await listed.getByText('Bob is in a shell on laptop').waitFor({ timeout: PATIENCE_MS })
    const grants = await pageOf(ada, 'Who may do what')
    await grants.getByRole('button', { name: /^Revoke: Bob may run programs in a shell on laptop/ }).click()
    expect(await waiting).toMatch(/elsewhere:|ended/)
    expect(await cli('laptop', ['contact', 'shells'])).toContain('Nobody else is in a shell')
    expect(await cli('desktop', ['contact', 'shell', 'Ada'])).toContain('lets you use no shell now')
    const { rows: told } = await lab.ask('laptop', (client) => client.listLedger({ limit: 100 }))
    expect(told.filter(({ kind }) => kind === 'shell-opened')).toHaveLength(3)
    expect(told.filter(({ kind }) => kind === 'shell-ended')).toHaveLength(3)
  })

  it('[AP64] [AP73] [AP143] [AP144] [ID164] jobs are given under Who may do what, run from the command line on her laptop, are seen and stopped there, and are gone when that is revoked', {
    timeout: 240_000,
  }, async () => {
    const grants = await pageOf(ada, 'Who may do what')
    await grants.getByRole('button', { name: 'Give to a contact' }).click()
    const dialog = ada.page.getByRole('dialog', { name: 'Give to a contact' })
    await dialog.getByRole('button', { name: 'Give', exact: true }).click()
    expect(await dialog.getByRole('alert').innerText()).toContain('A port is a number')
    await dialog.getByRole('radio', { name: 'Run jobs' }).click()
    await dialog.getByText('Bob may run jobs on each of your devices: in the sandbox').waitFor()
    await looksRight(ada, 'give-to-contact', '.ui-dialog')
    await dialog.getByRole('button', { name: 'Give', exact: true }).click()
    await grants.getByText(/^Bob may run jobs .*until/).waitFor()
    const run = () => cli('desktop', ['run', '--on-contact', 'Ada', 'echo', 'ran-for-bob'])
    const offered = async () => (await cli('desktop', ['contact', 'list'])).includes('runs jobs for you')
    await eventually('he is offered that', offered, PATIENCE_MS)
    expect(await run()).toContain('ran-for-bob')

    // Who runs what here, and a stop to it.
    await runFromPalette(ada.page, 'jobs', /^Jobs/)
    const jobs = ada.page.locator('.window[data-active]').locator('.jobs')
    const long = cli('desktop', ['run', '--on-contact', 'Ada', 'sleep', '300'])
    const guests = jobs.getByRole('region', { name: 'Jobs of others on this device' })
    await guests.getByText(/^For desktop of Bob, begun/).waitFor({ timeout: PATIENCE_MS })
    await looksRight(ada, 'guest-job', '.window[data-active]')
    await guests.getByRole('button', { name: 'Stop the job of desktop of Bob: sleep 300' }).click()
    await guests.waitFor({ state: 'detached', timeout: PATIENCE_MS })
    expect(await long).toContain('its owner stopped it there')

    // The same from his screen: a tile of her laptop takes what is typed.
    await runFromPalette(bob.page, 'jobs', /^Jobs/)
    const his = bob.page.locator('.window[data-active]').locator('.jobs')
    await his.locator('.job-row-main').first().click({ button: 'right' })
    await bob.page.getByRole('menuitem', { name: 'Its folder' }).click()
    await bob.page.locator('.window[data-active]').locator('.files').waitFor()
    await bob.page.getByRole('button', { name: 'laptop of Ada: runs jobs for you' }).click()
    await bob.page.getByRole('button', { name: 'Folder it works on: ~/work' }).waitFor()
    await bob.page.getByRole('textbox', { name: 'Run a command elsewhere' }).fill('echo from-the-$((40+2))-screen')
    const tile = bob.page.getByRole('button', { name: /^Run on laptop of Ada: runs jobs for you, in a sandbox there/ })
    await tile.waitFor({ timeout: PATIENCE_MS })
    await looksRight(bob, 'contact-tile', '.elsewhere')
    await tile.click()
    const fromScreen = async () =>
      (await lab.ask('desktop', (client) => client.listJobs({}))).find(({ lastLine }) => /from-the-42/.test(lastLine))
    await eventually('it ran there', async () => (await fromScreen())?.state === 'done', PATIENCE_MS)
    expect((await fromScreen())?.why).toBe('you chose laptop of Ada')
    // In the hand it is there, too.
    await bob.page.setViewportSize({ width: 390, height: 844 })
    await bob.page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: 'Elsewhere' }).click()
    const inTheHand = bob.page.getByRole('region', { name: 'Elsewhere: your devices' })
    await inTheHand.getByRole('button', { name: /laptop of Ada: runs jobs for you/ }).waitFor()
    await looksRight(bob, 'contact-tile-small', '.compact-list')
    await bob.page.setViewportSize({ width: 1440, height: 900 })
    await pageOf(ada, 'Who may do what')
    await grants.getByRole('button', { name: /^Revoke: Bob may run jobs/ }).click()
    await eventually('he is offered nothing any more', async () => !(await offered()), PATIENCE_MS)
  })
})

/** Ada's laptop and Bob's desktop, by a link, without a screen: that is e2e/contacts.e2e.ts. */
async function becomeContacts(lab: E2eLab): Promise<void> {
  const { link } = await lab.ask('laptop', (client) => client.offerContact({}))
  await lab.ask('desktop', (client) => client.joinContact({ code: link as string }))
  for (const name of ['laptop', 'desktop']) {
    await eventually(
      `${name} asks`,
      async () => (await lab.ask(name, (client) => client.readContactPairing({}))).step === 'confirm',
      PATIENCE_MS,
    )
  }
  for (const name of ['laptop', 'desktop']) await lab.ask(name, (client) => client.confirmContact({ accept: true }))
  for (const name of ['laptop', 'desktop']) {
    const linked = async () => (await lab.ask(name, (client) => client.listContacts({}))).contacts[0]?.devices[0]?.state === 'linked'
    await eventually(`${name} is linked with the other's`, linked, PATIENCE_MS)
  }
}
