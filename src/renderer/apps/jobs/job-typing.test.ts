import { expect, it } from 'vitest'
import { terminalOffer, wantsTerminal, wantsTyping, whyNotTyped } from './job-typing.ts'

const taken = { state: 'running', label: 'batch', commandLine: 'tool', takesInput: true } as const
const corrected = { was: 'batch', why: 'it draws on the whole screen' } as const

it.each<{ name: string; info: Parameters<typeof wantsTerminal>[0]; offers: 'typing' | 'terminal' | undefined; why?: RegExp }>([
  { name: 'waits for its input', info: { ...taken, waits: 'input' }, offers: 'typing' },
  { name: 'runs on', info: taken, offers: undefined },
  { name: 'reads a terminal', info: { ...taken, waits: 'terminal' }, offers: 'terminal', why: /terminal/ },
  { name: 'draws on the whole screen', info: { ...taken, label: 'interactive', corrected }, offers: 'terminal' },
  { name: 'has no input', info: { ...taken, takesInput: undefined, waits: 'terminal' }, offers: 'terminal', why: /without an input/ },
  { name: 'is over', info: { ...taken, state: 'done', waits: 'input' }, offers: undefined, why: /not run/ },
  {
    name: 'has a line that was cut',
    info: { ...taken, waits: 'terminal', commandLine: 'x'.repeat(2_048) },
    offers: undefined,
    why: /terminal/,
  },
])('[JB105] one that $name offers $offers', ({ info, offers, why }) => {
  expect(wantsTyping(info) ? 'typing' : wantsTerminal(info) ? 'terminal' : undefined).toBe(offers)
  if (why) expect(whyNotTyped(info)).toMatch(why)
  else expect(whyNotTyped(info)).toBeUndefined()
})

it.each([
  { name: 'nothing takes keys', sinceKeyMs: undefined, isCompact: false, offer: 'front' },
  { name: 'the last key was long ago', sinceKeyMs: 5_000, isCompact: true, offer: 'front' },
  { name: 'somebody types', sinceKeyMs: 4_999, isCompact: false, offer: 'behind' },
  { name: 'somebody types on a small screen', sinceKeyMs: 0, isCompact: true, offer: 'message' },
] as const)('[JB105] where $name the terminal comes up $offer', ({ sinceKeyMs, isCompact, offer }) => {
  expect(terminalOffer({ sinceKeyMs, isCompact })).toBe(offer)
})
