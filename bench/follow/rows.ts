import { notMeasured, type Row } from '../report.ts'

type Wanted = Pick<Row, 'id' | 'what' | 'unit' | 'must' | 'goal'>
const row = (id: string, what: string, unit: string, must: string | undefined, goal?: string): Wanted => ({
  id: `follow/${id}`,
  what,
  unit,
  must,
  goal,
})

/** What is measured about the workspace that follows, with ids that stay. */
export const ROWS = {
  first50: row(
    'unlock-50-first',
    'vault open > first frame with a key typed into the focused window, 50 windows',
    'ms',
    "<= 0.3 of Chromium's restore of 50 tabs",
    '300 ms',
  ),
  all50: row(
    'unlock-50-all',
    'vault open > all visible windows painted, 50 windows',
    'ms',
    "<= 0.3 of Chromium's restore of 50 tabs",
    '600 ms',
  ),
  first200: row(
    'unlock-200-first',
    'vault open > first frame with a key typed into the focused window, 200 windows, 1,000 tabs',
    'ms',
    "<= 0.3 of Chromium's restore of as many tabs",
    '500 ms',
  ),
  all200: row(
    'unlock-200-all',
    'vault open > all visible windows painted, 200 windows, 1,000 tabs',
    'ms',
    "<= 0.3 of Chromium's restore of as many tabs",
    '1500 ms',
  ),
  changeVeth50: row('change-veth-p50', 'change painted on A > painted on B, veth, p50', 'ms', '<= 25 ms', '30 ms'),
  changeVeth95: row('change-veth-p95', 'change painted on A > painted on B, veth, p95', 'ms', '<= 70 ms', '80 ms'),
  changeProxy50: row('change-proxy-p50', 'the same through 80 ms round trip and 1 % loss, beyond one way, p50', 'ms', '<= 25 ms', '30 ms'),
  changeProxy95: row('change-proxy-p95', 'the same through 80 ms round trip and 1 % loss, beyond one way, p95', 'ms', '<= 70 ms', '80 ms'),
  cut1: row('cut-1', 'link cut for 1 s > merged, after the cable is back, p95, own rendezvous only', 'ms', '<= 2000 ms, none lost'),
  cut10: row(
    'cut-10',
    'link cut for 10 s > merged, after the cable is back, p95, own rendezvous only',
    'ms',
    '<= 2000 ms (3000 where DTLS waits its second), none lost',
  ),
  cut60: row(
    'cut-60',
    'link cut for 60 s > merged, after the cable is back, p95, own rendezvous only',
    'ms',
    '<= 2000 ms (3000 where DTLS waits its second), none lost',
  ),
  cut1Third: row(
    'cut-1-third',
    'link cut for 1 s > merged, after the cable is back, p95, one rendezvous on a third machine',
    'ms',
    '<= 2000 ms, none lost',
  ),
  cut10Third: row(
    'cut-10-third',
    'link cut for 10 s > merged, after the cable is back, p95, one rendezvous on a third machine',
    'ms',
    '<= 2000 ms (3000 where DTLS waits its second), none lost',
  ),
  cut60Third: row(
    'cut-60-third',
    'link cut for 60 s > merged, after the cable is back, p95, one rendezvous on a third machine',
    'ms',
    '<= 2000 ms (3000 where DTLS waits its second), none lost',
  ),
  code: row('code-desk', 'code typed > desk painted', 'ms', undefined, '5000 ms'),
  bigLog: row('new-device-10mb', 'new device with a 10 MB log: code typed > desk painted', 'ms', undefined, '3000 ms'),
  dark: row('dark-p95', 'new unlock > old display dark, p95', 'ms', undefined, '1000 ms'),
  echo: row('echo-veth-p50', 'key on B > echo of a pty on A, veth, p50', 'ms', '<= ssh on the same path + 10 ms'),
  echoProxy50: row(
    'echo-proxy-p50',
    'key on B > echo of a pty on A, 80 ms round trip, p50',
    'ms',
    '<= round trip + 10 ms, and ssh through the same proxy',
  ),
  echoProxy95: row('echo-proxy-p95', 'key on B > echo of a pty on A, 80 ms round trip, p95', 'ms', '<= round trip + 20 ms'),
  echoLoaded: row('echo-loaded-p95', 'the same while files saturate the link (20 Mbit/s), p95', 'ms', '<= round trip + 20 ms'),
  shownProxy50: row(
    'shown-proxy-p50',
    "key on B > its letter on B's display, terminal on A, 80 ms round trip, guessed or echoed, p50",
    'ms',
    '<= round trip + 10 ms, and ssh through the same proxy',
  ),
  shownLoaded: row('shown-loaded-p95', 'the same while files saturate the link (20 Mbit/s), p95', 'ms', '<= round trip + 20 ms'),
  attach: row('attach-10000', 'terminal with 10,000 lines attached', 'ms', undefined, '300 ms + round trip'),
  dragTasks: row('drag-long-tasks', '3 s drag over 40 windows: tasks over 50 ms', 'tasks', '0'),
  dragBytes: row('drag-document', '3 s drag over 40 windows: document growth before the drop', 'bytes', '0'),
  idleMemory: row('idle-memory', 'idle: memory of all four processes (PSS)', 'MB', undefined, '250 MB'),
  idleCpu: row('idle-cpu', 'idle: CPU of all four processes over 60 s', '% of a core', undefined, '1 %'),
  idleBytes: row('idle-bytes', 'idle: bytes per peer and minute, both ways, with rendezvous and mDNS', 'bytes', undefined, '2000'),
  memory: row('display-memory-200', 'display with 200 windows and 1,000 tabs: memory of its process (PSS)', 'MB', undefined, '400 MB'),
  mounted: row('mounted-200', 'display with 200 windows and 1,000 tabs: tabs of background windows and activities mounted', 'tabs', '0'),
  script: row('script-gzip', 'JavaScript before first paint (lock screen), gzip', 'kB', undefined, '300 kB'),
} as const

export type RowName = keyof typeof ROWS
export type Measured = { readonly [Name in RowName]?: Row }

/** A value for a row; `met` only where the row has a must. */
export function measured(name: RowName, value: number, more: { met?: boolean; peers?: Row['peers']; n?: number } = {}): Measured {
  const { met, peers = {}, n } = more
  return { [name]: { ...ROWS[name], value, met, peers, ...(n !== undefined && { n }) } }
}

/** All rows in order; what is missing says why. */
export const allRows = (found: Measured, whyNot: ReadonlyMap<RowName, string>): readonly Row[] =>
  (Object.keys(ROWS) as RowName[]).map((name) => found[name] ?? notMeasured(ROWS[name], whyNot.get(name) ?? 'its step did not run'))
