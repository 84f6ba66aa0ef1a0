import { whyNoNetLab } from '../src/testkit/netlab.ts'
import { BenchLab } from './follow/bench-lab.ts'
import { measureDrag, measureScripts, measureUnlock200, measureUnlock50 } from './follow/one-display.ts'
import { allRows, type Measured, measured, type RowName } from './follow/rows.ts'
import {
  measureChanges,
  measureCut,
  measureDark,
  measureEchoProxy,
  measureEchoVeth,
  measureIdle,
  measureTerminal,
} from './follow/two-devices.ts'
import type { Bench, Row } from './report.ts'

/* `npm run bench -- follow`: the workspace that follows its person, on real devices and in a real browser; about ten minutes. */

const TOO_LONG = 'it would take longer than the whole benchmark may'
const NOT_HERE: readonly (readonly [RowName, string])[] = [
  ['cut60', `${TOO_LONG}; \`npm run bench -- links --long\` cuts a link for 60 s`],
  ['bigLog', '`npm run bench -- sync` loads a log of that size; no benchmark yet pairs a device with one'],
  ['echoLoaded', 'nothing in the product sends files in bulk over a link yet; `npm run bench -- links` loads a bare link'],
]

class FollowBench {
  found: Measured = {}
  readonly whyNot = new Map<RowName, string>(NOT_HERE)

  /** One step: what it measures, or why it could not. */
  async step(names: readonly RowName[], work: () => Promise<Measured>): Promise<void> {
    const startedMs = performance.now()
    try {
      this.found = { ...this.found, ...(await work()) }
    } catch (error) {
      const why = error instanceof Error ? error.message.split('\n')[0] : String(error)
      for (const name of names) this.whyNot.set(name, `it failed: ${why}`)
    }
    console.error(`bench: ${names.join(', ')}: ${((performance.now() - startedMs) / 1e3).toFixed(0)} s`)
  }

  async inLab(proxied: boolean, names: readonly RowName[], work: (lab: BenchLab) => Promise<void>): Promise<void> {
    const none = whyNoNetLab()
    if (none) {
      for (const name of names) this.whyNot.set(name, none)
      return
    }
    let lab: BenchLab | undefined
    try {
      lab = await BenchLab.create({ proxied })
      await work(lab)
    } catch (error) {
      for (const name of names) if (!this.found[name]) this.whyNot.set(name, `it failed: ${String(error).split('\n')[0]}`)
    } finally {
      await lab?.dispose()
    }
  }
}

async function run(): Promise<readonly Row[]> {
  const all = new FollowBench()
  await all.step(['script'], measureScripts)
  const veth: RowName[] = [
    'code',
    'changeVeth50',
    'changeVeth95',
    'echo',
    'attach',
    'dark',
    'cut1',
    'cut10',
    'idleMemory',
    'idleCpu',
    'idleBytes',
  ]
  await all.inLab(false, veth, async (lab) => {
    await all.step(['code'], async () => {
      if (lab.codeToDeskMs === undefined) throw new Error('the desk was not drawn within 20 s of the code')
      return measured('code', lab.codeToDeskMs, { n: 1 })
    })
    await all.step(['idleMemory', 'idleCpu', 'idleBytes'], () => measureIdle(lab))
    await all.step(['changeVeth50', 'changeVeth95'], () => measureChanges(lab, 'veth'))
    await all.step(['echo'], () => measureEchoVeth(lab))
    await all.step(['attach'], () => measureTerminal(lab))
    await all.step(['dark'], () => measureDark(lab))
    await all.step(['cut1'], () => measureCut(lab, 'cut1'))
    await all.step(['cut10'], () => measureCut(lab, 'cut10'))
  })
  await all.inLab(true, ['changeProxy50', 'changeProxy95', 'echoProxy50', 'echoProxy95'], async (lab) => {
    await lab.setPath({ delayMs: 40 })
    await all.step(['echoProxy50', 'echoProxy95'], () => measureEchoProxy(lab))
    await lab.setPath({ loss: 0.01 })
    await all.step(['changeProxy50', 'changeProxy95'], () => measureChanges(lab, 'proxy'))
  })
  await all.step(['dragTasks', 'dragBytes'], measureDrag)
  await all.step(['first50', 'all50'], measureUnlock50)
  await all.step(['first200', 'all200', 'heap', 'mounted'], measureUnlock200)
  return allRows(all.found, all.whyNot)
}

export const bench: Bench = { name: 'follow', run }
