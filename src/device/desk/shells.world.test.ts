import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { DeviceWorld, PASSPHRASE, type WorldDevice } from '../../testkit/device-world.ts'
import { linked, LONG_WAIT, pair } from '../../testkit/paired-devices.ts'

let world: DeviceWorld
let laptop: WorldDevice
let server: WorldDevice

beforeEach(async () => {
  world = new DeviceWorld()
  laptop = await world.install('laptop')
  server = await world.install('server')
  server.cores = 32
  await laptop.setUp()
  await server.setUp()
  await pair(laptop, server)
  await linked(laptop, server)
})
afterEach(() => {
  expect([...laptop.errors, ...server.errors]).toEqual([])
  world.dispose()
})

const FOLDER = '/home/test/project'
const ask = (line: string, folder = FOLDER) => laptop.shells.say({ kind: 'ask', id: '1', folder, line })
const ran = (line: string, ms: number) => laptop.shells.say({ kind: 'ran', ms, folder: FOLDER, line })
const goes = (line: string) => vi.waitFor(() => expect(ask(line)).toBeDefined(), LONG_WAIT)
/** Everything that was begun for shells until now has ended: a line that goes has been placed after it. */
async function settled(): Promise<void> {
  ran('gcc settled.c', 600_000)
  await goes('gcc settled.c')
}

it('[JB70] a line that took long goes elsewhere the next time, when that is clearly sooner', async () => {
  expect(ask('cc in.c')).toBeUndefined()
  ran('cc in.c', 60_000)
  await goes('cc in.c')
  expect(ask('cc in.c')).toEqual(['cc'])
  expect(ask('cc other.c')).toBeUndefined()
  expect(ask('cc in.c', '/home/test/other')).toBeUndefined()
})

it.each([
  ['it took too little to win', 'cc short.c', 100],
  ['it changes this machine', 'apt-get install cc', 60_000],
  ['it changes the world', 'git push', 60_000],
  ['it goes on until it is stopped', 'tail -f log', 60_000],
  ['it is not understood', 'frobnicate all', 60_000],
  ['the shell has a part in it', 'cc *.c', 60_000],
])('[JB70] a line stays where %s', async (_why, line, ms) => {
  ran(line, ms)
  await settled()
  expect(ask(line)).toBeUndefined()
})

it('[JB70] all stays while the other device is away, and while this one is locked; what took long is known after a restart', async () => {
  ran('cc in.c', 60_000)
  await goes('cc in.c')
  server.stop()
  await vi.waitFor(() => expect(ask('cc in.c')).toBeUndefined(), LONG_WAIT)
  await server.start()
  await server.control().unlockDevice({ passphrase: PASSPHRASE })
  await linked(laptop, server)
  await goes('cc in.c')
  await laptop.control().lockDevice({})
  expect(ask('cc in.c')).toBeUndefined()
  await laptop.control().unlockDevice({ passphrase: PASSPHRASE })
  await linked(laptop, server)
  expect(ask('cc in.c')).toBeUndefined()
  await goes('cc in.c')
})
