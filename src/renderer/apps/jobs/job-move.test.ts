import { expect, it } from 'vitest'
import { moveOffer } from './job-move.ts'

const running = { state: 'running', device: 'laptop', effects: 'files-only' } as const
const server = { deviceId: 'server', state: 'linked' } as const

it.each([
  { name: 'one that changes files only', info: running, row: server, takes: true },
  { name: 'one that runs there', info: { ...running, device: 'server' }, row: server, takes: false },
  { name: 'one that is over', info: { ...running, state: 'done' as const }, row: server, takes: false },
  { name: 'one that changes its machine', info: { ...running, effects: 'this-machine' as const }, row: server, takes: false },
  { name: 'one that changes the world', info: { ...running, effects: 'world-once' as const }, row: server, takes: false },
  { name: 'any, where the device is away', info: running, row: { ...server, state: 'away' as const }, takes: false },
])('[AP128] $name: $takes, and why', ({ info, row, takes }) => {
  const offer = moveOffer(info, row)
  expect(offer.takes).toBe(takes)
  expect(offer.reason.length).toBeGreaterThan(3)
})
