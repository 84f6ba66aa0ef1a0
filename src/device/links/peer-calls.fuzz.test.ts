import { afterEach, beforeEach, expect, it } from 'vitest'
import { DisposableStore } from '../../base/disposable.ts'
import { Emitter } from '../../base/emitter.ts'
import { deviceIdOf } from '../../base/ids.ts'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { silentLogger } from '../../base/logger.ts'
import { systemClock } from '../../base/clock.ts'
import { KeysHeard } from '../trust/key-exchange.ts'
import { DatasetKeyring } from '../../identity/dataset-keyring.ts'
import { MemoryAuthorityStore } from '../../identity/authority/authority-store.ts'
import { ContactLogs } from '../../identity/contacts/contact-logs.ts'
import { OwnDevicesGrantCheck } from '../../identity/grant-check.ts'
import { SeatClaims } from '../../identity/seat-claims.ts'
import { SodiumCrypto } from '../../platform/node/sodium-crypto.ts'
import { LaneTransport } from '../../rpc/lane-transport.ts'
import { Wire } from '../../rpc/wire.ts'
import { fuzzContract } from '../../testkit/contract-fuzz.ts'
import { createFakeLinkPair, type FakeLinkPair } from '../../testkit/fake-link.ts'
import { createPairingDevice } from '../../testkit/pairing-device.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import type { LaneName } from '../../sync/lane.ts'
import { LastScreens } from '../desk/last-screens.ts'
import type { LocalTerminals } from '../desk/local-terminals.ts'
import { peerContract, peerFilesContract, peerTerminalContract } from './peer-contract.ts'
import { PeerSession } from './peer-session.ts'
import { Peers } from './peers.ts'
import { ReturningDisplays } from '../desk/returning-displays.ts'
import { SeatService } from '../desk/seat-service.ts'
import type { DirectFiles } from '../files/direct-files.ts'
import type { CopiedFolders } from './copied-folders.ts'
import { DeviceError } from '../device-error.ts'

const crypto = new SodiumCrypto()
const PEER = deviceIdOf(crypto.signingKey(new Uint8Array(32).fill(9)).publicKey)
let owned: DisposableStore
let pair: FakeLinkPair
let bugs: string[]
let isMember = true
let isPlanted = false
let faults: string[]

const away = () => Promise.reject(new DeviceError('device/process-away', 'not there'))
const nothingServed = { client: away, onDidConnect: () => ({ dispose: () => {} }), dispose: () => {} }

beforeEach(async () => {
  owned = new DisposableStore()
  bugs = []
  faults = []
  isMember = true
  isPlanted = false
  const { keys, list } = await createPairingDevice(crypto, systemClock, 'laptop')
  pair = createFakeLinkPair(keys.device, PEER)
  pair.a.onDidClose(({ reason }) => faults.push(reason))
  const error = (message: string, details?: unknown) => void bugs.push(`${message} ${JSON.stringify(details)}`)
  const log = { ...silentLogger, error, child: () => log }
  const check = { isMember: (device: string) => isMember && device === PEER }
  const seat = owned.add(new SeatService(systemClock, log, new ReturningDisplays(systemClock)))
  const claims = owned.add(
    SeatClaims.open({ crypto, clock: systemClock, person: keys.person, list: check, store: new MemoryKeyValueStore() }),
  )
  owned.add(seat.use({ claims, signer: keys.signer, nameOf: () => 'x' }))
  const terminals = {
    open: away,
    list: away,
    end: async (terminalId: string) => {
      if (isPlanted && terminalId === 't') throw new TypeError('planted')
      return away()
    },
    screen: away,
    attach: away,
    onDidChange: new Emitter().event,
  } as unknown as LocalTerminals
  owned.add(
    new PeerSession(pair.a, {
      devices: list,
      values: new MemoryKeyValueStore(),
      report: () => {},
      keyring: owned.add(
        new DatasetKeyring({
          crypto,
          clock: systemClock,
          logger: silentLogger,
          devices: list,
          keys,
          values: new MemoryKeyValueStore(),
          personKey: () => undefined,
          save: async () => {},
        }),
      ),
      contactLogs: owned.add(new ContactLogs({ crypto, clock: systemClock, devices: list, openStore: () => new MemoryAuthorityStore() })),
      ledger: { record: () => {} },
      currentKey: () => keys.datasetKeys.current,
      keysHeard: new KeysHeard(new MemoryKeyValueStore()),
      claims,
      seat,
      grants: new OwnDevicesGrantCheck(check),
      peers: owned.add(new Peers()),
      copies: { tell: () => {}, resumePeer: () => {}, pausePeer: () => {} } as unknown as CopiedFolders,
      lastScreens: new LastScreens(new MemoryKeyValueStore()),
      onDidChangeScreen: new Emitter<never>().event,
      terminals,
      host: nothingServed as never,
      files: nothingServed as never,
      direct: { wayOf: () => ({}), watch: () => {} } as unknown as DirectFiles,
      version: '0',
      clock: systemClock,
      log,
    }),
  )
})
afterEach(() => owned.dispose())

