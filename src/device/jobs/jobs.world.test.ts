import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { JobInfo } from '../../jobs/jobs-contract.ts'
import { encodeUpFrame } from '../../jobs/terminal-frames-contract.ts'
import { DeviceWorld, PASSPHRASE, type WorldDevice } from '../../testkit/device-world.ts'
import type { FakeJobProcess } from '../../testkit/fake-job-process.ts'
import { linked, LONG_WAIT, pair } from '../../testkit/paired-devices.ts'

let world: DeviceWorld
let laptop: WorldDevice
let server: WorldDevice
let display: Awaited<ReturnType<WorldDevice['setUp']>>
let owner: Awaited<ReturnType<WorldDevice['setUp']>>
let ids: Record<string, string>

beforeEach(async () => {
  world = new DeviceWorld()
  laptop = await world.install('laptop')
  server = await world.install('server')
  owner = await laptop.setUp()
  await server.setUp()
  await pair(laptop, server)
  display = server.connect('its display')
  await display.hello({ displayName: 'its display' })
  await display.unlock({ passphrase: PASSPHRASE, how: 'beside' })
  await linked(laptop, server)
  ids = Object.fromEntries((await laptop.control().listDevices({})).map(({ name, deviceId }) => [name, deviceId]))
})
afterEach(() => {
  expect([...laptop.errors, ...server.errors]).toEqual([])
  world.dispose()
})

const FOLDER = '/home/test/project'
const start = (commandLine: string, policy: object = {}) =>
  laptop.control().startJob({ commandLine, folder: FOLDER, input: false, policy: { where: { device: ids.server as string }, ...policy } })
const job = async (id: string): Promise<JobInfo> => (await laptop.control().listJobs({})).find((one) => one.job === id) as JobInfo
const runsOn = (device: WorldDevice, nth = 0) =>
  vi.waitFor(() => {
    const found = device.jobSpawner.processes[nth]
    if (!found) throw new Error(`nothing runs on ${device.name}`)
    return found as FakeJobProcess
  }, LONG_WAIT)
const becomes = (id: string, expected: object) => vi.waitFor(async () => expect(await job(id)).toMatchObject(expected), LONG_WAIT)

it('[JB40][JB42] a job of one device runs in the sandbox of another, and its history is here', async () => {
  laptop.trees.at(FOLDER).write('in.c', 'int main;')
  const { job: id } = await start('cc in.c')
  const process = await runsOn(server)
  expect(process.request).toMatchObject({
    program: '/bin/sh',
    arguments: ['-c', 'cc in.c'],
    folder: FOLDER,
    sandbox: { home: '/home/test', network: false },
  })
  expect(laptop.jobSpawner.processes).toEqual([])
  process.say('compiling 50 %\n')
  await becomes(id, { state: 'running', lastLine: 'compiling 50 %', progress: { fraction: 0.5, from: 'output' } })
  for (const tree of server.trees.lent.values()) tree.write('a.out', 'made')
  process.exit(0)
  await becomes(id, { state: 'done', exit: { code: 0 }, device: ids.server, results: { files: 1, conflicts: 0 } })
  // Which program of that name ran there is not known here (rule JB101).
  const learned = async () => (await laptop.control().listBehaviours({})).map(({ name, program }) => ({ name, program }))
  await vi.waitFor(async () => expect(await learned()).toEqual([{ name: 'cc', program: undefined }]), LONG_WAIT)
  expect(laptop.trees.at(FOLDER).text('a.out')).toBe('made')
})

it('[JB44] once it is known to be lost there, a job that may be tried again is, elsewhere', async () => {
  const { job: id } = await start('cc in.c', { whenLost: 'again' })
  await runsOn(server)
  server.stop()
  await becomes(id, { state: 'waiting' })
  await server.start() // with a host process that knows nothing of it
  await server.control().unlockDevice({ passphrase: PASSPHRASE })
  const second = await runsOn(laptop)
  second.exit(0)
  await becomes(id, { state: 'done', attempts: [{ ended: 'lost' }, { device: ids.laptop }] })
})

