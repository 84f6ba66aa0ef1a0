import { afterEach, expect, it } from 'vitest'
import { DeviceWorld } from '../../testkit/device-world.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { PAGE_GRACE_MS } from './auto-lock.ts'

const MINUTE_MS = 60_000
const clock = new ManualClock()
let world: DeviceWorld
afterEach(() => world.dispose())

async function unlocked() {
  world = new DeviceWorld(clock)
  const laptop = await world.install('laptop')
  const display = await laptop.setUp()
  const phase = async () => (await display.hello({ displayName: 'display' })).phase
  return { laptop, display, phase }
}

it('[DV37] a display whose page says nothing any more is locked by its device', async () => {
  const { display, phase, laptop } = await unlocked()
  clock.advance(15 * MINUTE_MS)
  expect(await phase()).toBe('unlocked') // the page's own turn
  clock.advance(PAGE_GRACE_MS)
  expect(await phase()).toBe('display-locked')
  await expect(display.readSettings({})).rejects.toMatchObject({ code: 'rpc/refused' })
  expect((await laptop.control().status({})).phase).toBe('open') // the device is not locked by it
})

it('[DV37] input counts, and so does a setting that was changed meanwhile', async () => {
  const { display, phase } = await unlocked()
  for (let minute = 0; minute < 40; minute += 10) {
    clock.advance(10 * MINUTE_MS)
    await display.reportInput({})
  }
  expect(await phase()).toBe('unlocked')
  await display.writeSettings({ autoLockMinutes: 0 })
  clock.advance(24 * 60 * MINUTE_MS)
  expect(await phase()).toBe('unlocked')
  await display.writeSettings({ autoLockMinutes: 5 })
  clock.advance(1)
  expect(await phase()).toBe('display-locked')
})
