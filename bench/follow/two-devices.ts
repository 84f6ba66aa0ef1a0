import { E2eDisplay } from '../../e2e/harness/e2e-display.ts'
import { eventually } from '../../e2e/harness/e2e-pair.ts'
import { markedAtMs, repaintedAtMs, watchTexts } from '../../e2e/harness/page-times.ts'
import { measureAttach } from '../../e2e/harness/terminal-attach.ts'
import { median, quantile } from '../report.ts'
import type { BenchLab } from './bench-lab.ts'
import { echoTimes } from './echo.ts'
import { whileFilesFlow } from './file-load.ts'
import { idleCost } from './idle.ts'
import { type Measured, measured } from './rows.ts'
import { shownLetterTimes } from './shown-letters.ts'
import { sshEchoTimes } from './ssh-echo.ts'

/* What two linked devices cost: changes, echo, the seat. */

const CHANGES = 120
const PROXY_MS = { roundTrip: 80, oneWay: 40 }
const KEYS = 100
const SEAT_MOVES = 6
const LINES = 10_000

/** Letters typed into a text on A, from the frame that shows each there to the frame that shows it on B. */
async function changeTimes(a: E2eDisplay, b: E2eDisplay): Promise<readonly number[]> {
  await a.openApp('Editor')
  for (const { page } of [a, b]) await page.locator('.cm-content').last().waitFor()
  await a.page.locator('.cm-content').last().click()
  // The first letter makes the text; what is measured is a change of a text that both have.
  await a.page.keyboard.type('0')
  await b.page.locator('.cm-content', { hasText: '0' }).waitFor()
  const typed = Array.from({ length: Math.ceil(CHANGES / 4) }, (_, index) => String(1_000 + index)).join('')
  const texts = [...typed].map((_, index) => `0${typed.slice(0, index + 1)}`)
  const watching = [a, b].map(({ page }) => watchTexts(page, '.cm-content', texts, 60_000))
  await a.page.keyboard.type(typed, { delay: 50 })
  const [here = [], there = []] = await Promise.all(watching)
  return there.map((atMs, index) => atMs - (here[index] ?? atMs))
}

export async function measureChanges(lab: BenchLab, how: 'veth' | 'proxy'): Promise<Measured> {
  const [a, b] = [await lab.display('a', 'move'), await lab.display('b', 'beside')]
  try {
    const ms = await changeTimes(a, b)
    const beyond = how === 'proxy' ? ms.map((one) => one - PROXY_MS.oneWay) : ms
    const [p50, p95] = [median(beyond), quantile(beyond, 0.95)]
    const [first, second] = how === 'proxy' ? (['changeProxy50', 'changeProxy95'] as const) : (['changeVeth50', 'changeVeth95'] as const)
    return { ...measured(first, p50, { met: p50 <= 25, n: ms.length }), ...measured(second, p95, { met: p95 <= 70, n: ms.length }) }
  } finally {
    await a.close()
    await b.close()
  }
}

export async function measureEchoVeth(lab: BenchLab): Promise<Measured> {
  const ours = median(await echoTimes(lab, KEYS))
  const ssh = await sshEchoTimes(lab, KEYS).then(median, () => undefined)
  if (ssh === undefined) return measured('echo', ours, { n: KEYS })
  return measured('echo', ours, { met: ours <= ssh + 10, n: KEYS, peers: { 'ssh, same path': ssh } })
}

/** 20 Mbit/s, what many homes send at: without a limit it would be this machine that is full, not the link. */
const FULL_BYTES_PER_MS = 2_500
/** Not above ssh: as much as two medians of one run differ by themselves. */
const SAME_MS = 1

export async function measureEchoProxy(lab: BenchLab): Promise<Measured> {
  const ms = await echoTimes(lab, KEYS)
  const ssh = await sshEchoTimes(lab, KEYS).catch(() => undefined)
  const [p50, p95] = [median(ms), quantile(ms, 0.95)]
  const sshAt = (q: number): Readonly<Record<string, number>> => (ssh ? { 'ssh, same path': quantile(ssh, q) } : {})
  const isNoSlower = ssh === undefined || p50 <= median(ssh) + SAME_MS
  return {
    ...measured('echoProxy50', p50, { peers: sshAt(0.5), n: KEYS, met: p50 <= PROXY_MS.roundTrip + 10 && isNoSlower }),
    ...measured('echoProxy95', p95, { peers: sshAt(0.95), n: KEYS, met: p95 <= PROXY_MS.roundTrip + 20 }),
  }
}

