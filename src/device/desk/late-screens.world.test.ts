import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { DeviceWorld } from '../../testkit/device-world.ts'

let world: DeviceWorld
beforeEach(() => {
  world = new DeviceWorld()
})
afterEach(() => world.dispose())
const wait = { timeout: 8000, interval: 10 }

it('[JB12] a device linked after a terminal last changed has its screen all the same', async () => {
  const laptop = await world.install('laptop')
  const server = await world.install('server')
  const display = await laptop.setUp()
  const there = await server.setUp()
  const own = (await there.listDevices({})).find(({ self }) => self)?.deviceId as string
  const { terminalId } = await there.openTerminal({ device: own, columns: 80, rows: 24 })
  // nothing is printed: no change of its screen is ever told
  const [a, b] = [laptop.control(), server.control()]
  const { code } = await a.offerPairing({})
  await b.joinPairing({ code: code as string })
  await vi.waitFor(async () => {
    expect((await a.readPairing({})).step).toBe('confirm')
    expect((await b.readPairing({})).step).toBe('confirm')
  }, wait)
  await a.confirmPairing({ accept: true })
  await b.confirmPairing({ accept: true })
  await vi.waitFor(async () => {
    expect(await display.lastScreen({ device: own, terminalId })).not.toBeNull()
  }, wait)
  expect([...laptop.errors, ...server.errors]).toEqual([])
})
