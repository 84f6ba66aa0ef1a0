import type { JobInfo } from '../../../jobs/jobs-contract.ts'
import { fit, widthOf } from './fit-text.ts'
import type { TopDevice } from './top-look.ts'
import { topJobs, type TopState } from './top-state.ts'

const [BOLD, DIM, REVERSE, PLAIN] = ['\u001b[1m', '\u001b[2m', '\u001b[7m', '\u001b[m']
/** Below this the columns of a job do not fit side by side. */
const WIDE = 70

/** The whole screen: at most `rows` lines, none wider than `columns`. Whatever a device or a command is called, it moves no cursor. */
export function drawTop(state: TopState, { columns, rows }: { readonly columns: number; readonly rows: number }): readonly string[] {
  const width = Math.max(1, columns)
  const { look } = state
  if (!look) return [fit('looking at your devices …', width)].slice(0, rows)
  const jobs = topJobs(state)
  const running = look.jobs.filter((job) => job.endedAtMs === undefined && job.state !== 'waiting').length
  const waiting = look.jobs.filter(({ state: one }) => one === 'waiting').length
  const linked = look.devices.filter((device) => device.state === 'self' || device.state === 'linked').length
  const title = `${linked} of ${look.devices.length} devices, ${running} ${running === 1 ? 'job runs' : 'jobs run'}${waiting > 0 ? `, ${waiting} ${waiting === 1 ? 'waits' : 'wait'}` : ''}`
  const foot = footOf(state, width)
  const room = Math.max(0, rows - 1)
  const head = [`${BOLD}${fit(title, width)}${PLAIN}`, ...look.devices.map((device) => deviceLine(device, width))]
  // However many devices there are, a job can be seen.
  const shownHead = head.slice(0, Math.max(1, room - 3))
  const list = jobLines(state, jobs, width, Math.max(0, room - shownHead.length - 2))
  const body = [
    ...shownHead,
    '',
    `${DIM}${fit(jobColumns('STATE', 'DEVICE', 'TIME', `COMMAND (${state.sort})`, width), width)}${PLAIN}`,
    ...list,
  ]
  return [...body.slice(0, room), ...Array.from({ length: Math.max(0, room - body.length) }, () => ''), foot].slice(-Math.max(1, rows))
}

function deviceLine({ name, state, load, why }: TopDevice, width: number): string {
  const nameWidth = Math.min(20, Math.max(6, Math.floor(width / 3)), Math.max(0, width - 1))
  const start = fit(`${padded(name, nameWidth)} `, width)
  if (!load) {
    const text = state === 'self' || state === 'linked' ? `does not say (${why ?? 'no answer'})` : state
    return `${start}${DIM}${fit(text, Math.max(0, width - nameWidth - 1))}${PLAIN}`
  }
  const gib = (bytes: number) => (bytes / 2 ** 30).toFixed(bytes < 10 * 2 ** 30 ? 1 : 0)
  const percent = `${Math.round(load.cpu * 100)} %`.padStart(5)
  const memory = `${gib(load.memoryBytes)}/${gib(load.memoryTotalBytes)} GiB`
  const cores = `${load.cores} ${load.cores === 1 ? 'core' : 'cores'}`
  const barWidth = Math.max(
    0,
    Math.min(24, width - nameWidth - 2 - percent.length - memory.length - 2 - (width >= WIDE ? cores.length + 2 : 0)),
  )
  const full = Math.round(Math.min(1, Math.max(0, load.cpu)) * barWidth)
  const bar = `${'█'.repeat(full)}${'░'.repeat(barWidth - full)}`
  return fit(`${start}${bar}${percent}  ${width >= WIDE ? `${cores}  ` : ''}${memory}`, width)
}

function jobLines(state: TopState, jobs: readonly JobInfo[], width: number, room: number): readonly string[] {
  if (jobs.length === 0) return room > 0 ? [`${DIM}${fit('nothing runs or waits', width)}${PLAIN}`] : []
  const at = Math.max(
    0,
    jobs.findIndex(({ job }) => job === state.selected),
  )
  // The selected one is in sight, and the list begins as early as it can.
  const from = Math.max(0, Math.min(at - Math.floor(room / 2), jobs.length - room))
  return jobs.slice(from, from + room).map((job) => {
    const device = state.look?.devices.find(({ deviceId }) => deviceId === job.device)?.name ?? '-'
    const endMs = job.endedAtMs ?? state.look?.atMs ?? job.askedAtMs
    const progress = job.progress && job.endedAtMs === undefined ? ` ${Math.round(job.progress.fraction * 100)} %` : ''
    const line = jobColumns(job.state + progress, device, timeText(endMs - job.askedAtMs), job.commandLine, width)
    return job.job === state.selected ? `${REVERSE}${padded(line, width)}${PLAIN}` : fit(line, width)
  })
}

/** State, time and command where it is narrow; its device too where there is room. */
function jobColumns(state: string, device: string, time: string, command: string, width: number): string {
  const parts = [padded(state, 13), ...(width >= WIDE ? [padded(device, 16)] : []), padded(time, 6), command.split('\n')[0] ?? '']
  return parts.join(' ')
}

function footOf({ asking, message, look, withOver }: TopState, width: number): string {
  if (asking !== undefined) {
    const job = look?.jobs.find((one) => one.job === asking)
    return `${REVERSE}${padded(`cancel it? y / n   ${job?.commandLine.split('\n')[0] ?? ''}`, width)}${PLAIN}`
  }
  if (message !== undefined) return fit(message, width)
  const keys =
    width >= WIDE
      ? `↑↓ select   x cancel   s sort   a ${withOver ? 'hide' : 'show'} what is over   r look again   q quit`
      : '↑↓  x cancel  s sort  a all  q quit'
  return `${DIM}${fit(keys, width)}${PLAIN}`
}

function padded(text: string, width: number): string {
  const fitted = fit(text, width)
  return fitted + ' '.repeat(Math.max(0, width - widthOf(fitted)))
}

/** `12s`, `3m05`, `2h10`, `4d`. */
export function timeText(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1_000))
  if (s < 60) return `${s}s`
  if (s < 3_600) return `${Math.floor(s / 60)}m${String(s % 60).padStart(2, '0')}`
  if (s < 86_400) return `${Math.floor(s / 3_600)}h${String(Math.floor(s / 60) % 60).padStart(2, '0')}`
  return `${Math.floor(s / 86_400)}d`
}
