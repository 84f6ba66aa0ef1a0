import { expect, it } from 'vitest'
import type { DirectConnection, DirectDial } from '../../files/direct-sockets.ts'
import type { RtcStack } from '../../sync/rtc-stack.ts'
import { FakeRtcNetwork } from '../../testkit/fake-rtc.ts'
import { RtcDirectDials } from './rtc-direct-dials.ts'

const WAY = { iceServers: [], remote: '10.0.0.2' }
const turns = async () => {
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve))
}
const connectionOf = (dial: DirectDial): Promise<DirectConnection> => new Promise((resolve) => dial.onDidConnect(resolve))

async function ends(rtc: RtcStack = new FakeRtcNetwork()) {
  const dials = new RtcDirectDials({ load: async () => rtc })
  return { dials, near: await dials.dial(WAY), far: await dials.dial(WAY) }
}

async function connect(near: DirectDial, far: DirectDial): Promise<[DirectConnection, DirectConnection]> {
  const both = Promise.all([connectionOf(near), connectionOf(far)])
  near.accept(await far.answer(await near.offer()))
  return both
}

it('[TR12] what comes before anybody listens waits, and all comes in order', async () => {
  const { near, far } = await ends()
  const [a, b] = await connect(near, far)
  for (const byte of [1, 2, 3]) a.send(Uint8Array.of(byte))
  await turns()
  const heard: number[] = []
  b.onDidReceive((bytes) => heard.push(...bytes))
  a.send(Uint8Array.of(4))
  await turns()
  expect(heard).toEqual([1, 2, 3, 4])
})

it('[TR12] a flood before anybody listens ends the connection', async () => {
  const { near, far } = await ends()
  const [a, b] = await connect(near, far)
  const closed: string[] = []
  a.onDidClose(() => closed.push('a'))
  b.onDidClose(() => closed.push('b'))
  for (let n = 0; n < 64; n++) a.send(new Uint8Array(16 * 1024))
  await turns()
  expect(closed).toEqual([])
  a.send(Uint8Array.of(1))
  await turns()
  expect(closed).toEqual(['b', 'a'])
})

it('[TR12] one end that is disposed ends both, and nothing is sent any more', async () => {
  const { near, far } = await ends()
  const [a, b] = await connect(near, far)
  const closed: string[] = []
  a.onDidClose(() => closed.push('a'))
  b.onDidClose(() => closed.push('b'))
  a.dispose()
  a.dispose()
  a.send(Uint8Array.of(1))
  await turns()
  expect(closed).toEqual(['a', 'b'])
})

it('[TR12] a certificate that is not the one of the description, which DTLS did not refuse, gets nothing', async () => {
  const network = new FakeRtcNetwork()
  const other = new Uint8Array(32)
  const trusting: RtcStack = {
    createConnection: () => {
      const connection = network.createConnection()
      const used = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(connection), 'remoteFingerprint')?.get
      // As if DTLS had taken another certificate than was announced.
      Object.defineProperty(connection, 'remoteFingerprint', {
        get: () => (connection.state === 'connected' ? other : (used?.call(connection) as Uint8Array)),
      })
      return connection
    },
  }
  const { near, far } = await ends(trusting)
  const seen: string[] = []
  for (const end of [near, far]) {
    end.onDidConnect(() => seen.push('connected'))
    end.onDidFail(() => seen.push('failed'))
  }
  near.accept(await far.answer(await near.offer()))
  await turns()
  expect(seen).toEqual(['failed', 'failed'])
  expect(network.connections.size).toBe(0)
})

it('[TR12] a process has 64 of them at most; those that ended do not count', async () => {
  const { dials, near } = await ends()
  for (let n = 2; n < 64; n++) await dials.dial(WAY)
  await expect(dials.dial(WAY)).rejects.toThrow('64')
  near.dispose()
  await dials.dial(WAY)
  await expect(dials.dial(WAY)).rejects.toThrow('64')
})

it('[TR12] a stack that could not be loaded is loaded anew by the next dial', async () => {
  const network = new FakeRtcNetwork()
  let tries = 0
  const load = async () => {
    if (++tries === 1) throw new Error('no memory')
    return network
  }
  const dials = new RtcDirectDials({ load })
  await expect(dials.dial(WAY)).rejects.toThrow('no memory')
  await dials.dial(WAY)
  await dials.dial(WAY)
  expect([tries, network.connections.size]).toEqual([2, 2])
})

it('[TR12] a connection without a channel is closed, and counts once', async () => {
  const network = new FakeRtcNetwork()
  let isBroken = true
  const stack: RtcStack = {
    createConnection: () => {
      const connection = network.createConnection()
      const { createChannel } = connection
      connection.createChannel = (options) => {
        if (isBroken) throw new Error('no channel')
        return createChannel.call(connection, options)
      }
      return connection
    },
  }
  const dials = new RtcDirectDials({ load: async () => stack })
  for (let n = 0; n < 3; n++) await expect(dials.dial(WAY)).rejects.toThrow('no channel')
  expect(network.connections.size).toBe(0)
  isBroken = false
  for (let n = 0; n < 64; n++) await dials.dial(WAY)
  await expect(dials.dial(WAY)).rejects.toThrow('64')
})
