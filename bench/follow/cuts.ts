import { once } from 'node:events'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { E2eDesk } from '../../e2e/harness/e2e-desk.ts'
import { E2eDevice } from '../../e2e/harness/e2e-device.ts'
import { eventually } from '../../e2e/harness/e2e-pair.ts'
import { appState } from '../../src/session/app-state.ts'
import type { WindowId } from '../../src/session/session-ids.ts'
import { createNetLab, type LabMachine, type NetLab } from '../../src/testkit/netlab.ts'
import { endProcess } from '../peers/xvfb.ts'
import { median, quantile } from '../report.ts'
import { type Measured, measured, type RowName } from './rows.ts'

/* The cable of one of two devices is pulled, both are used meanwhile, the cable comes back: what is merged, and when? */

const AREA = { width: 1300, height: 860 }
const CLI = path.resolve(import.meta.dirname, '../../bin/elsewhere.mjs')
const RENDEZVOUS_PORT = 9017
/** Windows opened on each side during one cut. */
const CHANGES_A_CUT = 5
/** What has not come by then is lost. */
const PATIENCE_MS = 40_000
/** A link that outlives its cut, and one that has to be made anew and may wait for DTLS's fixed second. */
const MUST_MS = { kept: 2_000, remade: 3_000 }

/** Where two devices meet again: at their own rendezvous and by mDNS, or only at one on a third machine. */
export type Meeting = 'own' | 'third'

export const CUTS = {
  own: { 1: 'cut1', 10: 'cut10', 60: 'cut60' },
  third: { 1: 'cut1Third', 10: 'cut10Third', 60: 'cut60Third' },
} as const satisfies Record<Meeting, Record<number, RowName>>
export type CutSeconds = keyof (typeof CUTS)[Meeting]

export interface CutTries {
  readonly seconds: CutSeconds
  readonly tries: number
}

interface Pair {
  readonly desks: readonly [E2eDesk, E2eDesk]
  readonly cable: LabMachine
}

interface Merge {
  readonly ms: number
  readonly lost: number
}

/** Several pairs of devices at once, each a person of its own, all on one network. Owns all it starts. */
export class CutLab {
  readonly #lab: NetLab
  readonly #pairs: Pair[] = []
  readonly #cleanup: (() => Promise<void> | void)[] = []

  private constructor(lab: NetLab) {
    this.#lab = lab
    this.#cleanup.push(() => lab.dispose())
  }

  static async create(meeting: Meeting, pairs: number): Promise<CutLab> {
    const numbers = Array.from({ length: pairs }, (_, number) => number)
    const made = new CutLab(createNetLab('r', ...numbers.flatMap((number) => [`a${number}`, `b${number}`])))
    try {
      const url = meeting === 'third' ? await made.#startRendezvous() : undefined
      for (const number of numbers) await made.#startPair(number, url)
      return made
    } catch (error) {
      await made.dispose()
      throw error
    }
  }

  async measure(meeting: Meeting, { seconds, tries }: CutTries): Promise<Measured> {
    const perPair = Math.ceil(tries / this.#pairs.length)
    const merges = (await Promise.all(this.#pairs.map((pair) => cutOften(pair, seconds, perPair)))).flat()
    const ms = merges.map((merge) => merge.ms)
    const lost = merges.reduce((sum, merge) => sum + merge.lost, 0)
    const p95 = quantile(ms, 0.95)
    const must = seconds === 1 ? MUST_MS.kept : MUST_MS.remade
    return measured(CUTS[meeting][seconds], p95, {
      met: p95 <= must && lost === 0,
      n: merges.length,
      peers: { p50: median(ms), slowest: Math.max(...ms), 'changes lost': lost },
    })
  }

  async dispose(): Promise<void> {
    for (const release of this.#cleanup.splice(0).reverse()) await release()
  }

  async #startRendezvous(): Promise<string> {
    const { address } = this.#lab.machine('r')
    const args = [CLI, 'rendezvous', '--port', String(RENDEZVOUS_PORT), '--listen', address]
    const child = this.#lab.machine('r').spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#cleanup.push(() => endProcess(child))
    if (!child.stdout) throw new Error('the rendezvous has no output')
    await once(child.stdout, 'data')
    return `ws://${address}:${RENDEZVOUS_PORT}`
  }

  async #startPair(number: number, rendezvousUrl: string | undefined): Promise<void> {
    const machines = [this.#lab.machine(`a${number}`), this.#lab.machine(`b${number}`)] as const
    const devices = await Promise.all(machines.map((machine) => E2eDevice.start({ name: machine.name, machine })))
    for (const device of devices) this.#cleanup.push(() => device.dispose())
    const [a, b] = devices as [E2eDevice, E2eDevice]
    for (const device of devices) await device.create('Maria')
    await a.invite(b)
    const desks = [await E2eDesk.open(a, AREA), await E2eDesk.open(b, AREA)] as const
    this.#cleanup.push(() => desks.forEach((desk) => desk.dispose()))
    if (rendezvousUrl) {
      for (const { client } of desks) await client.writeSettings({ rendezvousUrls: [rendezvousUrl], rendezvousPort: 0, mdns: false })
    }
    await eventually('the pair is linked', async () => (await desks[0].client.listDevices({})).some(({ state }) => state === 'linked'))
    this.#pairs.push({ desks, cable: machines[1] })
  }
}

async function cutOften(pair: Pair, seconds: number, times: number): Promise<readonly Merge[]> {
  const merges: Merge[] = []
  for (let run = 0; run < times; run++) {
    await delay(Math.random() * 1_000) // so that a cut meets timers of its devices anywhere
    merges.push(await cutOnce(pair, seconds))
    await tidyUp(pair)
  }
  return merges
}

/** Windows opened on both sides while the cable is out; from the cable's return until both have all of them. */
async function cutOnce({ desks, cable }: Pair, seconds: number): Promise<Merge> {
  const wanted = windowsOf(desks[0]).length + 2 * CHANGES_A_CUT
  cable.cut()
  const untilMs = performance.now() + seconds * 1_000
  for (let change = 0; change < CHANGES_A_CUT; change++) {
    for (const desk of desks) desk.do({ type: 'window/open', app: appState.parse({ kind: 'settings' }) })
    await delay((seconds * 1_000) / (CHANGES_A_CUT + 1))
  }
  await delay(Math.max(0, untilMs - performance.now()))
  cable.heal()
  const healedMs = performance.now()
  const missing = () => Math.max(...desks.map((desk) => wanted - windowsOf(desk).length))
  while (missing() > 0 && performance.now() < healedMs + PATIENCE_MS) await delay(5)
  return { ms: performance.now() - healedMs, lost: missing() }
}

/** Closes what was opened, so that the last cut is no slower than the first, and waits until both sides know. */
async function tidyUp({ desks }: Pair): Promise<void> {
  for (const windowId of windowsOf(desks[0])) desks[0].do({ type: 'window/close', windowId })
  await eventually('both desks are tidy', async () => desks.every((desk) => windowsOf(desk).length === 0))
}

const windowsOf = (desk: E2eDesk): readonly WindowId[] => Object.keys(desk.state.windows) as WindowId[]
