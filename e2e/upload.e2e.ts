import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

/* Host files of 40 MB into the home folder of this and of a linked device, through the pane. */
describe.skipIf(why !== undefined)(`large files into a device's own folder${why ? ` (${why})` : ''}`, () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'ew-upload-'))
  const content = randomBytes(40_000_000)
  let lab: E2eLab
  let display: E2eDisplay

  beforeAll(async () => {
    for (const name of ['here.bin', 'there.bin', 'stopped.bin']) writeFileSync(path.join(folder, name), content)
    lab = await E2eLab.create('laptop', 'kitchen')
    display = await lab.display('laptop', 'move')
    await runFromPalette(display.page, 'files', /^Files/)
  })
  afterEach((context) => keepEvidence(context, { display }))
  afterAll(async () => {
    await lab?.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  const pane = () => display.page.locator('.window[data-active] .files')
  const goTo = async (device: string) => {
    await display.page
      .getByRole('navigation', { name: 'Places' })
      .getByRole('button', { name: new RegExp(`^${device}`) })
      .click()
    await pane()
      .getByLabel(/^Contents of/)
      .waitFor()
  }
  const put = (name: string) => pane().locator('input[type=file]').setInputFiles(path.join(folder, name))
  const homeOf = (name: string) => lab.machine(name).device.folder
  const left = (name: string) => readdirSync(homeOf(name)).filter((file) => file.startsWith('.elsewhere-') && file.endsWith('.tmp'))

  it('[FS14] [AP103] of this device', async () => {
    await goTo('laptop')
    await put('here.bin')
    await pane().getByText('here.bin', { exact: true }).first().waitFor()
    expect(Buffer.compare(readFileSync(path.join(homeOf('laptop'), 'here.bin')), content)).toBe(0)
    expect(left('laptop')).toEqual([])
  })

  it('[FS14] [AP103] of a linked device, going on where a cut came; stopped by hand, nothing of it is left', async () => {
    await goTo('kitchen')
    const sent = pane().locator('.files-transfer progress')
    const isUnderWay = async () => (await sent.count()) > 0 && Number(await sent.first().getAttribute('value')) > 2_000_000
    await put('there.bin')
    await eventually('some of it was sent', isUnderWay)
    lab.machine('kitchen').device.machine?.cut()
    await eventually('it is away', async () => (await lab.link('laptop', 'kitchen')).state === 'away', 40_000)
    expect(existsSync(path.join(homeOf('kitchen'), 'there.bin'))).toBe(false)
    lab.machine('kitchen').device.machine?.heal()
    await eventually('it is there', async () => existsSync(path.join(homeOf('kitchen'), 'there.bin')), 60_000)
    expect(Buffer.compare(readFileSync(path.join(homeOf('kitchen'), 'there.bin')), content)).toBe(0)
    expect(left('kitchen')).toEqual([])

    await put('stopped.bin')
    await eventually('some of it was sent', isUnderWay)
    await pane()
      .getByRole('button', { name: /^Stop: / })
      .click()
    await eventually('nothing is left', async () => left('kitchen').length === 0 && (await sent.count()) === 0)
    expect(existsSync(path.join(homeOf('kitchen'), 'stopped.bin'))).toBe(false)
  })
})
