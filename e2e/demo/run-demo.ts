import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { median } from '../../bench/report.ts'
import { whyNoNetLab } from '../../src/testkit/netlab.ts'
import { E2eDisplay } from '../harness/e2e-display.ts'
import { eventually } from '../harness/e2e-pair.ts'
import { markedAtMs, repaintedAtMs, sinceUnlock, watchTexts } from '../harness/page-times.ts'
import { measureAttach } from '../harness/terminal-attach.ts'
import { DemoMachines } from './demo-machines.ts'
import type { DemoOptions } from './demo-options.ts'
import { arrangeDesk } from './demo-workspace.ts'

const NAMES = ['laptop', 'kitchen', 'studio'] as const
const PERSON = 'Maria'
const SETTLE_MS = 1_500 // pictures are taken when nothing fades any more
const TYPED = ' before the rain comes.'

interface Timing {
  readonly what: string
  readonly ms: number
}

type Windows = Awaited<ReturnType<E2eDisplay['windows']>>

/** What the demo found: for people a table, for tests JSON. */
export interface DemoResult {
  readonly inNamespaces: boolean
  readonly devices: readonly string[]
  readonly timings: readonly Timing[]
  /** Windows by title and place that each display showed while both were open. */
  readonly beside: Readonly<Record<string, Windows>>
  readonly pictures: readonly string[]
}

