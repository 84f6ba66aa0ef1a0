import type { Effects, Endpoint, JobLabel } from '../job-contract.ts'
import type { Spec } from './knowledge.ts'

/** What one command, or a part of a line, is taken for. */
export interface Verdict {
  readonly label: JobLabel
  readonly effects: Effects
  readonly endpoints: readonly Endpoint[]
  /** 0 to 1. */
  readonly confidence: number
  readonly reason: string
  readonly programs: readonly string[]
}

/** How sure each source of knowledge is; measured on the half of the corpus that rules were written on. */
export const CONFIDENCE = { flag: 0.95, program: 0.9, verb: 0.93, hint: 0.7, weakHint: 0.55, guess: 0.45, nothing: 0.2 } as const

const EFFECT_ORDER: readonly Effects[] = ['files-only', 'this-machine', 'world-once']
export const worstEffects = (...all: readonly Effects[]): Effects =>
  all.reduce((worst, one) => (EFFECT_ORDER.indexOf(one) > EFFECT_ORDER.indexOf(worst) ? one : worst), 'files-only' as Effects)

/** A line is as much as the most demanding of what it runs. */
const LABEL_ORDER: readonly JobLabel[] = ['batch', 'ambiguous', 'service', 'interactive']

export function specEndpoints(spec: Spec): Endpoint[] {
  const all: Endpoint[] = []
  if (spec.tty || (spec.label === 'interactive' && !spec.display && !spec.audio)) all.push({ kind: 'tty', place: 'seat' })
  if (spec.display) all.push({ kind: 'display', place: 'seat' })
  if (spec.audio) all.push({ kind: 'audio', place: 'seat' })
  if (spec.label === 'service' && spec.port !== undefined) all.push({ kind: 'port', place: 'seat', number: spec.port })
  return all
}

const NEEDS = { tty: 'your terminal', display: 'your display', audio: 'your speakers or microphone' } as const

/** `vite` serves or watches until it is stopped: what every sentence ends with. */
export function labelWords(label: JobLabel, endpoints: readonly Endpoint[]): string {
  switch (label) {
    case 'batch':
      return 'ends by itself'
    case 'service':
      return 'listens or watches until it is stopped'
    case 'ambiguous':
      return 'may end or go on, and only running it tells'
    case 'interactive': {
      const needs = (['tty', 'display', 'audio'] as const).filter((kind) => endpoints.some((one) => one.kind === kind))
      return `needs ${needs.map((kind) => NEEDS[kind]).join(' and ') || 'you'}`
    }
  }
}

export function verdictOf(
  spec: Spec,
  subject: string,
  program: string,
  confidence: number,
  programs: readonly string[] = [program],
): Verdict {
  const endpoints = specEndpoints(spec)
  return {
    label: spec.label,
    effects: spec.effects,
    endpoints,
    confidence,
    reason: `${subject} ${labelWords(spec.label, endpoints)}`,
    programs,
  }
}

export function uniqueEndpoints(all: readonly Endpoint[]): readonly Endpoint[] {
  const seen = new Set<string>()
  return all.filter((one) => {
    const key = JSON.stringify(one)
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

const MAX_PROGRAMS = 16

/** Several that run in one line: the most demanding decides, the least sure limits. `undefined` of none. */
export function combine(all: readonly Verdict[]): Verdict | undefined {
  let chosen = all[0]
  if (!chosen || all.length === 1) return chosen
  for (const one of all) {
    const higher = LABEL_ORDER.indexOf(one.label) - LABEL_ORDER.indexOf(chosen.label)
    if (higher > 0 || (higher === 0 && one.confidence > chosen.confidence)) chosen = one
  }
  const { label } = chosen
  // A sure service among guesses is still one; that all of several end is as sure as the least sure of them.
  const confidence = label === 'batch' ? Math.min(...all.map((one) => one.confidence)) : chosen.confidence
  return {
    label,
    effects: worstEffects(...all.map((one) => one.effects)),
    endpoints: uniqueEndpoints(all.flatMap((one) => one.endpoints)).slice(0, 32),
    confidence,
    reason: label === 'batch' ? `all ${all.length} parts of it end by themselves` : chosen.reason,
    programs: [...new Set(all.flatMap((one) => one.programs))].slice(0, MAX_PROGRAMS),
  }
}