it('[JB48] while somebody is at a display of that machine it holds still; or moves, if that was asked for', async () => {
  const { job: id } = await start('cc in.c')
  const first = await runsOn(server)
  await becomes(id, { state: 'running' })
  await display.reportInput({})
  await becomes(id, { state: 'paused' })
  expect(first.signals).toEqual(['SIGSTOP'])
  const { job: other } = await start('cc other.c', { whenOwnerReturns: 'move' })
  const moved = await runsOn(laptop)
  moved.exit(0)
  await becomes(other, { state: 'done', attempts: [{ ended: 'owner' }, { device: ids.laptop }] })
})

it('[JB43][JB50] cancelling ends it; one that is over can be removed from the history, one that runs cannot', async () => {
  const asks = laptop.control()
  const { job: id } = await start('cc in.c')
  const process = await runsOn(server)
  await expect(asks.forgetJob({ job: id })).rejects.toMatchObject({ code: 'job/still-runs' })
  await asks.cancelJob({ job: id })
  await becomes(id, { state: 'cancelled' })
  expect(process.hasEnded).toBe(true)
  await asks.forgetJob({ job: id })
  expect(await asks.listJobs({})).toEqual([])
  await expect(asks.cancelJob({ job: id })).rejects.toMatchObject({ code: 'job/unknown' })
})

it('[JB44] a device that is removed while a job of it runs loses it there at once', async () => {
  const policy = { where: { device: ids.laptop as string } }
  await server.control().startJob({ commandLine: 'cc in.c', folder: FOLDER, input: false, policy })
  const process = await runsOn(laptop)
  await owner.removeDevice({ deviceId: ids.server as string })
  await vi.waitFor(() => expect(process.hasEnded).toBe(true), LONG_WAIT)
})

it('[JB54] the ledger says which port of which job was opened here, from which device, and closed', async () => {
  const { job: id } = await start('vite')
  const process = await runsOn(server)
  process.observed = { cpuMs: 0, memoryBytes: 0, ports: [5_173] }
  await becomes(id, { forwards: [{ port: 5_173, here: 5_173 }] })
  process.exit(0)
  await becomes(id, { state: 'done' })
  const ports = async () => (await laptop.control().listLedger({})).rows.filter(({ kind }) => kind.startsWith('port-')).toReversed()
  await vi.waitFor(async () => expect((await ports()).map(({ kind }) => kind)).toEqual(['port-opened', 'port-ended']), LONG_WAIT)
  for (const { body, sentence } of await ports()) {
    expect(JSON.parse(body)).toMatchObject({ event: { job: id, peer: ids.server, port: 5_173, here: 5_173 } })
    expect(sentence).toContain(`Port 5173 of the job ${id.slice(0, 8)} on server was`)
  }
})

it('[JB60] a job that runs is moved: it ends there first, then begins here; what may not be begun twice stays, and says why', async () => {
  const asks = laptop.control()
  const [here, there] = [ids.laptop as string, ids.server as string]
  const { job: id } = await start('cc in.c')
  const first = await runsOn(server)
  await becomes(id, { state: 'running' })
  await expect(asks.moveJob({ job: id, device: there })).rejects.toMatchObject({ code: 'job/not-moved' })
  await expect(asks.moveJob({ job: id, device: 'nobody' })).rejects.toMatchObject({ code: 'job/not-moved' })
  expect(first.hasEnded).toBe(false)
  first.holdEnd = true
  const moving = asks.moveJob({ job: id, device: here })
  await vi.waitFor(() => expect(first.isEnding).toBe(true), LONG_WAIT)
  await expect(asks.moveJob({ job: id, device: here })).rejects.toMatchObject({ code: 'job/not-moved' })
  expect(laptop.jobSpawner.processes).toEqual([]) // never two at once
  first.exit(-1, 'SIGTERM')
  await moving
  const second = await runsOn(laptop)
  second.exit(0)
  await becomes(id, { state: 'done', device: here, attempts: [{ device: there, ended: 'moved' }, { device: here }] })
  await expect(asks.moveJob({ job: id, device: there })).rejects.toMatchObject({ code: 'job/not-moved' })

  const { job: world } = await start('git push')
  await runsOn(server, 1)
  await becomes(world, { state: 'running' })
  await expect(asks.moveJob({ job: world, device: here })).rejects.toMatchObject({
    code: 'job/not-moved',
    message: expect.stringContaining('not begun twice'),
  })
})

