import { systemClock } from '../base/clock.ts'
import { silentLogger } from '../base/logger.ts'
import { createLinkChannels } from '../sync/link-channels.ts'
import { MAX_LINK_VERSION } from '../sync/link-wire.ts'
import { RtcLink } from '../sync/link.ts'
import { FakeRtcNetwork } from './fake-rtc.ts'
import { createTestDevice } from './test-devices.ts'

/** A real RtcLink whose other end is a test that may send any bytes at all. */
export async function linkOverFakeRtc(
  network = new FakeRtcNetwork(),
  clock = systemClock,
  role: 'knock' | 'door' = 'knock',
  version = MAX_LINK_VERSION,
) {
  const [live, bulk, farLive, farBulk] = [0, 1, 2, 3].map(() => network.createConnection()) as [
    ReturnType<FakeRtcNetwork['createConnection']>,
    ReturnType<FakeRtcNetwork['createConnection']>,
    ReturnType<FakeRtcNetwork['createConnection']>,
    ReturnType<FakeRtcNetwork['createConnection']>,
  ]
  const channels = createLinkChannels(live, bulk)
  const far = createLinkChannels(farLive, farBulk)
  for (const [near, other] of [
    [live, farLive],
    [bulk, farBulk],
  ] as const) {
    near.acceptAnswer(await other.acceptOffer(await near.createOffer()))
  }
  while (!far.wire.isOpen || far.bulk.some(({ channel }) => !channel.isOpen)) await new Promise((resolve) => setTimeout(resolve, 0))
  const heardOnWire: Uint8Array[] = []
  far.wire.onDidReceive((bytes) => heardOnWire.push(bytes))
  const link = new RtcLink({
    peer: createTestDevice(2).device,
    role,
    version,
    live,
    bulk,
    channels,
    clock,
    logger: silentLogger,
    early: [],
  })
  const session = far.live.find(({ name }) => name === 'session')
  const sendIfOpen = (channel: typeof far.wire | undefined, bytes: Uint8Array) => {
    if (channel?.isOpen === true) channel.send(bytes)
  }
  return {
    link,
    far,
    heardOnWire,
    rawWire: (bytes: Uint8Array) => sendIfOpen(far.wire, bytes),
    /** On the channel of second sayings. */
    rawAgain: (bytes: Uint8Array) => sendIfOpen(far.again, bytes),
    /** On the session lane. */
    rawLane: (bytes: Uint8Array) => sendIfOpen(session?.channel, bytes),
    dispose: () => link.dispose(),
  }
}
