import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { Locator } from 'playwright-core'
import encodeQR from 'qr'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { whyNoNetLab } from '../src/testkit/netlab.ts'
import { whyNoBrowser } from './harness/chromium.ts'
import { E2eBrowser, E2eDisplay } from './harness/e2e-display.ts'
import { E2eLab, eventually } from './harness/e2e-pair.ts'
import { keepEvidence } from './harness/evidence.ts'
import { cameraFlags, photograph, writeFilm } from './harness/fake-camera.ts'
import { findings, runFromPalette } from './harness/hands.ts'

const why = whyNoNetLab() ?? whyNoBrowser
const PATIENCE_MS = 60_000

/** The Devices window of a display, on one of its pages. */
async function devicesOf(display: E2eDisplay, page: 'Devices' | 'Contacts'): Promise<Locator> {
  await runFromPalette(display.page, 'devices', /^Devices/)
  const app = display.page.locator('.window[data-active]').locator('.devices')
  await app.getByRole('radio', { name: page, exact: true }).click()
  return app
}

async function offer(display: E2eDisplay): Promise<Buffer> {
  const app = await devicesOf(display, 'Devices')
  await app.getByRole('button', { name: 'Link another device' }).click()
  await app.getByRole('button', { name: 'Show a code' }).click()
  return app.getByRole('img', { name: 'QR code of the link' }).screenshot()
}

async function openScan(display: E2eDisplay, page: 'Devices' | 'Contacts'): Promise<Locator> {
  const app = await devicesOf(display, page)
  await app.getByRole('button', { name: page === 'Devices' ? 'Link another device' : 'Add a contact' }).click()
  await app.getByRole('button', { name: 'Scan the QR code' }).click()
  return app.getByRole('region', { name: /in front of the camera$/ })
}

/** How many cameras the page holds open. */
const openCameras = (display: E2eDisplay): Promise<number> =>
  display.page.evaluate(
    () =>
      (window as unknown as { tracks: MediaStreamTrack[] }).tracks.filter(
        ({ readyState, kind }) => readyState === 'live' && kind === 'video',
      ).length,
  )

