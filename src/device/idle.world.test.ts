import { afterEach, expect, it } from 'vitest'
import { type Clock, systemClock } from '../base/clock.ts'
import { DeviceWorld } from '../testkit/device-world.ts'
import { linked, pair } from '../testkit/paired-devices.ts'

const worlds: DeviceWorld[] = []
afterEach(() => {
  for (const world of worlds.splice(0)) world.dispose()
})

/** Below it a timer is one that an idle device must not have: each wakes a processor that sleeps. */
const QUICK_MS = 1_000

/** The real clock, which also says which quick timers there are, and which of them rang. */
function watchedClock() {
  const quick = new Map<object, number>()
  const rang: number[] = []
  const watch = (start: Clock['after'], delayMs: number, callback: () => void, isOnce: boolean) => {
    const key = {}
    if (delayMs < QUICK_MS) quick.set(key, delayMs)
    const timer = start(delayMs, () => {
      if (isOnce) quick.delete(key)
      if (delayMs > 0 && delayMs < QUICK_MS) rang.push(delayMs)
      callback()
    })
    return { dispose: () => (quick.delete(key), timer.dispose()) }
  }
  const clock: Clock = {
    nowMs: () => systemClock.nowMs(),
    monotonicMs: () => systemClock.monotonicMs(),
    after: (delayMs, callback) => watch((ms, work) => systemClock.after(ms, work), delayMs, callback, true),
    every: (periodMs, callback) => watch((ms, work) => systemClock.every(ms, work), periodMs, callback, false),
  }
  return { clock, quick, rang }
}

it('[DV100] two linked devices with nothing to do have no timer under a second, and none rings', async () => {
  const { clock, quick, rang } = watchedClock()
  const world = new DeviceWorld(clock)
  worlds.push(world)
  const [laptop, server] = [await world.install('laptop'), await world.install('server')]
  await laptop.setUp()
  await server.setUp()
  await pair(laptop, server)
  await linked(laptop, server)
  expect(rang.length).toBeGreaterThan(0) // the probe sees those there were
  const restMs = 2_500
  for (let tries = 0; ; tries++) {
    rang.length = 0
    await new Promise((resolve) => setTimeout(resolve, restMs))
    if ((rang.length === 0 && quick.size === 0) || tries === 8) break // they still had something to say to each other
  }
  expect({ rang, waiting: [...quick.values()] }).toEqual({ rang: [], waiting: [] })
})
