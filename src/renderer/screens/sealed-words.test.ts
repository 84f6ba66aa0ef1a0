import { expect, it } from 'vitest'
import type { DoorState } from '../../device/desk/desk-contract.ts'
import { sealedWords } from './sealed-words.ts'

const door: DoorState = { phase: 'sealed', deviceName: 'kitchen', version: '0', notices: [], unattended: false, walletSignIn: false }
const stopped = ['The link to one device is closed.', 'Programs in terminals go on.']

it('[AP75] says of a locked device why it is locked and what that stopped', () => {
  expect(sealedWords({ ...door, sealedBecause: 'started', stopped: [] })).toEqual([
    'kitchen has restarted: its links and terminals elsewhere wait until you unlock it.',
  ])
  expect(sealedWords({ ...door, sealedBecause: 'asked', stopped })).toEqual(['You locked kitchen.', ...stopped])
  expect(sealedWords({ ...door, sealedBecause: 'slept', stopped })[0]).toBe('kitchen locked when its machine slept.')
  expect(sealedWords({ ...door, sealedBecause: 'removed', stopped })).toEqual([
    expect.stringContaining('no longer one of your devices'),
    ...stopped,
  ])
})

it('[AP75] says nothing of a device that is open', () => {
  expect(sealedWords({ ...door, phase: 'display-locked', sealedBecause: 'asked', stopped })).toEqual([])
})
