import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { whyNoNetLab } from '../src/testkit/netlab.ts'
import { whyNoBrowser } from './harness/chromium.ts'
import type { E2eDisplay } from './harness/e2e-display.ts'
import { E2eLab, eventually } from './harness/e2e-pair.ts'
import { keepEvidence } from './harness/evidence.ts'
import { runFromPalette } from './harness/hands.ts'

const why = whyNoNetLab() ?? whyNoBrowser

/* Folders and several entries at once, out of the pane to the host, as one zip: of this device, of a linked one, of a dataset. */
describe.skipIf(why !== undefined)(`folders leave the desk as one zip${why ? ` (${why})` : ''}`, () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'ew-out-'))
  const letters = path.join(folder, 'Letters')
  let lab: E2eLab
  let display: E2eDisplay

  beforeAll(async () => {
    mkdirSync(path.join(letters, 'Empty'), { recursive: true })
    mkdirSync(path.join(letters, 'Grüße 👋', 'deep'), { recursive: true })
    writeFileSync(path.join(letters, 'Grüße 👋', 'שלום.txt'), 'shalom\n')
    writeFileSync(path.join(letters, 'Grüße 👋', 'deep', 'big.bin'), randomBytes(5_000_000))
    for (let n = 0; n < 300; n++) writeFileSync(path.join(letters, `note ${n}.txt`), `this is note ${n}\n`)
    lab = await E2eLab.create('laptop', 'kitchen')
    for (const name of ['laptop', 'kitchen']) execFileSync('cp', ['-a', letters, lab.machine(name).device.folder])
    display = await lab.display('laptop', 'move')
    await runFromPalette(display.page, 'files', /^Files/)
  })
  afterEach((context) => keepEvidence(context, { display }))
  afterAll(async () => {
    await lab?.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  const pane = () => display.page.locator('.window[data-active] .files')
  const goTo = async (place: string) => {
    await display.page
      .getByRole('navigation', { name: 'Places' })
      .getByRole('button', { name: new RegExp(`^${place}`) })
      .click()
    await pane()
      .getByLabel(/^Contents of/)
      .waitFor()
  }
  const row = (name: string) => pane().getByRole('option', { name: new RegExp(`^${name},`) })
  /** What the browser got, unpacked by `unzip`. */
  const unpack = async (file: string): Promise<string> => {
    const out = mkdtempSync(path.join(folder, 'unpacked-'))
    execFileSync('unzip', ['-q', file, '-d', out], { env: { ...process.env, LC_ALL: 'C.UTF-8' } })
    return out
  }
  const download = async (start: () => Promise<void>) => {
    const [download] = await Promise.all([display.page.waitForEvent('download'), start()])
    const to = path.join(folder, `${randomBytes(4).toString('hex')}.zip`)
    await download.saveAs(to)
    return { name: download.suggestedFilename(), out: await unpack(to) }
  }
  const fromMenu = (name: string, label: string) => async () => {
    await row(name).click({ button: 'right' })
    await display.page.getByRole('menuitem', { name: label }).click()
  }
  const isSame = (a: string, b: string) => execFileSync('diff', ['-r', a, b], { encoding: 'utf8' })

  it.each(['laptop', 'kitchen'])('[AP161] a folder of %s, with all that is in it, byte for byte', async (device) => {
    await goTo(device)
    const { name, out } = await download(fromMenu('Letters', 'Download as a zip'))
    expect(name).toBe('Letters.zip')
    expect(isSame(path.join(out, 'Letters'), letters)).toBe('')
    expect(readdirSync(path.join(out, 'Letters', 'Empty'))).toEqual([])
    await display.page.getByText('302 files downloaded').first().waitFor()
    expect(await pane().locator('.files-transfer').count()).toBe(0)
  })

  it('[AP161] several entries, by keyboard; what cannot be read is said, and named in it', async () => {
    const home = lab.machine('laptop').device.folder
    const some = path.join(home, 'Some')
    mkdirSync(path.join(some, 'In', 'here'), { recursive: true })
    writeFileSync(path.join(some, 'In', 'a.txt'), 'a')
    writeFileSync(path.join(some, 'b.txt'), 'b')
    symlinkSync('b.txt', path.join(some, 'link.txt'))
    symlinkSync('nowhere', path.join(some, 'In', 'broken'))
    execFileSync('mkfifo', [path.join(some, 'In', 'pipe')])
    await goTo('laptop')
    await row('Some').dblclick()
    await row('b\\.txt').waitFor()
    const { name, out } = await download(async () => {
      await pane().getByRole('listbox').focus()
      await display.page.keyboard.press('Control+a')
      await display.page.keyboard.press('Control+s')
    })
    expect(name).toBe('Some.zip')
    expect(readdirSync(out).sort()).toEqual(['In', 'Not in this archive.txt', 'b.txt', 'link.txt'])
    expect([readFileSync(path.join(out, 'link.txt'), 'utf8'), readdirSync(path.join(out, 'In')).sort()]).toEqual(['b', ['a.txt', 'here']])
    expect(readFileSync(path.join(out, 'Not in this archive.txt'), 'utf8')).toMatch(
      /In\/broken: .*\n[\s\S]*In\/pipe|In\/pipe.*\n[\s\S]*In\/broken/,
    )
    await display.page.getByText('3 files downloaded, but not all').first().waitFor()
  })

  it('[AP161] of a dataset, put there by the pane itself; dragged out of the browser it is the same', async () => {
    const { device } = lab.machine('laptop')
    await device.cli(['fs', 'import', letters, '/Letters'])
    await goTo('Home')
    const { out } = await download(fromMenu('Letters', 'Download as a zip'))
    expect(isSame(path.join(out, 'Letters'), letters)).toBe('')
    // What Chromium hands to the host's own file manager at the drop.
    await display.page.evaluate(() =>
      addEventListener('dragstart', (event) => (document.body.dataset.carried = event.dataTransfer?.getData('DownloadURL') ?? '')),
    )
    const carried = () => display.page.evaluate(() => document.body.dataset.carried ?? '')
    const box = await row('Letters').boundingBox()
    await eventually('it can be dragged out', async () => {
      await display.page.mouse.move((box?.x ?? 0) + 40, (box?.y ?? 0) + 10)
      await display.page.mouse.down()
      await display.page.mouse.move((box?.x ?? 0) + 80, (box?.y ?? 0) + 60, { steps: 8 })
      await display.page.keyboard.press('Escape')
      await display.page.mouse.up()
      return (await carried()) !== ''
    })
    const [type, name, ...address] = (await carried()).split(':')
    expect([type, name]).toEqual(['application/zip', 'Letters.zip'])
    const dragged = await download(() =>
      display.page.evaluate((href) => {
        const link = document.createElement('a')
        link.href = href
        link.download = ''
        link.click()
      }, address.join(':')),
    )
    expect(isSame(path.join(dragged.out, 'Letters'), letters)).toBe('')
    await display.page.getByText('302 files brought out').first().waitFor()
  })

  it('[AP161] stopped by hand, the browser has none of it; what it was taken from is as it was', async () => {
    const home = lab.machine('kitchen').device.folder
    mkdirSync(path.join(home, 'Films'))
    writeFileSync(path.join(home, 'Films', 'long.bin'), '')
    truncateSync(path.join(home, 'Films', 'long.bin'), 20_000_000_000)
    await goTo('kitchen')
    const coming = display.page.waitForEvent('download')
    await fromMenu('Films', 'Download as a zip')()
    const download = await coming
    const sent = pane().locator('.files-transfer progress')
    await eventually('some of it came', async () => Number(await sent.first().getAttribute('value')) > 3_000_000)
    expect(await sent.first().getAttribute('max')).toBe('20000000000')
    await pane()
      .getByRole('button', { name: /^Stop: / })
      .click()
    expect(await download.failure()).not.toBeNull()
    await display.page.getByText('Downloading Films: stopped').first().waitFor()
    expect(await sent.count()).toBe(0)
  })
})
