import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { SolanaFacade } from '../src/testkit/solana-facade.ts'
import { whyNoBrowser } from './harness/chromium.ts'
import { E2eDevice } from './harness/e2e-device.ts'
import { E2eBrowser, E2eDisplay } from './harness/e2e-display.ts'
import { keepEvidence } from './harness/evidence.ts'
import { findings, runFromPalette } from './harness/hands.ts'

const VERIFY = path.resolve(import.meta.dirname, '../docs/verify.mjs')

/** One device, one display, and the Solana runtime in this process. */
describe.skipIf(whyNoBrowser !== undefined)(`the ledger anchored on Solana${whyNoBrowser ? ` (${whyNoBrowser})` : ''}`, () => {
  let cluster: SolanaFacade
  let device: E2eDevice
  let browser: E2eBrowser
  let display: E2eDisplay

  beforeAll(async () => {
    cluster = new SolanaFacade()
    device = await E2eDevice.start({ name: 'kitchen' })
    await device.create('Ada')
    browser = await E2eBrowser.launch()
    display = await E2eDisplay.open(device, browser, { reducedMotion: 'reduce' })
    display.page.setDefaultTimeout(15_000)
    await display.unlock()
  })
  afterEach((context) => keepEvidence(context, { display }))
  afterAll(async () => {
    await browser?.dispose()
    await device?.dispose()
    cluster?.dispose()
  })

  const file = (name: string) => path.join(device.folder, name)
  const cli = async (...args: string[]) => {
    const { code, output } = await device.cli(args)
    expect(code, output).toBe(0)
    return output.trim()
  }

  it('is turned on in Settings, anchors from the Ledger page, and a stranger verifies one entry with one command', async () => {
    const { page } = display
    const url = await cluster.listen()
    const front = page.locator('.window[data-active]')
    cluster.give(await cli('wallet'), 20_000_000)

    await runFromPalette(page, 'settings', /^Settings/)
    await front.getByText('This device', { exact: true }).first().click()
    await front.getByRole('radio', { name: 'Own server' }).click()
    await front.getByLabel('Solana server').fill(url)
    await front.getByLabel('Solana server').press('Enter')
    await front.getByText(/Holds 0\.02 SOL/).waitFor()
    expect(await findings(page, 'settings, anchoring', '.window[data-active]')).toEqual([])

    await runFromPalette(page, 'devices', /^Devices/)
    await front.getByRole('radio', { name: 'Ledger' }).click()
    await front.getByRole('button', { name: 'Anchor now' }).click()
    await front.getByText(/entries anchored, nothing new since/).waitFor()
    await front.getByRole('button', { name: 'Verify' }).click()
    await front.getByText(/and as the anchor says, which the network holds/).waitFor()
    expect(await findings(page, 'ledger, anchored', '.window[data-active]')).toEqual([])
    expect([cluster.transactions, display.problems]).toEqual([1, []])

    expect(await cli('ledger', 'verify', '--online')).toMatch(/as 1 anchor says, which the network holds/)
    await cli('ledger', 'prove', '0', file('proof.json'))
    const { anchor } = JSON.parse(await readFile(file('proof.json'), 'utf8'))
    const question = { jsonrpc: '2.0', id: 1, method: 'getTransaction', params: [anchor.signature, { encoding: 'base64' }] }
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(question) })
    await writeFile(file('transaction.json'), await answer.text())
    const run = promisify(execFile)
    const said = await run(process.execPath, [VERIFY, file('proof.json'), file('transaction.json')])
    expect(said.stdout).toMatch(/^All holds: elsewhere-ledger-proof/)
    await writeFile(file('transaction.json'), JSON.stringify({ result: null }))
    await expect(run(process.execPath, [VERIFY, file('proof.json'), file('transaction.json')])).rejects.toMatchObject({ code: 1 })
  })
})
