import { expect, it } from 'vitest'
import type { PlacementAnswer } from '../../jobs/placement-contract.ts'
import { planOffer, planWords, runsAs, scriptsOf } from './run-plan.ts'

const answer = (over: Partial<PlacementAnswer['classification']> = {}, workMs?: number): PlacementAnswer => ({
  classification: { label: 'batch', endpoints: [], effects: 'this-machine', confidence: 0.9, reason: '', programs: [], ...over },
  device: 'laptop',
  reason: '',
  folderBytes: 0,
  ...(workMs !== undefined && { workMs }),
  table: [
    {
      device: 'laptop',
      name: 'laptop',
      outcome: 'chosen',
      why: 'where it was typed',
      cost: { transferMs: 0, startMs: 0, workMs: 0, penaltyMs: 0, totalMs: 4_400 },
    },
    { device: 'server', name: 'server', outcome: 'no', why: 'may change that machine: only where you say' },
  ],
})
const laptop = { deviceId: 'laptop', state: 'self' } as const
const server = { deviceId: 'server', state: 'linked' } as const

it('[AP95] a person may choose a place that placement would not, and sees what it says', () => {
  expect(planOffer(answer(), laptop)).toEqual({ takes: true, best: true, reason: 'where it was typed', time: undefined })
  expect(planOffer(answer(), server)).toEqual({
    takes: true,
    best: false,
    reason: 'may change that machine: only where you say',
    time: undefined,
  })
  expect(planOffer(answer({}, 9_000), laptop).time).toBe('4 s')
  expect(planOffer(answer(), { ...server, state: 'away' })).toMatchObject({ takes: false, reason: 'cannot be reached now' })
})

it('[AP95] what needs the display or the sound goes nowhere', () => {
  const gui = answer({ label: 'interactive', endpoints: [{ kind: 'display', place: 'seat' }] })
  expect(planOffer(gui, server)).toMatchObject({ takes: false, reason: 'needs your display' })
  expect(planOffer(gui, laptop).takes).toBe(true)
  expect(planWords(gui)).toBe('Needs you · may change this machine')
})

it('[AP95] scripts are read from a manifest; half of one is none', () => {
  expect(scriptsOf('{"scripts":{"dev":"vite","x":1}}')).toEqual({ dev: 'vite' })
  expect(scriptsOf('{"scripts":')).toBeUndefined()
  expect(scriptsOf('null')).toBeUndefined()
})

it('[AP95] what talks with the person opens a terminal, all else is a job', () => {
  expect((['batch', 'service', 'ambiguous', 'interactive'] as const).map((label) => runsAs({ label }))).toEqual([
    'job',
    'job',
    'job',
    'terminal',
  ])
})
