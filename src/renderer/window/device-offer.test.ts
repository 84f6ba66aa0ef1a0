import { expect, it } from 'vitest'
import type { TabId } from '../../session/session-ids.ts'
import type { Carried } from '../desk/shell-store.ts'
import { deviceOffer } from './device-offer.ts'

const carried = (app: string, device: string | null): Carried => ({ kind: 'tab', tabId: 't' as TabId, app, device, title: '' })
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
