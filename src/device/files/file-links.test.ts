import { expect, it } from 'vitest'
import { toDisposable } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { silentLogger } from '../../base/logger.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { FileLinks, type FileLinksOptions } from './file-links.ts'

it('[TR1] while the files process of a device is away it is tried again and again, and nothing is kept of the tries', async () => {
  const clock = new ManualClock()
  const added = new Emitter<object>()
  const peer = { device: 'b' }
  let [tries, released] = [0, 0]
  const links = new FileLinks({
    local: { client: async () => Promise.reject(new Error(`away ${++tries}`)) },
    peers: { all: [peer], onDidAdd: added.event },
    direct: {},
    self: () => 'a',
    clock: { ...clock, after: (ms: number, call: () => void) => (clock.after(ms, call), toDisposable(() => released++)) },
    log: silentLogger,
  } as unknown as FileLinksOptions)
  added.fire(peer)
  for (let n = 0; n < 10; n++) {
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(500)
  }
  expect([tries, released]).toEqual([11, 10])
  links.dispose()
})