describe.skipIf(why !== undefined)(`a QR code held in front of the camera${why ? ` (${why})` : ''}`, () => {
  let lab: E2eLab
  let laptop: E2eDisplay
  let kitchen: E2eDisplay | undefined
  const folder = mkdtempSync(path.join(os.tmpdir(), 'ew-camera-'))

  beforeAll(async () => {
    lab = await E2eLab.createWith({ paired: false }, 'laptop', 'kitchen')
    laptop = await lab.display('laptop', 'move')
  })
  afterEach((context) => keepEvidence(context, { laptop, kitchen }))
  afterAll(async () => {
    await lab?.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  /** The kitchen's desk in a browser with such a camera. Every stream that its page is given can be counted. */
  const kitchenWith = async (flags: readonly string[]) => {
    const { device } = lab.machine('kitchen')
    const browser = await E2eBrowser.launch(lab.lab.machine('kitchen'), { flags })
    onTestFinished(() => browser.dispose())
    kitchen = await E2eDisplay.open(device, browser, {
      prepare: async (page) => {
        await page.addInitScript(() => {
          const tracks: MediaStreamTrack[] = []
          Object.assign(window, { tracks })
          const { mediaDevices } = navigator
          const open = mediaDevices.getUserMedia.bind(mediaDevices)
          mediaDevices.getUserMedia = async (constraints) => {
            const stream = await open(constraints)
            tracks.push(...stream.getTracks())
            return stream
          }
        })
      },
    })
    await kitchen.unlock()
    return kitchen
  }

  it('[AP62] a refused camera, and none at all: each says what it is and what to do, and a picture does as well', async () => {
    const refused = await kitchenWith(['--use-fake-device-for-media-stream', '--deny-permission-prompts'])
    const scan = await openScan(refused, 'Devices')
    await scan.getByRole('alert').getByText('This page may not use the camera').waitFor()
    for (const colorScheme of ['light', 'dark'] as const) {
      await refused.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await refused.page.locator(`html[data-theme="${colorScheme}"]`).waitFor({ state: 'attached' })
      expect(await findings(refused.page, `scan refused, ${colorScheme}`, '.window[data-active]')).toEqual([])
    }
    await scan.getByRole('button', { name: 'Try again' }).click()
    await scan.getByText('This page may not use the camera').waitFor()

    const chooser = scan.getByLabel('Picture of the code')
    const take = (buffer: Buffer, name = 'code.png') => chooser.setInputFiles({ name, mimeType: 'image/png', buffer })
    await take(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'))
    await scan.getByText('That is no picture that can be read here').waitFor()
    await take(await refused.page.screenshot())
    await scan.getByText('No QR code was found in that picture').waitFor()
    await take(await codePicture(refused, 'https://evil.example/?elsewhere://join/1?s=AAAAAAAAAAAAAAAAAAAAAA'))
    await scan.getByText('That code is something else. Nothing was opened.').waitFor()
    await give(scan, 'drop', await codePicture(refused, 'elsewhere://contact/1?s=AAAAAAAAAAAAAAAAAAAAAA'))
    await scan.getByText('That code makes two persons contacts').waitFor()
    await give(scan, 'paste', await codePicture(refused, 'https://evil.example/'))
    await scan.getByText('That code is something else. Nothing was opened.').waitFor()
    const bomb = await codePicture(refused, 'x')
    bomb.writeUInt32BE(100_000, 16)
    bomb.writeUInt32BE(100_000, 20)
    await take(bomb)
    await scan.getByText('That picture is too large to look at').waitFor()
    expect(refused.page.context().pages()).toHaveLength(1)
    await refused.page.context().close()

    const without = await kitchenWith(['--use-fake-ui-for-media-stream'])
    await (await openScan(without, 'Contacts')).getByRole('alert').getByText('No camera was found').waitFor()
  })

  it('[AP62] a camera that sees no code says how to hold it; minimised or given up it is off', async () => {
    const display = await kitchenWith(cameraFlags())
    const scan = await openScan(display, 'Contacts')
    await scan.getByText('They show one in Devices').waitFor()
    expect(await openCameras(display)).toBe(1)
    await scan.getByText('No code seen yet').waitFor()
    await display.page.locator('.window[data-active]').getByRole('button', { name: 'Minimise' }).click()
    await eventually('the camera is off while its window is away', async () => (await openCameras(display)) === 0)
    const again = await openScan(display, 'Contacts')
    await eventually('and on again', async () => (await openCameras(display)) === 1)
    await again.getByRole('button', { name: 'Cancel' }).click()
    await eventually('the camera is off', async () => (await openCameras(display)) === 0)
  })

  it('[AP62] the code of the laptop is read off its screen, askew: same words on both, and one desk', async () => {
    const film = path.join(folder, 'laptop.mjpeg')
    const code = await offer(laptop)
    writeFilm(film, [await photograph(laptop.page, code)])
    const display = await kitchenWith(cameraFlags(film))
    await openScan(display, 'Devices')
    const [there, here] = [laptop, display].map((one) => one.desk.getByRole('region', { name: 'Pairing' })) as [Locator, Locator]
    await here.getByText('Join Ada’s devices?').waitFor({ timeout: PATIENCE_MS })
    expect(await openCameras(display)).toBe(0)
    const words = await here.locator('.pairing-words').innerText()
    expect(await there.locator('.pairing-words').innerText()).toBe(words)
    await there.getByRole('button', { name: 'Yes, link them' }).click()
    await here.getByRole('button', { name: 'Yes, link them' }).click()
    await eventually(
      'they are one desk',
      async () => (await lab.ask('laptop', (client) => client.listDevices({}))).length === 2,
      PATIENCE_MS,
    )
  })
})

/** Drops or pastes a picture, as a browser tells it. */
const give = (on: Locator, how: 'drop' | 'paste', picture: Buffer) =>
  on.evaluate(
    (element, [kind = '', base64 = '']) => {
      const data = new DataTransfer()
      data.items.add(new File([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], 'code.png', { type: 'image/png' }))
      const init = { bubbles: true, cancelable: true }
      element.dispatchEvent(
        kind === 'drop'
          ? new DragEvent('drop', { ...init, dataTransfer: data })
          : new ClipboardEvent('paste', { ...init, clipboardData: data }),
      )
    },
    [how, picture.toString('base64')],
  )

/** A PNG of such a code, drawn by a page. */
async function codePicture(display: E2eDisplay, text: string): Promise<Buffer> {
  const page = await display.page.context().newPage()
  try {
    await page.setContent(`<div style="width:400px">${encodeQR(text, 'svg', { border: 4 })}</div>`)
    return await page.locator('div').screenshot()
  } finally {
    await page.close()
  }
}
