import { expect, it } from 'vitest'
import type { Classification } from '../../jobs/job-contract.ts'
import type { PlacementAnswer } from '../../jobs/placement-contract.ts'
import { contactOffer } from './run-plan.ts'

const answer = (more: Partial<Classification>): PlacementAnswer => ({
  classification: { label: 'batch', endpoints: [], effects: 'files-only', confidence: 1, reason: '', programs: [], ...more },
  reason: '',
  table: [],
  folderBytes: 0,
})

it.each([
  ['ends by itself', { label: 'batch' }, true, /sandbox there, without the network/],
  ['goes on', { label: 'service' }, true, /they see it/],
  ['talks with the person', { label: 'interactive' }, false, /talks with you/],
  ['draws', { endpoints: [{ kind: 'display', at: 'seat' }] }, false, /your display/],
  ['plays', { endpoints: [{ kind: 'audio', at: 'seat' }] }, false, /your sound/],
] as const)('[AP144] a contact’s device and what %s', (_, more, takes, reason) => {
  const offer = contactOffer(answer(more as never))
  expect(offer.takes).toBe(takes)
  expect(offer.reason).toMatch(reason)
})
