import { expect, vi } from 'vitest'
import type { WorldDevice } from './device-world.ts'

/** Links come up within seconds, also on a busy machine. */
export const LONG_WAIT = { timeout: 8000, interval: 10 }

/** What takes several links and exchanges of logs, on the busiest machine. */
export const PATIENT = { timeout: 40_000, interval: 20 }

/** Pairs by code: `offers` shows it, `joins` types it; both say yes. */
export async function pair(offers: WorldDevice, joins: WorldDevice): Promise<void> {
  const [a, b] = [offers.control(), joins.control()]
  const { code } = await a.offerPairing({})
  await b.joinPairing({ code: code as string })
  await vi.waitFor(async () => {
    expect((await a.readPairing({})).step).toBe('confirm')
    expect((await b.readPairing({})).step).toBe('confirm')
  }, LONG_WAIT)
  expect((await a.readPairing({})).safetyWords).toEqual((await b.readPairing({})).safetyWords)
  await a.confirmPairing({ accept: true })
  await b.confirmPairing({ accept: true })
  await linked(offers, joins)
}

/** Each of them is linked to all the others, and has met them. */
export async function linked(...devices: WorldDevice[]): Promise<void> {
  await vi.waitFor(async () => {
    for (const device of devices) {
      const names = devices.filter((other) => other !== device).map(({ name }) => name)
      const rows = (await device.control().listDevices({})).filter(({ name }) => names.includes(name))
      expect(rows.map(({ state }) => state)).toEqual(names.map(() => 'linked'))
      expect((await device.control().status({})).links).toBeGreaterThanOrEqual(names.length)
    }
  }, LONG_WAIT)
}

/** Two persons become contacts, over these devices of theirs; both say yes. */
export async function acquaint(offers: WorldDevice, takes: WorldDevice): Promise<void> {
  const [a, b] = [offers.control(), takes.control()]
  const { link } = await a.offerContact({})
  await b.joinContact({ code: link as string })
  const both = async (step: string) => {
    expect((await a.readContactPairing({})).step).toBe(step)
    expect((await b.readContactPairing({})).step).toBe(step)
  }
  await vi.waitFor(() => both('confirm'), PATIENT)
  expect((await a.readContactPairing({})).safetyWords).toEqual((await b.readContactPairing({})).safetyWords)
  await a.confirmContact({ accept: true })
  await b.confirmContact({ accept: true })
  await vi.waitFor(() => both('done'), PATIENT)
}
