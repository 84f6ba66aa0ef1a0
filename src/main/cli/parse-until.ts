const UNIT_MS = { m: 60_000, h: 3_600_000, d: 24 * 3_600_000 } as const

/** `30m`, `12h`, `7d` from now, or a date as ISO 8601 has it, in local time; ms since 1970. @throws TypeError */
export function parseUntil(text: string, nowMs: number): number {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  const atMs = count && unit ? nowMs + Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS] : Date.parse(text)
  if (Number.isNaN(atMs)) throw new TypeError(`--until ${text}: give 30m, 12h, 7d or a date such as 2027-03-01T18:00`)
  if (atMs <= nowMs) throw new TypeError(`--until ${text} has passed`)
  return Math.floor(atMs)
}

/** `30m`, `12h`, `7d` ago, or a date as ISO 8601 has it, in local time; ms since 1970. @throws TypeError */
export function parseSince(text: string, nowMs: number): number {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  const atMs = count && unit ? nowMs - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS] : Date.parse(text)
  if (Number.isNaN(atMs) || atMs > nowMs) throw new TypeError(`${text}: give 30m, 12h, 7d or a date in the past such as 2026-11-28T18:00`)
  return Math.max(0, Math.floor(atMs))
}

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']

/**
 * A moment of the past: as `parseSince` has it, or a day (`yesterday`, `tuesday`, `2026-11-24`), which is meant as it ended, in local
 * time; ms since 1970. Today is now. @throws TypeError
 */
export function parsePast(text: string, nowMs: number): number {
  const word = text.toLowerCase()
  const now = new Date(nowMs)
  const endOf = (year: number, month: number, day: number) => Math.min(nowMs, new Date(year, month, day + 1).getTime() - 1)
  if (word === 'now' || word === 'today') return nowMs
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(word) ?? []
  if (year && month && day) {
    const start = new Date(Number(year), Number(month) - 1, Number(day))
    if (start.getTime() > nowMs || start.getDate() !== Number(day)) throw new TypeError(`${text} is not a day of the past`)
    return endOf(start.getFullYear(), start.getMonth(), start.getDate())
  }
  const weekday = DAYS.indexOf(word)
  const back = word === 'yesterday' ? 1 : weekday < 0 ? undefined : (now.getDay() - weekday + 7) % 7 || 7
  if (back !== undefined) return endOf(now.getFullYear(), now.getMonth(), now.getDate() - back)
  return parseSince(text, nowMs)
}
