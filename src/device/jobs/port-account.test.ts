import { expect, it } from 'vitest'
import type { LedgerEvent } from '../../identity/ledger/ledger-event.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { PORT_IDLE_MS, PortAccount } from './port-account.ts'

const ATTEMPT = '2'.repeat(16)

it('[JB54] a port that is reached again and again is one entry, closed after the last connection, or with the link', () => {
  const clock = new ManualClock()
  const told: LedgerEvent[] = []
  const account = new PortAccount({ record: (event) => void told.push(event) }, clock)
  const kinds = () => told.map(({ kind }) => kind)
  const first = account.connect('peer', ATTEMPT, 80)
  const second = account.connect('peer', ATTEMPT, 80)
  first.dispose()
  second.dispose()
  clock.advance(PORT_IDLE_MS / 2)
  account.connect('peer', ATTEMPT, 80).dispose()
  expect(kinds()).toEqual(['port-shared'])
  clock.advance(PORT_IDLE_MS)
  expect(told).toEqual([
    { kind: 'port-shared', peer: 'peer', port: 80, attempt: ATTEMPT },
    { kind: 'port-closed', peer: 'peer', port: 80, attempt: ATTEMPT, forMs: PORT_IDLE_MS * 1.5 },
  ])
  account.connect('peer', ATTEMPT, 81)
  account.dispose()
  expect(kinds()).toEqual(['port-shared', 'port-closed', 'port-shared', 'port-closed'])
})