it('[JB20] a command line of 10 MB is refused with a reason, and the device goes on', async () => {
  const line = `echo ${'x'.repeat(10_000_000)}`
  const asks = laptop.control()
  await expect(start(line)).rejects.toMatchObject({ code: 'rpc/bad-input' })
  await expect(asks.explainPlacement({ commandLine: line, folder: FOLDER })).rejects.toMatchObject({ code: 'rpc/bad-input' })
  const { job: id } = await start('cc in.c')
  const process = await runsOn(server)
  process.exit(0)
  await becomes(id, { state: 'done' })
})

it('[JB48] a key typed into a terminal of that machine holds it still as a display does; looking at one does not', async () => {
  const { job: id } = await start('cc in.c')
  const process = await runsOn(server)
  await becomes(id, { state: 'running' })
  const asks = server.control()
  const device = ids.server as string
  const { terminalId } = await asks.openTerminal({ device, columns: 80, rows: 24 })
  const terminal = asks.channel((await asks.attachTerminal({ device, terminalId, columns: 80, rows: 24 })).channel)
  terminal.send(encodeUpFrame({ kind: 'size', columns: 90, rows: 24 }))
  await vi.waitFor(async () => expect((await asks.listTerminals({ device }))[0]?.columns).toBe(90), LONG_WAIT)
  expect(process.signals).toEqual([])
  terminal.send(encodeUpFrame({ kind: 'keys', bytes: new TextEncoder().encode('l') }))
  await becomes(id, { state: 'paused' })
  expect(process.signals).toEqual(['SIGSTOP'])
})

it('[JB88] a job that stands still until somebody types says so, and no longer when it goes on', async () => {
  const { job: id } = await start('cc in.c')
  const process = await runsOn(server)
  await becomes(id, { state: 'running' })
  process.observed = { cpuMs: 0, memoryBytes: 0, ports: [], waits: 'input' }
  await becomes(id, { state: 'running', waitingFor: expect.stringContaining('standard input') })
  process.observed = { cpuMs: 0, memoryBytes: 0, ports: [] }
  await vi.waitFor(async () => expect((await job(id)).waitingFor).toBeUndefined(), LONG_WAIT)
})

it('[JB86] a shell in a job is a terminal of the device where it runs, and ends with it', async () => {
  const { job: id } = await start('cc in.c')
  const process = await runsOn(server)
  await becomes(id, { state: 'running' })
  const terminal = await laptop.control().openJobShell({ job: id, columns: 100, rows: 30 })
  expect(terminal).toMatchObject({ device: ids.server, columns: 100, rows: 30 })
  expect([...process.shells]).toEqual([terminal.pid])
  expect(server.spawner.requests.at(-1)).toMatchObject({ file: '/bin/sh', cwd: FOLDER })
  const { terminalId } = terminal
  const asks = laptop.control()
  const typing = asks.channel((await asks.attachTerminal({ device: ids.server as string, terminalId, columns: 100, rows: 30 })).channel)
  typing.send(encodeUpFrame({ kind: 'keys', bytes: new TextEncoder().encode('l') }))
  typing.send(encodeUpFrame({ kind: 'size', columns: 90, rows: 24 }))
  await vi.waitFor(async () => expect((await asks.listTerminals({ device: ids.server as string }))[0]?.columns).toBe(90), LONG_WAIT)
  expect(process.signals).toEqual([]) // typed from afar: its owner is not there
  process.exit(0)
  await becomes(id, { state: 'done' })
  await vi.waitFor(async () => {
    const [now] = await server.control().listTerminals({ device: ids.server as string })
    expect(now?.exit).toBeDefined()
  }, LONG_WAIT)
  await expect(laptop.control().openJobShell({ job: id, columns: 80, rows: 24 })).rejects.toMatchObject({ code: 'job/not-running' })
})
