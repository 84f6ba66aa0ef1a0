import { writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Locator } from 'playwright-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { whyNoNetLab } from '../src/testkit/netlab.ts'
import { whyNoBrowser } from './harness/chromium.ts'
import type { E2eDisplay } from './harness/e2e-display.ts'
import { E2eLab, eventually } from './harness/e2e-pair.ts'
import { keepEvidence } from './harness/evidence.ts'
import { findings, runFromPalette } from './harness/hands.ts'

const why = whyNoNetLab() ?? whyNoBrowser
const PATIENCE_MS = 60_000
const CLI = path.resolve(import.meta.dirname, '../bin/elsewhere.mjs')
const SERVER = `node -e "require('http').createServer((q, a) => a.end('hello from a job')).listen(8123, '127.0.0.1')"`

async function contactsOf(display: E2eDisplay): Promise<Locator> {
  await runFromPalette(display.page, 'devices', /^Devices/)
  const app = display.page.locator('.window[data-active]').locator('.devices')
  await app.getByRole('radio', { name: 'Contacts' }).click()
  return app
}
const panel = (display: E2eDisplay) => display.desk.getByRole('region', { name: 'Adding a contact' })

describe.skipIf(why !== undefined)(`another person${why ? ` (${why})` : ''}`, () => {
  let lab: E2eLab
  let ada: E2eDisplay
  let bob: E2eDisplay

  beforeEach(async () => {
    lab = await E2eLab.createWith({ persons: ['Ada', 'Bob'] }, 'laptop', 'desktop')
    ada = await lab.display('laptop', 'move')
    bob = await lab.display('desktop', 'move')
  }, 240_000)
  afterEach(() => lab?.dispose())
  afterEach((context) => keepEvidence(context, { ada, bob })) // these run from the last to the first

  /** The command line on that machine; what it says, errors too. */
  const cli = async (machine: string, ...args: string[]) => {
    const { folder } = lab.machine(machine).device
    const env = { ...process.env, HOME: folder, ELSEWHERE_DATA: folder }
    const child = lab.lab.machine(machine).spawn(process.execPath, [CLI, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => (said += String(bytes)))
    await new Promise((resolve) => child.on('close', resolve))
    return said
  }

  it('[AP61][AP110][ID152][ID154] becomes a contact by a link and the same words, reaches the port that is shared with them, and is parted with', {
    timeout: 240_000,
    retry: 0,
  }, async () => {
    await ada.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    const mine = await contactsOf(ada)
    await mine.getByRole('button', { name: 'Add a contact' }).click()
    await mine.getByRole('button', { name: 'Show a code' }).click()
    await panel(ada).getByRole('button', { name: 'Copy link' }).click()
    await ada.page.getByText('The link is copied').waitFor()
    const link = await ada.page.evaluate(() => navigator.clipboard.readText())
    const theirs = await contactsOf(bob)
    await theirs.getByRole('button', { name: 'Add a contact' }).click()
    await theirs.getByLabel('Code or link').fill(link)
    await theirs.getByRole('button', { name: 'Continue' }).click()
    await panel(ada).getByText('Is this Bob?').waitFor({ timeout: PATIENCE_MS })
    await panel(bob).getByText('Is this Ada?').waitFor({ timeout: PATIENCE_MS })
    const words = await panel(ada).locator('.pairing-words').innerText()
    expect(await panel(bob).locator('.pairing-words').innerText()).toBe(words)
    for (const display of [ada, bob]) await panel(display).getByRole('button', { name: 'Yes, add them' }).click()
    for (const display of [ada, bob]) await panel(display).getByRole('button', { name: 'Done' }).click()
    await mine.getByText('Here: desktop').waitFor({ timeout: PATIENCE_MS })
    await theirs.getByText('Here: laptop').waitFor({ timeout: PATIENCE_MS })
    expect(await mine.locator('.devices-words').innerText()).toBe(words)

    // What both screens look like, and the command line of each.
    for (const display of [ada, bob]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await display.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
        await display.page.locator(`html[data-theme="${colorScheme}"]`).waitFor({ state: 'attached' })
        expect(await findings(display.page, `contacts, ${colorScheme}`, '.window[data-active]')).toEqual([])
      }
    }
    expect(await cli('desktop', 'contact', 'list')).toMatch(new RegExp(`^Ada .*${words}`))
    const [home] = await lab.ask('laptop', (client) => client.listDatasets({}))
    writeFileSync(path.join(lab.machine('laptop').device.folder, 'plan.txt'), 'for Bob\n')
    await cli('laptop', 'fs', 'put', path.join(lab.machine('laptop').device.folder, 'plan.txt'), '/plan.txt')
    expect(await cli('desktop', 'contact', 'ls', 'Ada')).toContain('lets you read nothing now')
    const given = await cli(
      'laptop',
      'grant',
      'add',
      'files:read',
      '--dataset',
      home?.dataset ?? '',
      '--to-contact',
      'Bob',
      '--until',
      '1h',
    )
    expect(given).toContain('Bob may read files of the dataset')
    await eventually('he may read', async () => (await cli('desktop', 'contact', 'ls', 'Ada')).includes('plan.txt'), PATIENCE_MS)
    expect(await cli('desktop', 'contact', 'get', 'Ada', 'plan.txt')).toBe('for Bob\n')

    // The same from the pane: who has it, its end, and giving it again.
    await ada.openApp('Files')
    await ada.page.getByRole('navigation', { name: 'Places' }).getByRole('button', { name: /^Home/ }).click()
    await ada.page.getByRole('button', { name: 'Share', exact: true }).click()
    const share = ada.page.getByRole('dialog', { name: 'Share Home' })
    await share.getByText(/^Bob may read it until/).waitFor()
    expect(await findings(ada.page, 'sharing')).toEqual([])
    await share.getByRole('button', { name: 'End: Bob may read it' }).click()
    const ends = async () => (await cli('desktop', 'contact', 'ls', 'Ada')).includes('lets you read nothing now')
    await eventually('he may not any more', ends, PATIENCE_MS)
    await share.getByRole('button', { name: 'Let Bob read it' }).click()
    await share.getByText(/^Bob may read it until/).waitFor()
    await eventually('he may again', async () => (await cli('desktop', 'contact', 'ls', 'Ada')).includes('plan.txt'), PATIENCE_MS)
    await share.getByRole('button', { name: 'Done' }).click()
    await ada.openApp('Devices')
    await cli('desktop', 'contact', 'rename', 'Ada', 'Ada from work')
    await theirs.getByText('Ada from work').first().waitFor()

    // A job of Ada's serves a port; Bob reaches it on his own machine once it is shared with him, through no other door.
    const folder = lab.machine('laptop').device.folder
    await lab.ask('laptop', (client) => client.startJob({ commandLine: SERVER, folder, input: false, policy: { where: 'here' } }))
    await eventually(
      'it listens',
      async () => (await lab.ask('laptop', (client) => client.listJobs({})))[0]?.ports.includes(8123),
      PATIENCE_MS,
    )
    await mine.getByRole('button', { name: 'Actions for Bob' }).click()
    await ada.page.getByRole('menuitem', { name: 'Share a port' }).click()
    const dialog = ada.page.getByRole('dialog', { name: 'Share a port with Bob' })
    await dialog.getByLabel('Port').fill('8123')
    await dialog.getByRole('button', { name: 'Share', exact: true }).click()
    await theirs.getByText(/^Shares port 8123 of laptop with you until/).waitFor({ timeout: PATIENCE_MS })
    await theirs.getByRole('button', { name: 'Open port 8123' }).click()
    const [row] = (await lab.ask('desktop', (client) => client.listContacts({}))).contacts
    const here = row?.devices[0]?.offers.find((offer) => offer.kind === 'port')?.here
    const read = async () => {
      const script = `fetch('http://127.0.0.1:${here}/').then((a) => a.text()).then(console.log, () => console.log('refused'))`
      const child = lab.lab.machine('desktop').spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
      let text = ''
      child.stdout?.on('data', (bytes) => (text += String(bytes)))
      await new Promise((resolve) => child.on('close', resolve))
      return text.trim()
    }
    expect(await read()).toBe('hello from a job')
    const [job] = await lab.ask('laptop', (client) => client.listJobs({}))
    expect(job?.state).toBe('running')

    await mine.getByRole('radio', { name: 'Who may do what' }).click()
    await mine.getByText('Bob may reach shared ports (port 8123) on each of your devices').waitFor()
    await mine.getByRole('radio', { name: 'Contacts' }).click()
    await mine.getByRole('button', { name: 'Actions for Bob' }).click()
    await ada.page.getByRole('menuitem', { name: 'Remove' }).click()
    await ada.page.getByRole('dialog', { name: 'Remove Bob?' }).getByRole('button', { name: 'Remove' }).click()
    await mine.getByText('Bob', { exact: true }).waitFor({ state: 'detached' })
    const back = await contactsOf(bob)
    await back.getByText('None of their devices is here').waitFor({ timeout: PATIENCE_MS })
    await eventually('the port is closed there', async () => (await read()) === 'refused', PATIENCE_MS)
    await lab.ask('laptop', (client) => client.cancelJob({ job: job?.job as string }))
  })
})
