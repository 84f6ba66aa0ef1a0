/** How sizes, times and rates are told to a person. Pure: the moment now is passed in. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** `0 B`, `1.4 kB`, `12 MB`: powers of 1000, two digits that count. */
export function bytesText(bytes: number): string {
  let value = Math.max(0, bytes)
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 || value >= 9.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

/** Memory as system tools tell it: powers of 1024. `412 MiB`, `1.9 GiB`. */
export function memoryText(bytes: number): string {
  const mib = bytes / 1024 ** 2
  return mib < 1000 ? `${Math.round(mib)} MiB` : `${(mib / 1024).toFixed(1)} GiB`
}

/** `just now`, `4 min ago`, `3 h ago`, `2 days ago`, then the date. A clock that lies never yields "in the past of the future". */
export function agoText(atMs: number, nowMs: number): string {
  const seconds = Math.max(0, (nowMs - atMs) / 1000)
  if (seconds < 45) return 'just now'
  if (seconds < 45 * 60) return `${Math.max(1, Math.round(seconds / 60))} min ago`
  if (seconds < 22 * 3600) return `${Math.max(1, Math.round(seconds / 3600))} h ago`
  const days = Math.round(seconds / 86_400)
  if (days < 14) return days <= 1 ? 'yesterday' : `${days} days ago`
  return dateText(atMs)
}

/** `2026-03-01`: sorts and reads the same everywhere. */
export function dateText(atMs: number): string {
  const date = new Date(atMs)
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** `Today, 14:05`, `Yesterday, 09:12`, then `2026-03-01, 14:05`: for lists. Hours as the person's system writes them, as the clock does. */
export function momentText(atMs: number, nowMs: number): string {
  const today = new Date(nowMs)
  const startOfToday = new Date(today.getFullYear(), today.getMonth(), today.getDate()).getTime()
  const startOfYesterday = new Date(today.getFullYear(), today.getMonth(), today.getDate() - 1).getTime()
  const day =
    atMs >= startOfToday && atMs <= nowMs + 60_000
      ? 'Today'
      : atMs >= startOfYesterday && atMs < startOfToday
        ? 'Yesterday'
        : dateText(atMs)
  return `${day}, ${HOURS.format(atMs)}`
}

const HOURS = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })

const two = (value: number): string => String(value).padStart(2, '0')

/** What is left until a moment, as `m:ss`; `0:00` when it has passed. */
export function countdownText(untilMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.ceil((untilMs - nowMs) / 1000))
  return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`
}

/** `0.4 ms`, `12 ms`, `1.3 s`. */
export function roundTripText(ms: number): string {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`
  return ms < 999.5 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** A fraction as a percentage with one digit, for tables with tabular numbers. */
export const percentText = (fraction: number): string => `${(fraction * 100).toFixed(1)} %`

/** `3 files`, `1 file`. */
export const countText = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`
