import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { base64Of, bytesOfBase64 } from '../src/base/base64.ts'
import { utf8 } from '../src/base/bytes.ts'
import { DATASET_ROOT } from '../src/files/dataset-contract.ts'
import { whyNoNetLab } from '../src/testkit/netlab.ts'
import { whyNoBrowser } from './harness/chromium.ts'
import type { E2eDisplay } from './harness/e2e-display.ts'
import { E2eLab, eventually } from './harness/e2e-pair.ts'
import { keepEvidence } from './harness/evidence.ts'
import { findings } from './harness/hands.ts'

const why = whyNoNetLab() ?? whyNoBrowser
const PATIENT = { timeout: 60_000 }

/** Steps that wait for `gate` are looked at while they run; one runs on the other device, and says on whose disk. */
const flow = (gate: string) => `name: Postcards
parallel: 4
jobs:
  list: { inputs: [raw.txt], run: sort raw.txt > list.txt, outputs: [list.txt] }
  resize:
    needs: [list]
    matrix: { size: [200, 800, 2400] }
    run: |
      while [ ! -e ${gate} ]; do sleep 0.05; done
      head -n 1 list.txt > out-\${{ matrix.size }}
    outputs: ["out-\${{ matrix.size }}"]
    on: here
  there:
    needs: [list]
    run: grep -o 'ew-server-[^/]*' /proc/self/mountinfo | sort -u > where
    outputs: [where]
    on: server
  tiles:
    needs: [list]
    matrix: { x: [1, 2, 3, 4, 5, 6], y: [1, 2, 3, 4] }
    run: wc -l < list.txt > tile-\${{ matrix.x }}-\${{ matrix.y }}
    outputs: ["tile-\${{ matrix.x }}-\${{ matrix.y }}"]
  page: { needs: [resize, tiles, there], run: cat out-* where > page.txt, outputs: [page.txt] }
  broken: { needs: [there], run: "echo 'no space for the stamp' >&2; exit 3" }
  sent: { needs: [broken, list], run: "true" }
`

describe.skipIf(why !== undefined)(`a workflow on the desk${why ? ` (${why})` : ''}`, () => {
  let lab: E2eLab
  let display: E2eDisplay
  let gate: string

  beforeAll(async () => {
    lab = await E2eLab.create('kitchen', 'server')
    gate = path.join(lab.machine('kitchen').device.folder, 'gate')
    await put('raw.txt', 'pear\napple\n')
    await put('postcards.yml', flow(gate))
    display = await lab.display('kitchen', 'move', { reducedMotion: 'reduce' })
    display.page.setDefaultTimeout(20_000)
  })
  afterEach((context) => keepEvidence(context, { display }))
  afterAll(() => lab?.dispose())

  const home = () =>
    lab.ask('kitchen', async (client) => {
      const [found] = await client.listDatasets({})
      if (!found) throw new Error('there is no dataset yet')
      return found.dataset
    })
  async function put(name: string, text: string): Promise<void> {
    const dataset = await eventually('its datasets are open', () => home().catch(() => undefined), PATIENT.timeout)
    await lab.ask('kitchen', async (client) => {
      const there = await client.datasetAt({ dataset, path: `/${name}` }).catch(() => undefined)
      const to = there ? { node: there.node, base: there.version } : { parent: DATASET_ROOT, name }
      const { write } = await client.beginDatasetWrite({ dataset, to })
      await client.appendDatasetWrite({ write, base64: base64Of(utf8(text)) })
      await client.commitDatasetWrite({ write })
    })
  }
  async function textAt(at: string): Promise<string> {
    const dataset = await home()
    return lab.ask('kitchen', async (client) => {
      const { node } = await client.datasetAt({ dataset, path: at })
      return new TextDecoder().decode(bytesOfBase64((await client.readDatasetBytes({ dataset, node, offset: 0, length: 1000 })).base64))
    })
  }
  const stateOf = (step: string) => display.page.locator(`[data-step="${step}"]`).getAttribute('data-state')
  const look = async (what: string) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await display.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await display.page.locator(`html[data-theme="${colorScheme}"]`).waitFor({ state: 'attached' })
      if (process.env.ELSEWHERE_SHOTS) await display.screenshot(path.join(process.env.ELSEWHERE_SHOTS, `${what}-${colorScheme}.png`))
      const only = colorScheme === 'dark' ? ('colours' as const) : undefined
      expect(await findings(display.page, `${what}, ${colorScheme}`, undefined, only)).toEqual([])
    }
  }

  it('[AP140][WF5] a file is run from its menu, and its graph lights up as it really runs, here and on another device', async () => {
    const { page } = display
    await expect.poll(async () => (await lab.link('kitchen', 'server')).state, PATIENT).toBe('linked')
    await display.openApp('Files')
    await page.getByRole('navigation', { name: 'Places' }).getByRole('button', { name: /^Home/ }).click()
    await page.getByText('postcards.yml').first().click({ button: 'right' })
    await page.getByRole('menuitem', { name: 'Run as a workflow' }).click()
    await page.getByRole('region', { name: 'Workflow: Postcards' }).waitFor()
    await expect.poll(() => stateOf('there'), PATIENT).toBe('done')
    expect([await stateOf('list'), await stateOf('resize[size=200]'), await stateOf('page')]).toEqual(['done', 'running', 'waiting'])
    await look('workflow-runs')
    await writeFile(gate, '')
    await expect.poll(() => stateOf('page'), PATIENT).toBe('done')
    await expect.poll(() => stateOf('sent'), PATIENT).toBe('skipped')
    // What the picture says is so: the programs ran where it says, and what they wrote is in the dataset.
    expect(await textAt('/page.txt')).toBe(`apple\napple\napple\n${path.basename(lab.machine('server').device.folder)}\n`)
    const jobs = await lab.ask('kitchen', (client) => client.listJobs({}))
    expect(jobs.find(({ workflow }) => workflow?.step === 'there')).toMatchObject({ state: 'done', device: lab.machine('server').deviceId })
    await page.locator('[data-step="broken"]').click()
    await page.getByRole('region', { name: 'Step: broken' }).getByText('it ended with code 3: no space for the stamp').waitFor()
    await look('workflow-failed')
  }, 240_000)

  it('[AP140][WF7] run again, nothing that was done runs; a step opens its job; keys go along the steps', async () => {
    const { page } = display
    const before = (await lab.ask('kitchen', (client) => client.listJobs({}))).length
    await page.getByRole('button', { name: 'Run again' }).click()
    await expect.poll(() => stateOf('page'), PATIENT).toBe('unchanged')
    await expect
      .poll(() => page.getByRole('region', { name: 'Workflow: Postcards' }).getByText('1 failed, 1 left out').count(), PATIENT)
      .toBe(1)
    expect((await lab.ask('kitchen', (client) => client.listJobs({}))).length).toBe(before + 1)
    await page.locator('[data-step="list"]').focus()
    await page.keyboard.press('ArrowRight')
    expect(await page.evaluate(() => (document.activeElement as HTMLElement).dataset.step)).not.toBe('list')
    await page.locator('[data-step="broken"]').click() // it was chosen: closed
    await page.locator('[data-step="broken"]').click()
    await page.getByRole('button', { name: 'Open its job' }).click()
    await page.getByRole('region', { name: /^Job: echo 'no space/ }).waitFor()
    await page.getByRole('radio', { name: /^Workflows/ }).click()
    await page.setViewportSize({ width: 420, height: 800 })
    await page.getByRole('button', { name: /^Postcards/ }).click()
    await look('workflow-small')
  }, 240_000)
})
