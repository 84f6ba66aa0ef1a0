import { parseArgs } from 'node:util'
import { whyNoNetLab } from '../src/testkit/netlab.ts'
import { BenchLab, type BenchLabOptions } from './follow/bench-lab.ts'
import { measureDrag, measureScripts } from './follow/one-display.ts'
import { allRows, type Measured, measured, type RowName } from './follow/rows.ts'
import {
  measureChanges,
  measureDark,
  measureEchoLoaded,
  measureEchoProxy,
  measureEchoVeth,
  measureIdle,
  measureShown,
  measureTerminal,
} from './follow/two-devices.ts'
import { measureUnlock200, measureUnlock50 } from './follow/unlock.ts'
import { CUTS, CutLab, type CutTries, type Meeting } from './follow/cuts.ts'
import type { Bench, Row } from './report.ts'

/*
 * `npm run bench -- follow`: the workspace that follows its person, on real devices and in a real browser; about fifteen minutes.
 * --only displays|devices|new-device|proxied|cuts   one part of it
 * --tries N                              cuts of a second, with and without a third machine's rendezvous; of 10 s a quarter, of 60 s a tenth
 * --pairs N                              pairs of devices that are cut at once
 */
const OPTIONS = {
  only: { type: 'string' },
  tries: { type: 'string', default: '16' },
  pairs: { type: 'string', default: '4' },
  json: { type: 'string' },
} as const

/** What a new device has to be given of: 10 MB of envelopes. */
const LOG_BYTES = 10e6

class FollowBench {
  found: Measured = {}
  readonly whyNot = new Map<RowName, string>()

  /** One step: what it measures, or why it could not. */
  async step(names: readonly RowName[], work: () => Promise<Measured>): Promise<void> {
    const startedMs = performance.now()
    try {
      const found = await work()
      this.found = { ...this.found, ...found }
    } catch (error) {
      const why = error instanceof Error ? error.message.split('\n')[0] : String(error)
      for (const name of names) this.whyNot.set(name, `it failed: ${why}`)
    }
    console.error(`bench: ${names.join(', ')}: ${((performance.now() - startedMs) / 1e3).toFixed(0)} s`)
  }

  async inLab(options: BenchLabOptions, names: readonly RowName[], work: (lab: BenchLab) => Promise<void>): Promise<void> {
    const none = whyNoNetLab()
    if (none) {
      for (const name of names) this.whyNot.set(name, none)
      return
    }
    let lab: BenchLab | undefined
    try {
      lab = await BenchLab.create(options)
      await work(lab)
    } catch (error) {
      for (const name of names) if (!this.found[name]) this.whyNot.set(name, `it failed: ${String(error).split('\n')[0]}`)
    } finally {
      await lab?.dispose()
    }
  }
}

const VETH: readonly RowName[] = ['code', 'changeVeth50', 'changeVeth95', 'echo', 'attach', 'dark', 'idleMemory', 'idleCpu', 'idleBytes']
const PROXIED: readonly RowName[] = [
  'changeProxy50',
  'changeProxy95',
  'echoProxy50',
  'echoProxy95',
  'echoLoaded',
  'shownProxy50',
  'shownLoaded',
]

const PARTS: Readonly<Record<string, (all: FollowBench, options: Options) => Promise<void>>> = {
  async devices(all) {
    await all.inLab({ proxied: false }, VETH, async (lab) => {
      await all.step(['code'], async () => {
        if (lab.codeToDeskMs === undefined) throw new Error('the desk was not drawn within 20 s of the code')
        return measured('code', lab.codeToDeskMs, { n: 1 })
      })
      await all.step(['idleMemory', 'idleCpu', 'idleBytes'], () => measureIdle(lab))
      await all.step(['changeVeth50', 'changeVeth95'], () => measureChanges(lab, 'veth'))
      await all.step(['echo'], () => measureEchoVeth(lab))
      await all.step(['attach'], () => measureTerminal(lab))
      await all.step(['dark'], () => measureDark(lab))
    })
  },
  async 'new-device'(all) {
    await all.inLab({ proxied: false, logBytes: LOG_BYTES }, ['bigLog'], async ({ log, codeToDeskMs }) => {
      await all.step(['bigLog'], async () => {
        if (!log || codeToDeskMs === undefined) throw new Error('the desk was not drawn within 20 s of the code')
        return measured('bigLog', codeToDeskMs, { n: 1, peers: { 'log, MB': log.bytes / 1e6, envelopes: log.envelopes } })
      })
    })
  },
  async proxied(all) {
    await all.inLab({ proxied: true }, PROXIED, async (lab) => {
      await lab.setPath({ delayMs: 40 })
      await all.step(['echoProxy50', 'echoProxy95'], () => measureEchoProxy(lab))
      await all.step(['echoLoaded'], () => measureEchoLoaded(lab))
      await all.step(['shownProxy50', 'shownLoaded'], () => measureShown(lab))
      await lab.setPath({ loss: 0.01 })
      await all.step(['changeProxy50', 'changeProxy95'], () => measureChanges(lab, 'proxy'))
    })
  },
  async cuts(all, { tries, pairs }) {
    for (const meeting of ['own', 'third'] as const) await measureCuts(all, meeting, tries, pairs)
  },
  async displays(all) {
    await all.step(['script'], measureScripts)
    await all.step(['dragTasks', 'dragBytes'], measureDrag)
    await all.step(['first50', 'all50'], measureUnlock50)
    await all.step(['first200', 'all200', 'memory', 'mounted'], measureUnlock200)
  },
}

async function measureCuts(all: FollowBench, meeting: Meeting, tries: number, pairs: number): Promise<void> {
  const names = Object.values(CUTS[meeting])
  const none = whyNoNetLab()
  if (none) {
    for (const name of names) all.whyNot.set(name, none)
    return
  }
  const cuts: readonly CutTries[] = [
    { seconds: 1, tries },
    { seconds: 10, tries: Math.ceil(tries / 4) },
    { seconds: 60, tries: Math.ceil(tries / 10) },
  ]
  await all.step(names, async () => {
    const lab = await CutLab.create(meeting, pairs)
    try {
      for (const cut of cuts) await all.step([CUTS[meeting][cut.seconds]], () => lab.measure(meeting, cut))
    } finally {
      await lab.dispose()
    }
    return {}
  })
}

interface Options {
  readonly tries: number
  readonly pairs: number
}

async function run(args: readonly string[]): Promise<readonly Row[]> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS })
  const all = new FollowBench()
  for (const [name, measure] of Object.entries(PARTS)) {
    if (values.only === undefined || values.only === name) await measure(all, { tries: Number(values.tries), pairs: Number(values.pairs) })
  }
  return allRows(all.found, all.whyNot)
}

export const bench: Bench = { name: 'follow', run }
