import type { AccessRow, GrantRow } from '../../../identity/grants-contract.ts'

const DAY_MS = 24 * 3_600_000

/** "until today at 18:00", "until Friday at 18:00", "until 4 December 2027", "until you revoke it", "over since ...". */
export function untilText({ untilMs, isOver }: Pick<GrantRow, 'untilMs' | 'isOver'>, nowMs: number, locale?: string): string {
  if (untilMs === undefined) return 'until you revoke it'
  const at = new Date(untilMs)
  const time = at.toLocaleTimeString(locale, { hour: 'numeric', minute: '2-digit' })
  const date = at.toLocaleDateString(locale, { day: 'numeric', month: 'long', year: 'numeric' })
  if (isOver || untilMs <= nowMs) return `over since ${date} at ${time}`
  if (at.toDateString() === new Date(nowMs).toDateString()) return `until today at ${time}`
  if (untilMs - nowMs < 6 * DAY_MS) return `until ${at.toLocaleDateString(locale, { weekday: 'long' })} at ${time}`
  return `until ${date}`
}

/** How long a grant is offered for. */
export const TERMS = [
  { value: 'hour', label: '1 hour', ms: 3_600_000 },
  { value: 'day', label: '1 day', ms: DAY_MS },
  { value: 'week', label: '7 days', ms: 7 * DAY_MS },
  { value: 'open', label: 'Until revoked', ms: undefined },
] as const
export type Term = (typeof TERMS)[number]['value']

/** How long a shell is offered for to another person: it always ends. */
export const SHELL_TERMS = [
  { value: 'quarter', label: '15 minutes', ms: 900_000 },
  { value: 'hour', label: '1 hour', ms: 3_600_000 },
  { value: 'day', label: '1 day', ms: DAY_MS },
  { value: 'week', label: '7 days', ms: 7 * DAY_MS },
] as const
export type ShellTerm = (typeof SHELL_TERMS)[number]['value']

/** The columns of the map: what a person thinks of, and the ability behind it. */
export const COLUMNS = [
  { ability: 'workspace:write', head: 'Desk', words: 'follow and change the desk' },
  { ability: 'files:read', head: 'Read', words: 'read files here' },
  { ability: 'files:write', head: 'Change', words: 'change files here' },
  { ability: 'shell', head: 'Shell', words: 'run programs in a shell here' },
  { ability: 'tasks:end', head: 'End', words: 'end programs here' },
  { ability: 'devices:change', head: 'Devices', words: 'add and remove devices' },
] as const

const ANSWERS = { role: 'may', grant: 'may by a grant', no: 'may not' } as const

/** What a cell says to who cannot see it. */
export const cellText = ({ name, may }: AccessRow, column: (typeof COLUMNS)[number]): string =>
  `${name} ${ANSWERS[may[column.ability] ?? 'no']} ${column.words}`
