import { readFile } from 'node:fs/promises'
import type { Locator } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { WORDS } from '../src/identity/words.ts'
import { whyNoNetLab } from '../src/testkit/netlab.ts'
import { E2eDevice, PASSPHRASE } from './harness/e2e-device.ts'
import { E2eBrowser, E2eDisplay } from './harness/e2e-display.ts'
import { E2eLab, eventually } from './harness/e2e-pair.ts'
import { keepEvidence } from './harness/evidence.ts'
import { runFromPalette } from './harness/hands.ts'
import { whyNoBrowser } from './harness/chromium.ts'

const why = whyNoNetLab() ?? whyNoBrowser

/** The Devices window of a display, opened or brought to the front, with no pairing left open in it. */
async function devicesOf(display: E2eDisplay): Promise<Locator> {
  await runFromPalette(display.page, 'devices', /^Devices/)
  const app = display.page.locator('.window[data-active]').locator('.devices')
  await app.waitFor()
  const done = app.getByRole('button', { name: 'Done' })
  if (await done.isVisible()) await done.click()
  return app
}

/** As `offerCode`; returns what the QR code says, as "Copy link" puts it on the clipboard. */
async function offerLink(display: E2eDisplay): Promise<string> {
  await display.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await offerCode(display)
  await panel(display).getByRole('img', { name: 'QR code of the link' }).waitFor()
  await panel(display).getByRole('button', { name: 'Copy link' }).click()
  await display.page.getByText('The link is copied').waitFor()
  return display.page.evaluate(() => navigator.clipboard.readText())
}

/** Presses "Link another device", then "Show a code". Returns the code as a person would read it out. */
async function offerCode(display: E2eDisplay): Promise<string> {
  const app = await devicesOf(display)
  await app.getByRole('button', { name: 'Link another device' }).click()
  await app.getByRole('button', { name: 'Show a code' }).click()
  const code = app.locator('.pairing-code span')
  await code.first().waitFor()
  return (await code.allInnerTexts()).join('-')
}

async function typeCode(display: E2eDisplay, code: string): Promise<void> {
  const typed = code.startsWith('elsewhere:') ? code : code.replaceAll('-', ' ')
  const app = await devicesOf(display)
  await app.getByRole('button', { name: 'Link another device' }).click()
  await app.getByLabel('Code or link').fill(typed)
  await app.getByRole('button', { name: 'Link', exact: true }).click()
}

const panel = (display: E2eDisplay) => display.desk.getByRole('region', { name: 'Pairing' })

/** Both say yes, having seen both names and the same words. */
async function agree(offering: E2eDisplay, joining: E2eDisplay): Promise<void> {
  const [there, here] = [panel(offering), panel(joining)]
  await there.getByText('Is this your other device?').waitFor()
  await here.getByText('Join Ada’s devices?').waitFor()
  const whose = await Promise.all([there, here].map((one) => one.getByText(/becomes a device of Ada\.$/).innerText()))
  expect(whose[0]).toBe(whose[1])
  const words = await here.locator('.pairing-words').innerText()
  expect(words.split(' ').length).toBeGreaterThanOrEqual(4)
  expect(await there.locator('.pairing-words').innerText()).toBe(words)
  const names = (await Promise.all([there, here].map((one) => one.locator('.pairing-names strong').allInnerTexts()))) as [
    string[],
    string[],
  ]
  expect(names[0].toReversed()).toEqual(names[1])
  await there.getByRole('button', { name: 'Yes, link them' }).click()
  await here.getByRole('button', { name: 'Yes, link them' }).click()
}

