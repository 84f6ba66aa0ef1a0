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
