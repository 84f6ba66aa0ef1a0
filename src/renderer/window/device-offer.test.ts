import { expect, it } from 'vitest'
import type { TabId } from '../../session/session-ids.ts'
import type { CarriedTab } from '../desk/shell-store.ts'
import { bestReason, bestTaker, deviceOffer } from './device-offer.ts'

const carried = (app: string, device: string | null): CarriedTab => ({ kind: 'tab', tabId: 't' as TabId, app, device, title: '' })
const server = { deviceId: 'S', name: 'server', state: 'linked' } as const

it.each([
  { name: 'a terminal from elsewhere', carried: carried('terminal', 'L'), device: server, takes: true },
  { name: 'a folder from elsewhere', carried: carried('files', 'L'), device: server, takes: true },
  { name: 'what is there already', carried: carried('terminal', 'S'), device: server, takes: false },
  { name: 'a device that is away', carried: carried('terminal', 'L'), device: { ...server, state: 'away' as const }, takes: false },
  { name: 'a text', carried: carried('editor', 'L'), device: server, takes: false },
  { name: 'a page', carried: carried('web', null), device: server, takes: false },
  { name: 'the settings', carried: carried('settings', null), device: server, takes: false },
])('$name: takes $takes and says why', ({ carried, device, takes }) => {
  const offer = deviceOffer(carried, device)
  expect(offer.takes).toBe(takes)
  expect(offer.reason.length).toBeGreaterThan(3)
})

it.each([
  { name: 'the less busy one', a: [0.1, 40], b: [0.9, 1], best: 'A' },
  { name: 'of two about as busy the nearer one', a: [0.3, 40], b: [0.32, 1], best: 'B' },
  { name: 'nobody while a load is not known', a: [0.1, 40], b: [undefined, 1], best: undefined },
] as const)('the best of two that take it: $name', ({ a, b, best }) => {
  const one = { deviceId: 'A', takes: true, cpu: a[0], roundTripMs: a[1] }
  const two = { deviceId: 'B', takes: true, cpu: b[0], roundTripMs: b[1] }
  expect(bestTaker([one, two])).toBe(best)
  expect(bestTaker([{ ...one, takes: false }, two])).toBe('B')
  expect(
    bestTaker([
      { ...one, takes: false },
      { ...two, takes: false },
    ]),
  ).toBeUndefined()
})

it('the best one says why', () => {
  expect([bestReason({ cpu: 0.1, cores: 16 }), bestReason({ cpu: 0.8, cores: 1 })]).toEqual(['idle, 16 cores', '80 % busy, 1 core'])
})