describe.skipIf(why !== undefined)(`pairing through the Devices app${why ? ` (${why})` : ''}`, () => {
  let lab: E2eLab
  let laptop: E2eDisplay
  let kitchen: E2eDisplay
  let attic: E2eDisplay

  beforeAll(async () => {
    lab = await E2eLab.createWith({ paired: false, bare: ['study'] }, 'laptop', 'kitchen', 'attic')
    laptop = await lab.display('laptop', 'move')
    kitchen = await lab.display('kitchen', 'move')
  })
  afterEach((context) => keepEvidence(context, { laptop, kitchen, attic }))
  afterAll(() => lab?.dispose())

  const knownTo = async (name: string) => (await lab.ask(name, (client) => client.listDevices({}))).map((row) => row.name).sort()

  it('a wrong code is burnt by one try, and both are told what happened and what to do', async () => {
    const code = await offerCode(laptop)
    const last = code.split('-').at(-1)
    const wrong = code.replace(/[^-]+$/, WORDS.find((word) => word !== last) ?? '')
    await typeCode(kitchen, wrong)
    for (const display of [laptop, kitchen]) {
      await panel(display).getByText('They were not linked').waitFor()
      expect(await panel(display).getByRole('alert').innerText()).toMatch(/code was wrong.*show a new one/)
      await panel(display).getByRole('button', { name: 'Close' }).click()
    }
    // The right code is worth nothing any more: nobody answers to it.
    await typeCode(kitchen, code)
    await panel(kitchen).getByText('Looking for the other device').waitFor()
    expect(await panel(laptop).count()).toBe(0)
    await panel(kitchen).getByRole('button', { name: 'Cancel' }).click()
    expect(await knownTo('laptop')).toEqual(['laptop'])
    expect(await knownTo('kitchen')).toEqual(['kitchen'])
  })

  it('the right code, the same words on both, yes on both: one desk, and what was open comes along as an activity', async () => {
    await laptop.openApp('Settings')
    await laptop.window('Settings').waitFor()
    await kitchen.openApp('Editor')
    await kitchen.desk.locator('.cm-content').click()
    await kitchen.page.keyboard.type('written before it joined')
    await kitchen.openApp('Task manager')
    await eventually('it has its own windows', async () => (await kitchen.windows()).length >= 3)

    await typeCode(kitchen, await offerCode(laptop))
    await agree(laptop, kitchen)
    await laptop.window('Settings').waitFor()
    await kitchen.window('Settings').waitFor({ timeout: 30_000 })
    await eventually('both know both', async () => {
      const lists = [await knownTo('laptop'), await knownTo('kitchen')]
      return lists.every((list) => list.join() === 'kitchen,laptop')
    })

    // Its own windows lie in an activity that has its name.
    await laptop.page.getByRole('button', { name: /^Activity/ }).click()
    await laptop.page
      .getByRole('menuitemcheckbox', { name: /^kitchen/ })
      .or(laptop.page.getByRole('menuitem', { name: /^kitchen/ }))
      .click()
    await runFromPalette(laptop.page, 'untitled', /Untitled/)
    await laptop.desk.getByText('written before it joined').waitFor()
    expect((await laptop.windows()).some(({ title }) => /Task/.test(title))).toBe(true)
    expect((await laptop.windows()).some(({ title }) => title === 'Settings')).toBe(false)
  })

  it('[ID161] three devices know each other after a code and a link', async () => {
    attic = await lab.display('attic', 'move')
    // It is shown by the device that joined, not by the first one.
    const link = await offerLink(kitchen)
    expect(link).toMatch(/^elsewhere:\/\/join\/1\?s=[\w-]{22}(&at=ws[^&]+)+$/)
    await typeCode(attic, link)
    await agree(kitchen, attic)
    for (const name of ['laptop', 'kitchen', 'attic']) {
      await eventually(`${name} knows all three`, async () => (await knownTo(name)).join() === 'attic,kitchen,laptop', 30_000)
    }
    await eventually(
      'and the two that never met by code are linked',
      async () => (await lab.link('laptop', 'attic')).state === 'linked',
      40_000,
    )
  })

  it('the one that joined by a device without the person key is a member: a shell elsewhere is refused until it is given, and ends', async () => {
    const ids = Object.fromEntries((await lab.ask('laptop', (client) => client.listDevices({}))).map((row) => [row.name, row.deviceId]))
    const device = ids.laptop as string
    const openThere = () =>
      lab
        .ask('attic', (client) => client.openTerminal({ device, columns: 80, rows: 24 }))
        .then(
          () => 'opened',
          (error) => error.code,
        )
    await eventually('it is linked there, and refused', async () => (await openThere()) === 'grant/refused')
    const app = await devicesOf(laptop)
    await app.getByRole('radio', { name: 'Who may do what' }).click()
    await app.getByRole('button', { name: 'Give access' }).click()
    const giving = laptop.page.getByRole('dialog', { name: 'Give access' })
    await giving.getByRole('switch', { name: 'Use a shell' }).click()
    await giving.getByRole('button', { name: 'Give', exact: true }).click()
    await app.getByText(/^attic may run programs in a shell on laptop until/).waitFor()
    await eventually('the attic may', async () => (await openThere()) === 'opened', 20_000)
    await app.getByRole('button', { name: /^Revoke: attic may/ }).click()
    await eventually('and may no more', async () => (await openThere()) === 'grant/refused', 20_000)
    await app.getByRole('radio', { name: 'Devices', exact: true }).click()
  })

  it('a removed device is gone from all lists, is told why, and hears no more of the desk', async () => {
    const app = await devicesOf(laptop)
    await app.getByRole('button', { name: 'Actions for attic' }).click()
    await laptop.page.getByRole('menuitem', { name: 'Remove' }).click()
    const sure = laptop.page
      .getByRole('dialog', { name: 'Remove attic?' })
      .or(laptop.page.getByRole('alertdialog', { name: 'Remove attic?' }))
    await sure.getByRole('button', { name: 'Remove' }).click()
    for (const name of ['laptop', 'kitchen'])
      await eventually(`${name} has let go of it`, async () => (await knownTo(name)).join() === 'kitchen,laptop', 30_000)
    await attic.page
      .getByText(/removed from your devices/)
      .first()
      .waitFor({ timeout: 30_000 })
    const title = /^Web|^New page/
    // Its page says why, and is loaded anew without the desk.
    await eventually('nothing of the desk is left on it', async () => (await attic.windows()).length === 0)
    await laptop.openApp('Web')
    await eventually('the kitchen follows', async () => (await kitchen.windows()).some((one) => title.test(one.title)))
    expect(await attic.windows()).toEqual([])
  })

  it('[ID159] [ID160] the first device is lost: a kit it made brings person and desk back on a bare machine, by the other one', async () => {
    const { page } = laptop
    await runFromPalette(page, 'settings', /^Settings/)
    const settings = page.locator('.window[data-active]').locator('.settings')
    await settings.getByRole('button', { name: 'Security' }).click()
    await settings.getByRole('button', { name: 'Make a kit…' }).click()
    await page.getByLabel('Your passphrase').fill(PASSPHRASE)
    await page.getByRole('button', { name: 'Make it' }).click()
    const listed = page.getByRole('list', { name: 'Recovery words' }).getByRole('listitem')
    await listed.first().waitFor()
    const words = await listed.allInnerTexts()
    expect(words.length).toBe(14)
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save the file' }).click()])
    expect(download.suggestedFilename()).toMatch(/^elsewhere-recovery-ada-\d{4}-\d\d-\d\d\.age$/)
    const buffer = await readFile(await download.path())
    await page.getByRole('button', { name: 'Done' }).click()
    await laptop.close()
    await lab.machine('laptop').device.stop()

    const machine = lab.lab.machine('study')
    const device = await E2eDevice.start({ name: 'study', machine })
    onTestFinished(() => device.dispose())
    const browser = await E2eBrowser.launch(machine)
    onTestFinished(() => browser.dispose())
    const study = await E2eDisplay.open(device, browser)
    await study.page.getByRole('button', { name: 'I have a recovery kit' }).click()
    await study.page.getByLabel('File of the kit').setInputFiles({ name: 'kit.age', mimeType: 'text/plain', buffer })
    const typed = study.page.getByLabel('Words from the page')
    await typed.fill(words.slice(1).join(' '))
    await study.page.getByText('13 of 14 words').waitFor()
    expect(await study.page.getByRole('button', { name: 'Continue' }).isDisabled()).toBe(true)
    await typed.fill(words.toReversed().join(' '))
    const protect = async () => {
      await study.page.getByRole('button', { name: 'Continue' }).click()
      await study.page.getByLabel('Passphrase', { exact: true }).fill('quite another passphrase')
      await study.page.getByLabel('Once more').fill('quite another passphrase')
      await study.page.getByLabel('Name of this device').fill('study')
      await study.page.getByRole('button', { name: 'Open my desk' }).click()
    }
    await protect()
    expect(await study.page.getByRole('alert').innerText()).toMatch(/changed places.*look at the page again/)
    await typed.fill(words.map((word) => word.slice(0, 4)).join('\n'))
    await protect()
    await study.page.locator('.desk').waitFor()
    const there = await kitchen.windows()
    await eventually(
      'the desk of the kitchen',
      async () => {
        const here = (await study.windows()).map(({ title }) => title)
        return there.every(({ title }) => here.includes(title))
      },
      40_000,
    )
    await eventually('the kitchen has let it in', async () => (await knownTo('kitchen')).join() === 'kitchen,laptop,study')
    await study.close()
  })
})