/** What the person sees: on a slow link letters are guessed, and underlined until the echo has come. */
export async function measureShown(lab: BenchLab): Promise<Measured> {
  const ssh = await sshEchoTimes(lab, KEYS).catch(() => undefined)
  const quiet = await shownLetterTimes(lab)
  await lab.setPath({ bytesPerMs: FULL_BYTES_PER_MS })
  const { result: loaded } = await whileFilesFlow(lab, () => shownLetterTimes(lab))
  await lab.setPath({ bytesPerMs: 0 })
  const [p50, p95] = [median(quiet), quantile(loaded, 0.95)]
  const isNoSlower = ssh === undefined || p50 <= median(ssh)
  return {
    ...measured('shownProxy50', p50, {
      peers: { p95: quantile(quiet, 0.95), ...(ssh && { 'ssh, same path, not painted': median(ssh) }) },
      n: quiet.length,
      met: p50 <= PROXY_MS.roundTrip + 10 && isNoSlower,
    }),
    ...measured('shownLoaded', p95, { peers: { p50: median(loaded) }, n: loaded.length, met: p95 <= PROXY_MS.roundTrip + 20 }),
  }
}

export async function measureEchoLoaded(lab: BenchLab): Promise<Measured> {
  await lab.setPath({ bytesPerMs: FULL_BYTES_PER_MS })
  const both = async () => ({ ms: await echoTimes(lab, KEYS), ssh: await sshEchoTimes(lab, KEYS).catch(() => undefined) })
  const { result, megabytesPerSecond } = await whileFilesFlow(lab, both)
  const { ms, ssh } = result
  await lab.setPath({ bytesPerMs: 0 })
  const p95 = quantile(ms, 0.95)
  const sshPeer: Readonly<Record<string, number>> = ssh ? { 'ssh meanwhile, p95': quantile(ssh, 0.95) } : {}
  const peers = { p50: median(ms), 'files, MB/s': megabytesPerSecond, ...sshPeer }
  return measured('echoLoaded', p95, { peers, n: KEYS, met: p95 <= PROXY_MS.roundTrip + 20 })
}

export async function measureTerminal(lab: BenchLab): Promise<Measured> {
  const device = lab.machine('a').deviceId
  const command = ['/bin/sh', '-c', `seq 1 ${LINES}; exec sleep 600`]
  const { terminalId } = await lab.ask('a', (client) => client.openTerminal({ device, command, columns: 80, rows: 24 }))
  const ms = await lab.ask('b', async (client) => {
    await eventually('all lines are in the terminal', async () =>
      (await measureAttach(client, { device, terminalId })).screen.includes(String(LINES)),
    )
    const times: number[] = []
    for (let run = 0; run < 10; run++) times.push((await measureAttach(client, { device, terminalId })).ms)
    return times
  })
  return measured('attach', median(ms), { n: ms.length, peers: { p95: quantile(ms, 0.95) } })
}

/** From the opened vault of the display that takes the seat until the other one has painted its hand-over screen. */
export async function measureDark(lab: BenchLab): Promise<Measured> {
  let [open, locked] = [await lab.display('a', 'move'), await E2eDisplay.open(lab.machine('b').device, await lab.browser('b'))]
  const ms: number[] = []
  try {
    for (let run = 0; run < SEAT_MOVES; run++) {
      await locked.unlock('move')
      await open.page.getByText(/^You are on/).waitFor()
      ms.push((await repaintedAtMs(open.page)) - (await markedAtMs(locked.page, 'elsewhere:vault-open')))
      ;[open, locked] = [locked, open]
    }
  } finally {
    await open.close()
    await locked.close()
  }
  return measured('dark', quantile(ms, 0.95), { n: ms.length, peers: { p50: median(ms) } })
}

export const measureIdle = async (lab: BenchLab): Promise<Measured> => {
  const { memoryBytes, cpuPercent, bytesAMinute } = await idleCost(lab)
  return { ...measured('idleMemory', memoryBytes / 1e6), ...measured('idleCpu', cpuPercent), ...measured('idleBytes', bytesAMinute) }
}
