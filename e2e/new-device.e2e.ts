import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { errorCode } from '../src/base/errors.ts'
import { DATASET_ROOT } from '../src/files/dataset-contract.ts'
import { whyNoNetLab } from '../src/testkit/netlab.ts'
import { whyNoBrowser } from './harness/chromium.ts'
import type { E2eDisplay } from './harness/e2e-display.ts'
import { E2eLab, eventually } from './harness/e2e-pair.ts'
import { keepEvidence } from './harness/evidence.ts'
import { runFromPalette } from './harness/hands.ts'

const PICTURES = process.env.ELSEWHERE_PICTURES
const FOLDERS = 200
const FILES_EACH = 100
const why = whyNoNetLab() ?? whyNoBrowser

/* A person with 20,000 files gets another device: real processes, each in a network of its own. */
describe.skipIf(why !== undefined)(`a new device of a person with many files${why ? ` (${why})` : ''}`, () => {
  const files = mkdtempSync(path.join(os.tmpdir(), 'ew-many-'))
  let lab: E2eLab
  let display: E2eDisplay | undefined

  beforeAll(async () => {
    for (let n = 0; n < FOLDERS; n++) {
      mkdirSync(path.join(files, `folder ${n}`))
      for (let k = 0; k < FILES_EACH; k++) writeFileSync(path.join(files, `folder ${n}`, `file ${k}.txt`), `text ${n} ${k}\n`)
    }
    // What says that a checkpoint was made is in the log.
    process.env.DEBUG = 'files'
    lab = await E2eLab.createWith({ paired: false }, 'laptop', 'kitchen')
    delete process.env.DEBUG
  })
  afterEach((context) => keepEvidence(context, { display }))
  afterAll(async () => {
    await lab?.dispose()
    rmSync(files, { recursive: true, force: true })
  })

  const home = (name: string) =>
    lab.ask(name, async (client) => {
      const [dataset] = await client.listDatasets({})
      return dataset && client.datasetStatus({ dataset: dataset.dataset })
    })
  const look = async (name: string) => {
    if (PICTURES === undefined || !display) return
    for (const colorScheme of ['light', 'dark'] as const) {
      await display.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await display.page.locator(`html[data-theme="${colorScheme}"]`).waitFor({ state: 'attached' })
      await display.page.screenshot({ path: `${PICTURES}/${name}-${colorScheme}.png` })
    }
  }

  it('[CP5] lists the top folder and opens a file by its path before the rest is here; the pane says what it waits for, and what cannot be had', {
    timeout: 400_000,
  }, async () => {
    const { device: laptop } = lab.machine('laptop')
    const { device: kitchen } = lab.machine('kitchen')
    const imported = await laptop.cli(['fs', 'import', files, '/many'])
    expect(imported).toMatchObject({ code: 0 })
    await eventually('a checkpoint is made', async () => laptop.log(4_000_000).includes('a checkpoint of files was made'), 150_000)

    const joining = laptop.invite(kitchen)
    let last = ''
    // Joining starts the device over: each look is a connection of its own.
    const lookOnce = () =>
      lab.ask('kitchen', async (client) => {
        const [dataset] = await client.listDatasets({})
        const at = { dataset: dataset?.dataset ?? '' }
        const top = await client.listDatasetFolder({ ...at, node: DATASET_ROOT, from: 0, limit: 10 })
        last = JSON.stringify([top.total, await client.datasetStatus(at)])
        if (top.entries[0]?.name !== 'many') return undefined
        const { bytes } = await client.datasetAt({ ...at, path: '/many/folder 7/file 7.txt' })
        const opened = await client.datasetStatus(at)
        kitchen.machine?.cut()
        // Once the link is known to be gone nothing comes any more, and what is not here is said to be away at once.
        await eventually('the link is gone', async () => (await client.datasetStatus(at)).linked.length === 0, 30_000)
        const cut = await client.datasetStatus(at)
        const isAway = (path: string) =>
          client.datasetAt({ ...at, path }).then(
            () => false,
            (error: unknown) => errorCode(error) === 'chunk/unavailable',
          )
        for (let n = FOLDERS - 1; n > 0; n--) {
          if (await isAway(`/many/folder ${n}/file 1.txt`)) return { bytes, opened, cut, missing: `folder ${n}` }
        }
        return { bytes, opened, cut, missing: undefined }
      })
    let found: Awaited<ReturnType<typeof lookOnce>>
    for (const giveUpMs = performance.now() + 20_000; !found && performance.now() < giveUpMs; ) {
      found = await lookOnce().catch((error: unknown) => void (last = String(error)))
      if (!found) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    if (!found) throw new Error(`kitchen never listed the top folder: ${last}\n${kitchen.log(3000)}\n\n${laptop.log(3000)}`)
    await joining.catch(() => {}) // its last words may be cut off
    const { bytes, opened, cut, missing } = found
    console.info(
      `found by path with ${JSON.stringify([opened.loading, opened.behind])}, cut with ${JSON.stringify([cut.loading, cut.behind])}`,
    )
    expect(bytes).toBe('text 7 7\n'.length)
    expect(cut.loading).toBeDefined()
    expect(missing).toBeDefined()

    display = await lab.display('kitchen', 'move')
    const { page } = display
    await runFromPalette(page, 'files', /^Files/)
    await page.getByRole('navigation', { name: 'Places' }).getByRole('button', { name: /^Home/ }).click()
    const pane = page.locator('.window[data-active] .files')
    const open = (name: string) => pane.getByText(name, { exact: true }).first().dblclick()
    await open('many')
    await pane.getByText('folder 7', { exact: true }).waitFor()
    await look('folder-that-is-here')

    // Nobody who has it is linked: it is said, and asked for again.
    await pane.getByLabel('Filter this folder').fill(missing ?? '')
    await pane
      .getByText(missing ?? '', { exact: true })
      .first()
      .dblclick()
    await pane.getByRole('alert').getByText('What is in here cannot be had now').waitFor()
    await look('folder-that-cannot-be-had')

    // It comes by itself once somebody who has it is linked.
    kitchen.machine?.heal()
    await pane.getByText('file 1.txt', { exact: true }).first().waitFor({ timeout: 60_000 })
    await look('folder-that-came')
    await eventually(
      'all is here',
      async () => {
        const now = await home('kitchen')
        return now && !now.loading && !now.behind && now.nodes > FOLDERS * FILES_EACH
      },
      60_000,
    )
  })
})
