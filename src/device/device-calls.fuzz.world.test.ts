import { expect, it } from 'vitest'
import { deviceIdOf } from '../base/ids.ts'
import { controlContract } from './control-contract.ts'
import { displayContract } from './display-contract.ts'
import { fuzzContract } from '../testkit/contract-fuzz.ts'
import { DeviceWorld, PASSPHRASE } from '../testkit/device-world.ts'
import { roundsOfRun, type SeededRandom, SeededRandom as Seeded, seedOfRun } from '../testkit/seeded-random.ts'

const OTHER = deviceIdOf(new Uint8Array(32).fill(7))

/** Inputs that get past the parsers more often than not, so that the handlers are reached. */
function plausibleInputs(device: string) {
  return (name: string, random: SeededRandom): unknown => {
    const where = { device: random.pick([device, OTHER, 'nobody', '']) }
    const terminal = { ...where, terminalId: random.pick(['gone', '']), columns: random.below(1100), rows: random.below(1100) }
    const doc = random.pick(['workspace', 'text/a', `text/${random.below(9)}`, 'text/../x', '', '__proto__'])
    const file = {
      ...where,
      path: random.pick(['/home/test/a', '/home/test/b', '..', '\0']),
      to: '/home/test/c',
      text: 'x',
      expectedVersion: null,
    }
    const inputs: Record<string, unknown> = {
      hello: { displayName: random.pick(['kitchen', '', 'x'.repeat(81), '\u202e']) },
      createVault: { personName: 'a', deviceName: 'b', passphrase: PASSPHRASE, unattended: false },
      unlockDevice: { passphrase: PASSPHRASE },
      createDevice: { personName: 'a', deviceName: 'b', passphrase: PASSPHRASE, unattended: true },
      attachDocument: { doc },
      openDevice: { opener: 'A'.repeat(random.pick([43, 42])) },
      dropText: { doc },
      answerSeatQuestion: { answer: random.pick(['stay', 'lock']) },
      probePage: { url: random.pick(['http://x.test', 'file:///etc/passwd', 'http://a:b@x.test', 'javascript:1', '']) },
      writeSettings: random.pick([
        { rendezvousPort: random.below(70_000) },
        { mdns: random.chance(0.5) },
        { rendezvousUrls: random.pick([[], ['ws://x.test:1'], ['http://x'], ['x']]) },
        { rendezvousUrls: ['http://x'] },
        { rendezvousUrls: ['no url'] },
        { iceServers: ['stun:x.test:1'] },
        { deviceName: random.pick(['a', '\n', 'x'.repeat(80)]) },
      ]),
      renameDevice: { deviceId: random.pick([device, OTHER, 'x']), name: random.pick(['new', '\u0000']) },
      changeDeviceRole: { deviceId: random.pick([device, OTHER, 'x']), role: random.pick(['admin', 'member']) },
      removeDevice: { deviceId: random.pick([device, OTHER, 'x']) },
      joinPairing: {
        code: random.pick(['1234-hazel-object', 'nonsense', '1-2-3']),
        rendezvousUrl: random.pick(['ws://x.test:1', 'http://x', '']),
      },
      confirmPairing: { accept: random.chance(0.5) },
      openTerminal: { ...terminal, cwd: '/' },
      attachTerminal: terminal,
      lastScreen: terminal,
      endTerminal: terminal,
      endProcess: { ...where, pid: random.below(99_999), force: false },
    }
    return inputs[name] ?? random.pick([{}, where, terminal, file])
  }
}

it('[DV22] whatever is asked of a device, it answers with a stable code and stays up', async () => {
  const seed = seedOfRun()
  const random = new Seeded(seed)
  const world = new DeviceWorld()
  const laptop = await world.install('laptop')
  const display = await laptop.setUp()
  const device = (await display.listDevices({}))[0]?.deviceId as string
  const door = { pid: 1, origin: () => 'http://x', oneTimeUrl: () => 'http://x/enter?t=1' }
  // listProcesses waits half a second for its first sample, openPerson stretches a passphrase each time (grants.world.test.ts);
  // lockDevice has a test of its own and would end the others early
  const { listProcesses: _, lockDevice: __, openPerson: ___, ...contract } = { ...displayContract, ...controlContract }
  const serve = (transport: Parameters<typeof laptop.device.acceptControl>[0]) => laptop.device.acceptControl(transport, door)
  const { codes, accepted, problems } = await fuzzContract(
    contract,
    serve,
    random,
    roundsOfRun(4_500, 60_000, 4_500),
    plausibleInputs(device),
  )
  expect({ seed, problems, errors: laptop.errors }).toEqual({ seed, problems: [], errors: [] })
  expect(accepted).toBeGreaterThan(0)
  const reached = [
    'rpc/bad-input',
    'rpc/unknown-method',
    'document/bad-name',
    'vault/exists',
    'settings/invalid',
    'terminal/unknown',
    'web/refused-url',
  ]
  expect([...codes.keys()]).toEqual(expect.arrayContaining(reached))
  expect((await display.hello({ displayName: 'd' })).phase).toBe('unlocked')
  world.dispose()
})

it('[DV22] a locked display gets nothing but the door, whatever it asks', async () => {
  const seed = seedOfRun()
  const random = new Seeded(seed)
  const world = new DeviceWorld()
  const laptop = await world.install('laptop')
  const display = await laptop.setUp()
  const device = (await display.listDevices({}))[0]?.deviceId as string
  const serve = (transport: Parameters<typeof laptop.device.acceptDisplay>[0]) => laptop.device.acceptDisplay(transport, 'other')
  const { hello: _, ...contract } = displayContract
  const { codes, accepted, problems } = await fuzzContract(
    contract,
    serve,
    random,
    roundsOfRun(1_200, 20_000, 1_200),
    plausibleInputs(device),
  )
  expect({ seed, problems, accepted, errors: laptop.errors }).toEqual({ seed, problems: [], accepted: 0, errors: [] })
  expect([...codes.keys()].sort()).toEqual([
    'rpc/bad-input',
    'rpc/refused',
    'rpc/unknown-method',
    'vault/exists',
    'vault/wrong-opener',
    'wallet/not-possible',
  ])
  world.dispose()
})

it('[DV22] the fuzz finds a call that breaks on a rare input (planted)', async () => {
  const random = new Seeded(seedOfRun())
  const world = new DeviceWorld()
  const laptop = await world.install('laptop')
  const display = await laptop.setUp()
  const device = (await display.listDevices({}))[0]?.deviceId as string
  laptop.disk.makeFolder = async () => {
    throw new TypeError('planted')
  }
  const door = { pid: 1, origin: () => 'http://x', oneTimeUrl: () => 'http://x/enter?t=1' }
  const contract = { makeFolder: displayContract.makeFolder, readText: displayContract.readText, hello: displayContract.hello }
  const serve = (transport: Parameters<typeof laptop.device.acceptControl>[0]) => laptop.device.acceptControl(transport, door)
  const { problems } = await fuzzContract(contract, serve, random, 400, plausibleInputs(device))
  expect(problems.join()).toContain('base/bug')
  world.dispose()
})