/** The peer's end of a lane, for whoever wants to misuse it. */
const laneOf = (name: LaneName) => new LaneTransport(pair.b.lane(name), () => {})
const settled = () => new Promise((resolve) => setTimeout(resolve, 0))

it.each([
  ['control', peerContract],
  ['tty', peerTerminalContract],
  ['files', peerFilesContract],
] as const)('[DV22] whatever a peer asks on the %s lane, it is answered with a stable code', async (lane, contract) => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  const peer = laneOf(lane)
  const serve = (transport: Parameters<Parameters<typeof fuzzContract>[1]>[0]) => {
    // what the fuzz sends goes over the lane, and what comes back goes to the fuzz
    transport.onDidReceive((message) => peer.send(message))
    peer.onDidReceive((message) => transport.send(message))
  }
  const plausible = () => ({
    devices: random.pick(['', 'AAAA', '!', 'x'.repeat(70_000)]),
    version: random.pick(['1', 'x'.repeat(41)]),
    device: 'd',
    path: '/home/x',
    to: '/home/y',
    text: 't',
    terminalId: random.pick(['t', '']),
    columns: 80,
    rows: random.below(1100),
    pid: random.below(99_999),
    force: random.chance(0.5),
  })
  const { codes, problems } = await fuzzContract(contract, serve, random, roundsOfRun(400, 20_000), plausible)
  expect({ seed, problems, bugs, faults }).toEqual({ seed, problems: [], bugs: [], faults: [] })
  expect([...codes.keys()]).toEqual(expect.arrayContaining(['rpc/bad-input', 'rpc/unknown-method', 'device/process-away']))
})

it('[DV22] the fuzz of peers finds a call that breaks on a rare input (planted)', async () => {
  isPlanted = true
  const random = new SeededRandom(seedOfRun())
  const peer = laneOf('control')
  const relay = (transport: Parameters<Parameters<typeof fuzzContract>[1]>[0]) => {
    transport.onDidReceive((message) => peer.send(message))
    peer.onDidReceive((message) => transport.send(message))
  }
  const { problems } = await fuzzContract(peerContract, relay, random, 400, () => ({ terminalId: random.pick(['t', 'u', '']) }))
  expect(problems.join()).toContain('base/bug')
})

it('[DV19] a device that is no member is refused by name of what it asked, on every lane', async () => {
  isMember = false
  const ask = async (lane: LaneName, m: string, p: unknown) => {
    const peer = laneOf(lane)
    const answer = new Promise<{ code: string }>((resolve) => peer.onDidReceive((text) => resolve(JSON.parse(String(text)))))
    peer.send(JSON.stringify({ t: 'call', id: 1, m, p }))
    return (await answer).code
  }
  expect(await ask('control', 'openTerminal', { columns: 80, rows: 24 })).toBe('grant/refused')
  expect(await ask('control', 'endProcess', { device: 'd', pid: 1, force: true })).toBe('grant/refused')
  expect(await ask('tty', 'attachTerminal', { terminalId: 't', columns: 80, rows: 24 })).toBe('grant/refused')
  expect(await ask('files', 'readText', { device: 'd', path: '/etc/passwd' })).toBe('grant/refused')
})

it.each([
  ['bytes that are no message', 'control', Uint8Array.of(7, 7)],
  ['text that is no message', 'files', Uint8Array.of(0, 0x7b)],
  ['bytes for a channel that never was', 'tty', Uint8Array.of(1, 2, 0)],
] as const)('[DV22] %s close that link and name the peer', async (_, lane, bytes) => {
  pair.b.lane(lane).send(bytes)
  await settled()
  await settled()
  expect(faults.join()).toMatch(/rpc\/malformed/)
})

it('[DV22] odd facts told by a peer change nothing and break nothing', async () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  const wire = new Wire(laneOf('control'))
  const told = ['onDidChangeDevices', 'onDidClaimSeat', 'onDidConfirmSeat', 'onDidChangeDisplays', 'onDidChangeTerminal', 'onDidNothing']
  for (let i = 0; i < 200; i++) {
    const text = random.pick(['', 'AAAA', '!!', 'x'.repeat(100)])
    const p = random.pick([
      { devices: text },
      { claim: text },
      { display: text, claimId: text },
      [{ display: text, name: text }],
      [],
      null,
      7,
    ])
    wire.send({ t: 'event', n: random.pick(told), p })
    await settled()
  }
  expect({ seed, bugs }).toEqual({ seed, bugs: [] })
})
