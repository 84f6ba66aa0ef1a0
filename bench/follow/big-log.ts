import { setTimeout as delay } from 'node:timers/promises'
import { E2eDesk } from '../../e2e/harness/e2e-desk.ts'
import type { E2eDevice } from '../../e2e/harness/e2e-device.ts'
import type { WindowId } from '../../src/session/session-ids.ts'
import { openWindows } from './full-desk.ts'

const AREA = { width: 1300, height: 860 }
const WINDOWS = 50
/** Moves between two looks at the log. A device seals one envelope per 16 ms, whatever comes meanwhile. */
const MOVES = { perEnvelope: 40, rounds: 50, pauseMs: 17 }

export interface LogSize {
  readonly envelopes: number
  readonly bytes: number
}

/** A desk of 50 windows, and such a lot of moving them about that the device's log has grown to `bytes`. */
export async function growLog(device: E2eDevice, deviceId: string, bytes: number): Promise<LogSize> {
  const desk = await E2eDesk.open(device, AREA)
  try {
    openWindows(desk, deviceId, { windows: WINDOWS, tabs: 1, perActivity: WINDOWS })
    for (;;) {
      const size = await logSize(desk)
      if (size.bytes >= bytes) return size
      for (let round = 0; round < MOVES.rounds; round++) {
        for (let move = 0; move < MOVES.perEnvelope; move++) desk.do(moveOf(move))
        await delay(MOVES.pauseMs)
      }
    }
  } finally {
    desk.dispose()
  }
}

const moveOf = (move: number) => ({
  type: 'window/move' as const,
  windowId: `w${move % WINDOWS}` as WindowId,
  x: Math.floor(Math.random() * 900),
  y: Math.floor(Math.random() * 600),
})

async function logSize(desk: E2eDesk): Promise<LogSize> {
  const { text } = await desk.client.debugSnapshot({})
  const found = /^document\s+workspace · (\d+) envelopes, (\d+) B/m.exec(text)
  if (!found) throw new Error(`the debug text does not tell the size of the log:\n${text}`)
  return { envelopes: Number(found[1]), bytes: Number(found[2]) }
}
