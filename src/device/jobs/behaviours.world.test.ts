import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { encodeJobUp } from '../../jobs/job-frames-contract.ts'
import { DeviceWorld, PASSPHRASE, type WorldDevice } from '../../testkit/device-world.ts'
import type { FakeJobProcess } from '../../testkit/fake-job-process.ts'
import { linked, LONG_WAIT, pair, PATIENT } from '../../testkit/paired-devices.ts'

let world: DeviceWorld
let laptop: WorldDevice
let server: WorldDevice

beforeEach(async () => {
  world = new DeviceWorld()
  laptop = await world.install('laptop')
  server = await world.install('server')
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
const start = (device: WorldDevice, commandLine: string, input = false) =>
  device.control().startJob({ commandLine, folder: FOLDER, input, policy: { where: 'here' } })
const runs = (device: WorldDevice, nth = 0) =>
  vi.waitFor(() => {
    const found = device.jobSpawner.processes[nth]
    if (!found) throw new Error('nothing runs')
    return found as FakeJobProcess
  }, LONG_WAIT)
const becomes = (device: WorldDevice, id: string, expected: object) =>
  vi.waitFor(async () => expect((await device.control().listJobs({})).find(({ job }) => job === id)).toMatchObject(expected), LONG_WAIT)
const recall = (device: WorldDevice, commandLine: string, folder = FOLDER) => device.control().recallBehaviour({ commandLine, folder })

it('[JB102][JB107] what one device learns the other knows: a guess that was corrected is right there the first time', async () => {
  const before = await recall(server, 'tool --fast in.c')
  expect(before).toMatchObject({ classification: { label: 'batch' } })
  expect(before.learned).toBeUndefined()
  const { job, label } = await start(laptop, 'tool --fast in.c')
  expect(label).toBe('batch')
  const process = await runs(laptop)
  await becomes(laptop, job, { state: 'running' })
  process.observed = { cpuMs: 0, memoryBytes: 0, ports: [8_080] }
  await becomes(laptop, job, { label: 'service', corrected: { was: 'batch', why: 'it listens on port 8080' }, ports: [8_080] })
  await laptop.control().cancelJob({ job })
  await vi.waitFor(async () => {
    const { classification, learned } = await recall(server, 'tool --fast other.c', '/srv/project')
    expect(learned).toMatchObject({ words: 'seen once on your devices: listened on port 8080', was: 'batch' })
    expect(classification).toMatchObject({ label: 'service', effects: before.classification.effects })
    expect(classification.endpoints).toContainEqual({ kind: 'port', place: 'seat', number: 8_080 })
  }, PATIENT)
  const next = await start(server, 'tool --fast third.c')
  expect(next).toMatchObject({ label: 'service', learned: { was: 'batch' } })
  // What was only learned gives it no network elsewhere; and it is not corrected again.
  await runs(server)
  expect(next.corrected).toBeUndefined()
})

it('[JB101][JB107] how long it took is known on the other device, after a restart too, until it is forgotten there', async () => {
  const { job } = await start(laptop, 'cc -O2 in.c')
  const process = await runs(laptop)
  await becomes(laptop, job, { state: 'running' })
  process.exit(0)
  await becomes(laptop, job, { state: 'done' })
  const explain = () => server.control().explainPlacement({ commandLine: 'cc -O3 other.c', folder: '/srv/project' })
  await vi.waitFor(async () => expect((await explain()).workMs).toBeGreaterThan(0), PATIENT)
  expect((await explain()).learned?.words).toMatch(/^seen once on your devices: took \d/)
  const [row, ...others] = await server.control().listBehaviours({})
  expect(others).toEqual([])
  expect(row).toMatchObject({ name: 'cc', shape: 'cc -O# PATH.c', times: 1, well: 1, program: expect.stringMatching(/^sha256:/) })
  server.stop()
  await server.start()
  await server.control().unlockDevice({ passphrase: PASSPHRASE })
  expect(await server.control().listBehaviours({})).toEqual([row])
  await linked(laptop, server)
  await server.control().forgetBehaviour({ key: row?.key as string })
  await expect(server.control().forgetBehaviour({ key: row?.key as string })).rejects.toMatchObject({ code: 'job/no-behaviour' })
  await vi.waitFor(async () => expect(await laptop.control().listBehaviours({})).toEqual([]), PATIENT)
})

it('[JB101] another version of a program is told from the one that was seen', async () => {
  server.programFiles.texts.set('cc', 'another compiler')
  laptop.shells.say({ kind: 'ran', ms: 60_000, folder: FOLDER, line: 'cc in.c' })
  await vi.waitFor(
    async () => expect(String((await recall(server, 'cc in.c')).learned?.words)).toContain('as another version of cc'),
    PATIENT,
  )
  expect((await recall(laptop, 'cc in.c')).learned?.words).toBe('run on your devices: took 60 s')
})

it('[JB100][JB103] a line that only shells ran, where nobody saw what it did, is what its words say; its time is known', async () => {
  const line = 'watchexec make'
  const ran = async (ms: number) => {
    laptop.shells.say({ kind: 'ran', ms, folder: FOLDER, line })
    expect(await laptop.control().listBehaviours({})).toMatchObject([{ tookMs: ms, times: 0, well: 0 }])
  }
  await vi.waitFor(() => ran(60_000), LONG_WAIT)
  await vi.waitFor(() => ran(61_000), LONG_WAIT)
  expect(await recall(laptop, line)).toMatchObject({
    classification: { label: 'service' },
    learned: { words: 'run on your devices: took 61 s' },
  })
})

it('[JB107] what waits to be kept when the device is locked is kept; its document is no display its to open', async () => {
  const { job } = await start(laptop, 'cc in.c')
  const process = await runs(laptop)
  await becomes(laptop, job, { state: 'running' })
  process.exit(0)
  await becomes(laptop, job, { state: 'done' })
  await vi.waitFor(async () => expect(await laptop.control().listBehaviours({})).toHaveLength(1), LONG_WAIT)
  const display = laptop.connect('another display')
  await display.hello({ displayName: 'another' })
  await display.unlock({ passphrase: PASSPHRASE, how: 'beside' })
  await expect(display.attachDocument({ doc: 'behaviours' })).rejects.toMatchObject({ code: 'document/bad-name' })
  await laptop.control().lockDevice({})
  await expect(laptop.control().listBehaviours({})).rejects.toBeDefined()
  await laptop.control().unlockDevice({ passphrase: PASSPHRASE })
  expect(await laptop.control().listBehaviours({})).toHaveLength(1)
})

it('[JB105] a job that waits for its keyboard can be typed into in a terminal of this device', async () => {
  const control = laptop.control()
  const { job } = await start(laptop, 'cc in.c', true)
  const process = await runs(laptop)
  await becomes(laptop, job, { state: 'running', takesInput: true })
  process.observed = { cpuMs: 0, memoryBytes: 0, ports: [], waits: 'input' }
  await becomes(laptop, job, { waits: 'input' })
  const terminal = await control.openJobTerminal({ job, columns: 90, rows: 20 })
  expect(terminal).toMatchObject({ columns: 90, rows: 20 })
  expect(laptop.spawner.requests.at(-1)).toMatchObject({ file: 'elsewhere', args: ['attach', '--whole', job] })
  // Asked again, it is the same one.
  expect((await control.openJobTerminal({ job, columns: 80, rows: 24 })).terminalId).toBe(terminal.terminalId)
  // What runs in it does this.
  const output = control.channel((await control.openJobOutput({ job, from: 0 })).channel)
  output.send(encodeJobUp({ kind: 'input', bytes: utf8('yes\n') }))
  await vi.waitFor(() => expect(process.input).toBe('yes\n'), LONG_WAIT)
  expect(process.isInputEnded).toBe(false)
  process.exit(0)
  await becomes(laptop, job, { state: 'done' })
  await expect(laptop.control().openJobTerminal({ job, columns: 90, rows: 20 })).rejects.toMatchObject({ code: 'job/not-running' })
})

it('[JB105] nothing can be typed into one that was started without an input', async () => {
  const { job } = await start(laptop, 'cc in.c')
  const process = await runs(laptop)
  await becomes(laptop, job, { state: 'running' })
  await vi.waitFor(() => expect(process.isInputEnded).toBe(true), LONG_WAIT)
  const before = laptop.spawner.requests.length
  await expect(laptop.control().openJobTerminal({ job, columns: 90, rows: 20 })).rejects.toMatchObject({ code: 'job/no-input' })
  expect(laptop.spawner.requests).toHaveLength(before)
})
