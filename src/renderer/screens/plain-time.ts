const MINUTE_MS = 60_000

/** "just now", "4 min ago", "2 h ago", "yesterday at 14:02", "3 May at 09:15": when something was, for reading aloud. */
export function agoText(atMs: number, nowMs: number): string {
  const minutes = Math.floor((nowMs - atMs) / MINUTE_MS)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min ago`
  if (minutes < 6 * 60) return `${Math.floor(minutes / 60)} h ago`
  const at = new Date(atMs)
  const today = new Date(nowMs)
  const startOfToday = new Date(today.getFullYear(), today.getMonth(), today.getDate()).getTime()
  if (atMs >= startOfToday) return `today at ${clockText(at)}`
  if (atMs >= startOfToday - 24 * 60 * MINUTE_MS) return `yesterday at ${clockText(at)}`
  return `${at.toLocaleDateString(undefined, { day: 'numeric', month: 'long' })} at ${clockText(at)}`
}

// Made once: a browser takes some 20 ms to find out how a language writes times, and the lock screen is drawn with every key.
const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' })
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' })

/** Hours and minutes as the person's system writes them. */
export const clockText = (at: Date): string => clock.format(at)

/** "Sunday, 22 November" in the person's language. */
export const dayText = (at: Date): string => day.format(at)
