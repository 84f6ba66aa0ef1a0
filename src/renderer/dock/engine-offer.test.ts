import { expect, it } from 'vitest'
import type { PlacementAnswer } from '../../jobs/placement-contract.ts'
import { deviceNameOf } from '../desk/devices-store.ts'
import { busyOf, placeOfEngine } from '../desk/engines-store.ts'
import { planOffer } from './run-plan.ts'

const answer = (outcome: 'chosen' | 'possible' | 'no', why: string): PlacementAnswer => ({
  classification: { label: 'batch', endpoints: [], effects: 'files-only', confidence: 1, reason: '', programs: [] },
  reason: '',
  table: [{ device: 'engine:gpu', name: 'gpu', outcome, why }],
  folderBytes: 0,
})
const settings = {
  name: 'gpu',
  kind: 'slurm',
  url: 'http://head',
  user: 'ada',
  shared: '/home/ada',
  engine: 'engine:gpu',
  why: '',
} as const

it('[AP141] an engine takes what it can, and what is only sent where one says so; else it says why not', () => {
  const ready = placeOfEngine({ ...settings, state: 'ready' })
  expect(planOffer(answer('possible', 'idle, 4 cores'), ready)).toMatchObject({ takes: true, reason: 'idle, 4 cores' })
  expect(planOffer(answer('no', 'sees only /home/ada'), ready)).toMatchObject({ takes: false, reason: 'sees only /home/ada' })
  expect(planOffer(answer('no', 'may change that machine: only where you say'), ready)).toMatchObject({ takes: true })
  expect(planOffer(answer('possible', ''), placeOfEngine({ ...settings, state: 'away' }))).toMatchObject({ takes: false })
  expect(planOffer(answer('possible', ''), placeOfEngine({ ...settings, state: 'unasked' }))).toMatchObject({ takes: true })
  expect(deviceNameOf({ rows: [], contactDevices: {} }, 'engine:gpu')).toBe('gpu')
})

it('[AP141] how busy it is, where that is known', () => {
  expect(busyOf({ cores: 4, idleCores: 1 })).toBe(0.75)
  expect([busyOf({}), busyOf({ cores: 0, idleCores: 0 })]).toEqual([undefined, undefined])
})