/** The main job on one machine: three devices, one desk, beside and then moved. Leaves nothing running. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const why = options.namespaces ? whyNoNetLab() : 'you asked for none'
  options.say(
    why === undefined
      ? 'Three devices, each with a data folder and a network namespace of its own.'
      : `Three devices with data folders of their own, on this machine's network: no namespaces (${why}).`,
  )
  const machines = new DemoMachines(why === undefined)
  const demo = new Demo(machines, options)
  try {
    const result = await Promise.race([demo.run(), options.interrupted.then(() => Promise.reject(new Error('interrupted')))])
    if (options.keep) {
      const tell = async () => {
        for (const name of NAMES) options.say(`  ${name.padEnd(8)} ${await machines.entrance(name)}`)
        options.say(
          'Each URL opens one display, once, within two minutes; Enter gives new ones. Passphrase: correct horse battery staple. ' +
            'Ctrl-C ends everything.',
        )
      }
      await tell()
      options.onDidAskAgain?.(() => void tell().catch((error: unknown) => options.say(`No new URLs: ${String(error)}`)))
      await options.interrupted
    }
    return result
  } finally {
    await machines.dispose()
  }
}

class Demo {
  readonly #machines: DemoMachines
  readonly #options: DemoOptions
  readonly #timings: Timing[] = []
  readonly #pictures: string[] = []

  constructor(machines: DemoMachines, options: DemoOptions) {
    this.#machines = machines
    this.#options = options
  }

  async run(): Promise<DemoResult> {
    const { folder, jsonFile, say } = this.#options
    await mkdir(folder, { recursive: true })
    await this.#machines.start(PERSON, NAMES)
    say('Linking the kitchen and the studio with the laptop, by a code each.')
    await this.#pair('kitchen')
    await this.#pair('studio')

    say('Unlocking the laptop, and making a desk there.')
    const laptop = await E2eDisplay.open(this.#machines.machine('laptop').device, await this.#machines.browser('laptop'))
    await laptop.unlock('move')
    this.#note('laptop: unlock > desk painted', await sinceUnlock(laptop.page, 'elsewhere:first-frame'))
    const { terminalId } = await arrangeDesk(this.#machines, 'laptop', laptop)

    say('Unlocking the kitchen beside it.')
    const browser = await this.#machines.browser('kitchen')
    const kitchenDevice = this.#machines.machine('kitchen').device
    const kitchen = await E2eDisplay.open(kitchenDevice, browser)
    await kitchen.unlock('beside')
    this.#note('kitchen: unlock > desk painted', await sinceUnlock(kitchen.page, 'elsewhere:first-frame'))
    this.#note('kitchen: unlock > all windows painted', await sinceUnlock(kitchen.page, 'elsewhere:all-windows'))
    await this.#typeOnBoth(laptop, kitchen)
    await this.#measureTerminal(terminalId)
    const beside = await this.#untilSame(laptop, kitchen)
    await this.#takePictures('beside', laptop, kitchen)

    say('Moving the seat to the kitchen.')
    await kitchen.close()
    const moved = await E2eDisplay.open(kitchenDevice, browser)
    await moved.unlock('move')
    await laptop.page.getByText(/^You are on/).waitFor()
    this.#note(
      'seat moved > the old display shows its hand-over screen',
      (await repaintedAtMs(laptop.page)) - (await markedAtMs(moved.page, 'elsewhere:unlock')),
    )
    await eventually('the windows on the display just unlocked', async () => (await moved.windows()).length === beside['laptop']?.length)
    await this.#takePictures('move', laptop, moved)
    await moved.page.emulateMedia({ colorScheme: 'dark' })
    await this.#takePicture('move-kitchen-dark', moved)

    const result = {
      inNamespaces: this.#machines.inNamespaces,
      devices: this.#machines.all.map(({ deviceId }) => deviceId),
      timings: this.#timings,
      beside,
      pictures: this.#pictures,
    }
    say(`\n${tableOf(this.#timings)}\n`)
    for (const picture of this.#pictures) say(`  ${path.relative(process.cwd(), picture)}`)
    if (jsonFile) await writeFile(jsonFile, `${JSON.stringify(result, undefined, 2)}\n`)
    return result
  }

  /** One code each: shown on the laptop, typed on the other. */
  async #pair(name: string): Promise<void> {
    const [from, to] = [this.#machines.machine('laptop').device, this.#machines.machine(name).device]
    const startedMs = performance.now()
    await from.invite(to)
    const pairedMs = performance.now()
    this.#note(`laptop + ${name}: code asked for, typed, both said yes`, pairedMs - startedMs)
    await eventually(`laptop and ${name} are linked`, () => this.#machines.isLinked(name, 'laptop'))
    this.#note(`laptop + ${name}: paired > linked`, performance.now() - pairedMs)
  }

  async #typeOnBoth(laptop: E2eDisplay, kitchen: E2eDisplay): Promise<void> {
    const texts = [...TYPED].map((_, index) => `ladder${TYPED.slice(0, index + 1)}`)
    await kitchen.desk.locator('.cm-content').first().waitFor()
    await eventually('the unsaved text on both', async () => (await kitchen.desk.locator('.cm-content').innerText()).includes('ladder'))
    const watching = [laptop, kitchen].map(({ page }) => watchTexts(page, '.cm-content', texts))
    await laptop.page.keyboard.type(TYPED, { delay: 60 })
    const [here = [], there = []] = await Promise.all(watching)
    this.#note(
      `change painted on laptop > painted on kitchen (p50 of ${texts.length})`,
      median(there.map((atMs, index) => atMs - (here[index] ?? atMs))),
    )
  }

  async #measureTerminal(terminalId: string): Promise<void> {
    const { deviceId: device } = this.#machines.machine('laptop')
    const { ms } = await this.#machines.ask('kitchen', (client) => measureAttach(client, { device, terminalId }))
    this.#note('terminal of the laptop attached on kitchen', ms)
  }

  async #untilSame(laptop: E2eDisplay, kitchen: E2eDisplay): Promise<DemoResult['beside']> {
    return eventually('the same windows on both displays', async () => {
      const [left, right] = [await laptop.windows(), await kitchen.windows()]
      return left.length > 0 && JSON.stringify(left) === JSON.stringify(right) ? { laptop: left, kitchen: right } : undefined
    })
  }

  async #takePictures(when: 'beside' | 'move', laptop: E2eDisplay, kitchen: E2eDisplay): Promise<void> {
    await this.#takePicture(`${when}-laptop`, laptop)
    await this.#takePicture(`${when}-kitchen`, kitchen)
  }

  async #takePicture(name: string, display: E2eDisplay): Promise<void> {
    await display.page.mouse.move(0, 0) // no tip, no dock held open
    await display.page.waitForTimeout(SETTLE_MS)
    const file = path.join(this.#options.folder, `${name}.png`)
    await display.screenshot(file)
    this.#pictures.push(file)
  }

  #note(what: string, ms: number): void {
    this.#timings.push({ what, ms: Math.round(ms) })
  }
}

function tableOf(timings: readonly Timing[]): string {
  const width = Math.max(...timings.map(({ what }) => what.length))
  return timings.map(({ what, ms }) => `  ${what.padEnd(width)}  ${String(ms).padStart(6)} ms`).join('\n')
}
