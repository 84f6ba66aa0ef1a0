import { expect, it } from 'vitest'
import type { DeviceRow } from '../../../sync/links-contract.ts'
import { removalWords } from './removal-words.ts'

const ways: DeviceRow['removal'] = { outcome: 'removed', byRoot: false, alone: [] }

interface Case {
  readonly name: string
  readonly removal: DeviceRow['removal']
  readonly says: RegExp
  readonly press?: string
  readonly asks: boolean
}

it.each<Case>([
  { name: 'alone', removal: ways, says: /has read, it has/, press: 'Remove', asks: false },
  {
    name: 'as the second',
    removal: { ...ways, together: { asked: ['desk'], open: [], missing: 1 } },
    says: /^desk asked/,
    press: 'Remove',
    asks: false,
  },
  {
    name: 'by the person key',
    removal: { ...ways, outcome: 'refused', byRoot: true },
    says: /^Your person key signs/,
    press: 'Remove',
    asks: false,
  },
  {
    name: 'only asking',
    removal: { ...ways, outcome: 'asked', together: { asked: [], open: ['desk', 'server', 'nas'], missing: 2 } },
    says: /your person key or two admins.*desk, server or nas can/s,
    press: 'Ask to remove it',
    asks: true,
  },
  {
    name: 'not here',
    removal: { ...ways, outcome: 'refused', alone: ['desk'] },
    says: /where your person key is, or on desk\.$/,
    asks: false,
  },
])('[ID60] $name', ({ removal, says, press, asks }) => {
  const words = removalWords({ name: 'phone', removal })
  expect(words.body).toMatch(says)
  expect([words.press, words.isOnlyAsking]).toEqual([press, asks])
})
