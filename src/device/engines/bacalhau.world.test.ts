import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeEach, expect, it, vi } from 'vitest'
import { type Clock, systemClock } from '../../base/clock.ts'
import { writeTar } from '../../jobs/engines/tar.ts'
import type { JobInfo } from '../../jobs/jobs-contract.ts'
import { callEngine } from '../../platform/node/call-engine.ts'
import { engineStreams } from '../../platform/node/engine-streams.ts'
import { BacalhauNode } from '../../testkit/bacalhau-node.ts'
import type { FakeJob } from '../../testkit/bacalhau-network.ts'
import { DeviceWorld, PASSPHRASE, type WorldDevice } from '../../testkit/device-world.ts'
import type { MemoryTree } from '../../testkit/memory-tree.ts'
import { LONG_WAIT } from '../../testkit/paired-devices.ts'
import { SeededRandom } from '../../testkit/seeded-random.ts'
import { helloModule } from '../../testkit/wasm-module.ts'

/* Against a fake of Bacalhau over real HTTP, which really runs what it is given. */

const KEY = 'key-of-twenty-letters'
const FOLDER = '/home/test/p'
/** There is no container: a file of this machine holds what runs there, until a test lets it go. */
const hold = path.join(mkdtempSync(path.join(os.tmpdir(), 'ew-hold-')), 'go')
const HELD = `until [ -e ${hold} ]; do sleep 0.05; done`
const release = () => writeFileSync(hold, '')
afterAll(() => rmSync(path.dirname(hold), { recursive: true, force: true }))

let world: DeviceWorld
let device: WorldDevice
let node: BacalhauNode
let folder: MemoryTree
let others: BacalhauNode[] = []

/** Long waits are a sixth of what they are: what is waited for here answers soon, or not at all. */
const hurried: Clock = { ...systemClock, after: (ms, then) => systemClock.after(ms < 1_000 ? ms : ms / 6, then) }

beforeEach(async () => {
  rmSync(hold, { force: true })
  node = await BacalhauNode.start({ key: KEY })
  world = new DeviceWorld(hurried)
  device = await world.install('laptop')
  await device.setUp()
  ;[device.engineCall, device.engineStreams] = [callEngine, engineStreams(path.join(path.dirname(hold), 'fetched'))]
  folder = device.trees.at(FOLDER)
  folder.write('words', 'pear\napple\n')
  await device.control().addEngine({ name: 'net', kind: 'bacalhau', url: node.url, image: 'busybox:1', token: KEY })
})
afterEach(async () => {
  expect(device.errors).toEqual([])
  world.dispose()
  for (const one of [node, ...others.splice(0)]) await one.dispose()
})

const known = async () => (await device.control().listJobs({}))[0] as JobInfo
const start = (commandLine: string, more: object = {}) =>
  device.control().startJob({ commandLine, folder: FOLDER, input: false, policy: { where: { device: 'engine:net' }, ...more } })
const becomes = (expected: object) => vi.waitFor(async () => expect(await known()).toMatchObject(expected), LONG_WAIT)
const job = () => node.network.jobs[0] as FakeJob
const restart = async () => {
  device.stop()
  await device.start()
  await device.control().unlockDevice({ passphrase: PASSPHRASE })
}
async function outputOf({ job: id }: JobInfo): Promise<string> {
  const client = device.control()
  const { channel } = await client.openJobOutput({ job: id, from: 0 })
  let text = ''
  await new Promise<void>((resolve) => {
    const from = client.channel(channel)
    from.onDidReceive((message) => {
      if (message[0] === 0) text += new TextDecoder().decode(message.subarray(10))
      if (message[0] === 2) resolve()
    })
    from.onDidClose(() => resolve())
  })
  return text
}

it('[EN7][EN8][EN9] a line runs there in a copy of the folder; output of both streams, its exit code and what it left come back', async () => {
  await start('sort words > sorted; echo more >> words; echo out; echo err >&2; exit 3')
  await becomes({ state: 'failed', exit: { code: 3 }, device: 'engine:net', results: { files: 2, conflicts: 0 } })
  expect({ sorted: folder.text('sorted'), words: folder.text('words') }).toEqual({ sorted: 'apple\npear\n', words: 'pear\napple\nmore\n' })
  expect([...(await outputOf(await known())).trim().split('\n')].toSorted()).toEqual(['err', 'out'])
  const { attempts } = await known()
  expect({ name: job().spec.Name, runs: node.network.runs }).toEqual({ name: attempts[0]?.attempt, runs: 1 })
  const keys = (isOfResults: boolean) => node.asked.flatMap(({ line, key }) => (line.startsWith('results') === isOfResults ? [key] : []))
  expect(new Set(keys(false))).toEqual(new Set([`Bearer ${KEY}`]))
  expect(keys(true)).toEqual([undefined])
})

it('[EN9] what was changed here meanwhile stays, the result lies beside it; nothing is removed, links are left out and counted', async () => {
  folder.write('gone', 'x')
  await start(`rm gone; ln -s /etc/passwd link; echo theirs > words; ${HELD}`)
  await becomes({ state: 'running' })
  folder.write('words', 'mine\n')
  release()
  expect(device.keptIn('engine-copies')).toHaveLength(1)
  await becomes({ state: 'done', results: { files: 1, conflicts: 1 } })
  expect(device.keptIn('engine-copies')).toEqual([])
  expect([...folder.entries.keys()].toSorted()).toEqual(['gone', 'words', 'words (from net)'])
  expect(folder.text('words')).toBe('mine\n')
  expect(await outputOf(await known())).toBe('[left out of its results: 1, links or devices]\n')
})

it('[EN9] a folder that it made where a file or link stands here lies beside it', async () => {
  await folder.makeLink('data', '/mnt/big')
  await start(`rm words; mkdir words data; echo x > words/y; echo z > data/z; ${HELD}`)
  await becomes({ state: 'running' })
  folder.write('words', 'mine\n')
  release()
  await becomes({ state: 'done', results: { files: 2, conflicts: 2 } })
  expect([...folder.entries.keys()].toSorted()).toEqual([
    'data',
    'data (from net)',
    'data (from net)/z',
    'words',
    'words (from net)',
    'words (from net)/y',
  ])
  expect({ words: folder.text('words'), data: await folder.stat('data') }).toMatchObject({
    words: 'mine\n',
    data: { kind: 'link', target: '/mnt/big' },
  })
})

it('[EN10] it is starting while its image is fetched, and running when it begins, though it writes nothing', async () => {
  node.network.isPulling = true
  await start(HELD)
  await vi.waitFor(() => expect(job()?.state).toBe('Running'), LONG_WAIT)
  const asked = node.asked.length
  await vi.waitFor(() => expect(node.asked.length).toBeGreaterThan(asked + 4), LONG_WAIT)
  expect((await known()).state).toBe('starting')
  node.network.isPulling = false
  await becomes({ state: 'running', outputBytes: 0 })
  release()
  await becomes({ state: 'done' })
})

it('[EN10] a log that is cut again and again is read on, and nothing is shown twice or lost, also over a restart', async () => {
  node.faults.cutLogAfter = 7
  await start('for n in 1 2 3 4 5 6 7 8 9; do echo "line $n"; sleep 0.12; done')
  await vi.waitFor(async () => expect((await known()).outputBytes).toBeGreaterThan(20), LONG_WAIT)
  await restart()
  node.faults.cutLogAfter = 20
  await becomes({ state: 'done' })
  expect(await outputOf(await known())).toBe([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `line ${n}\n`).join(''))
  expect(node.network.runs).toBe(1)
})

it.each(['nothing', '500'] as const)('[EN7] taken, and then it says %s: it is found by its name, and runs once', async (how) => {
  node.faults.afterSubmit = how
  await start('echo once >> did')
  node.faults.afterSubmit = undefined
  await becomes({ state: 'done', results: { files: 1 } })
  expect({ runs: node.network.runs, did: folder.text('did'), version: job().version }).toEqual({ runs: 1, did: 'once\n', version: 1 })
})

it.each([
  ['down', { down: true }, { down: false }],
  ['nonsense', { nonsense: '<html>' }, { nonsense: undefined }],
  ['odd json', { nonsense: '{"Job":{"Name":7},"Items":{}}' }, { nonsense: undefined }],
  ['slow', { slowMs: 3_000 }, { slowMs: 0 }],
])('[EN2][EN6] %s: the job is shown as waiting for it, begun nowhere else, and nothing of it is lost', async (_, fault, mended) => {
  await start(`echo begun; ${HELD}; echo made > made`)
  await becomes({ state: 'running' })
  Object.assign(node.faults, fault)
  await becomes({ state: 'waiting', waitingFor: expect.stringContaining('net does not answer') })
  Object.assign(node.faults, mended)
  await becomes({ state: 'running' })
  release()
  await becomes({ state: 'done' })
  expect({ made: folder.text('made'), runs: node.network.runs, here: device.jobSpawner.processes }).toEqual({
    made: 'made\n',
    runs: 1,
    here: [],
  })
})

it('[EN9] results that are gone are said to be, with the exit code; a place that is away is asked again', async () => {
  node.faults.resultsDown = true
  await start('echo x > made')
  await vi.waitFor(() => expect(node.asked.filter(({ line }) => line.startsWith('results')).length).toBeGreaterThan(4), LONG_WAIT)
  expect(folder.text('made')).toBeUndefined()
  node.faults.resultsDown = false
  await becomes({ state: 'done' })
  expect(folder.text('made')).toBe('x\n')
  node.faults.resultsGone = true
  await start('echo y > made; exit 4')
  await becomes({ state: 'failed', error: { code: 'engine/results-lost', message: expect.stringMatching(/ended with 4.*answered 404/) } })
  node.faults.resultsGone = false
  node.faults.results = Buffer.from('<html>')
  await start('echo z > made')
  await becomes({ state: 'failed', error: { code: 'engine/results-lost', message: expect.stringContaining('no archive') } })
  expect(folder.text('made')).toBe('x\n')
})

it.each(['none', '404'] as const)('[EN9] where it says that it published nothing (%s) the job fails, with its exit code', async (how) => {
  node.faults.unpublished = how
  await start('echo x > made; exit 5')
  await becomes({ state: 'failed', error: { code: 'engine/results-lost', message: expect.stringContaining('ended with 5') } })
})

it.each([
  ['are said to lie elsewhere', () => (node.faults.resultsRedirect = `${node.url}/elsewhere.tar.gz`), /answered 302/],
  [
    'hold what no disk takes',
    () =>
      (node.faults.results = gzipSync(
        writeTar([{ kind: 'file', path: 'outputs/x', mode: 0o644, modifiedMs: 0, bytes: Buffer.from('x') }]),
      )),
    /ended with 0/,
  ],
])('[EN9] results that %s end the job, and are not fetched for ever', async (_, break_, message) => {
  break_()
  device.trees.at(FOLDER).create = async () => Promise.reject(new Error('EIO'))
  await start('echo x > made')
  await becomes({ state: 'failed', error: { code: 'engine/results-lost', message: expect.stringMatching(message) } })
  const fetches = node.asked.filter(({ line }) => line.startsWith('results')).length
  expect(fetches).toBeLessThanOrEqual(5)
  expect(node.asked.filter(({ line }) => line.includes('elsewhere.tar.gz'))).toEqual([])
})

it('[EN4][EN9] cancelled while its results are away it ends here', async () => {
  node.faults.resultsDown = true
  await start('echo x > made')
  await vi.waitFor(() => expect(node.asked.filter(({ line }) => line.startsWith('results')).length).toBeGreaterThan(0), LONG_WAIT)
  await device.control().cancelJob({ job: (await known()).job })
  await becomes({ state: 'cancelled' })
})

it('[EN10] a log that is gone when it has ended, or is closed in the middle: all is shown, once', async () => {
  Object.assign(node.faults, { logGoneAfterEnd: true, cutLogAfter: 2 })
  await start('for n in 1 2 3 4; do echo "line $n"; echo "odd $n" >&2; sleep 0.1; done; ln -s /etc/passwd link')
  await becomes({ state: 'done' })
  const lines = (await outputOf(await known())).trim().split('\n')
  const left = '[left out of its results: 1, links or devices]'
  expect(lines.toSorted()).toEqual([left, ...[1, 2, 3, 4].flatMap((n) => [`line ${n}`, `odd ${n}`])].toSorted())
  Object.assign(node.faults, { logGoneAfterEnd: false, cutLogAfter: undefined, closeLogAfter: 2 })
  node.network.forget(job())
  await start('for n in 1 2 3 4 5 6; do echo "line $n"; sleep 0.2; done')
  await vi.waitFor(async () => expect((await known()).outputBytes).toBeGreaterThan(20), LONG_WAIT)
  expect((await known()).state).toBe('running')
  await becomes({ state: 'done' })
  expect(await outputOf(await known())).toBe([1, 2, 3, 4, 5, 6].map((n) => `line ${n}\n`).join(''))
})

it('[EN8][EN10] a module of the folder runs; its output and what it left come when it has ended', async () => {
  folder.entries.set('hello.wasm', {
    entry: { kind: 'file', path: 'hello.wasm', bytes: helloModule(0).length, modifiedMs: 2_000, mode: 0o644 },
    bytes: helloModule(0),
  })
  await start('./hello.wasm with words')
  await becomes({ state: 'done' })
  expect(folder.text('made')).toBe('hello\n')
  expect(await outputOf(await known())).toBe('hello\n')
  await expect(start('./other.wasm x')).resolves.toMatchObject({ state: 'failed', error: { code: 'engine/bad-line' } })
  await expect(start('./hello.wasm | cat')).resolves.toMatchObject({ error: { code: 'engine/bad-line' } })
})

it('[EN11] cancelled it ends there; ended there it is said here; a node that is lost is replaced, and that is said', async () => {
  await start('echo begun; sleep 600')
  await becomes({ state: 'running' })
  await device.control().cancelJob({ job: (await known()).job })
  await becomes({ state: 'cancelled' })
  expect(job()).toMatchObject({ state: 'Stopped' })
  node.network.forget(job())
  await start('echo begun; sleep 600')
  await becomes({ state: 'running' })
  node.network.stop(job(), 'by another')
  await becomes({ state: 'failed', error: { code: 'job/ended-cancelled' } })
  node.network.forget(job())
  await start(`echo begun; ${HELD}; echo over`)
  await becomes({ state: 'running', outputBytes: 6 })
  node.network.loseNode(job())
  release()
  await becomes({ state: 'done' })
  expect(await outputOf(await known())).toBe('begun\n\n[net began it again: its node was lost, or could not go on]\nbegun\nover\n')
})

it('[EN11] a service runs until it is stopped', async () => {
  await start('npx http-server')
  await vi.waitFor(() => expect(job()?.spec).toMatchObject({ Type: 'service' }), LONG_WAIT)
  expect(job().spec.Tasks[0]).not.toHaveProperty('Timeouts')
  await device.control().cancelJob({ job: (await known()).job })
  await vi.waitFor(() => expect(job().state).toBe('Stopped'), LONG_WAIT)
})

it('[EN7][EN12] keys, images, limits: what is wrong is said before anything is sent', async () => {
  const control = device.control()
  const add = (more: object) => control.addEngine({ name: 'b', kind: 'bacalhau', url: node.url, token: KEY, ...more })
  await expect(add({ token: 'wrong' })).rejects.toMatchObject({ code: 'engine/refused' })
  await expect(add({ url: 'http://127.0.0.1:9' })).rejects.toMatchObject({ code: 'engine/unreachable' })
  expect(await add({})).toMatchObject({ state: 'ready', why: 'Bacalhau v1.9.3-fake, 3 of 3 cores idle, runs docker and wasm', cores: 3 })
  expect(JSON.stringify(await control.listEngines({ ask: true }))).not.toContain(KEY)
  const why = async (commandLine: string, name = 'b', policy = {}) =>
    (await control.explainPlacement({ commandLine, folder: FOLDER, policy })).table.find((row) => row.device === `engine:${name}`)?.why
  expect(await why('sort words')).toBe('runs images: name one with --image, or in its settings')
  expect(await why('sort words', 'b', { image: 'busybox:1' })).toMatch(/idle, 3 cores$/)
  expect(await why('./x.wasm')).not.toContain('image')
  expect(await why('vim words', 'net')).toBe('has no terminal and no display')
  await expect(start('true', { where: { device: 'engine:b' } })).rejects.toMatchObject({ code: 'job/not-placed' })
  folder.entries.set('large', {
    entry: { kind: 'file', path: 'large', bytes: 40 * 2 ** 20, modifiedMs: 1, mode: 0o644 },
    bytes: new Uint8Array(),
  })
  await start('true')
  await becomes({ state: 'failed', error: { code: 'engine/folder-too-large', message: expect.stringContaining('40.0 MiB') } })
  folder.entries.delete('large')
  await start('true', { image: 'alpine@sha256:0123' })
  await becomes({ state: 'done' })
  expect(job().spec.Tasks[0]?.Engine.Params).toMatchObject({ Image: 'alpine@sha256:0123' })
})

/** Another network, without a job. */
async function another(): Promise<BacalhauNode> {
  const other = await BacalhauNode.start()
  others.push(other)
  return other
}

it('[EN13] another engine by that name: what runs is followed where it was sent, over a restart, and nothing is asked of it elsewhere', async () => {
  await start(`echo begun; ${HELD}; echo made > made`)
  await becomes({ state: 'running' })
  const other = await another()
  const control = device.control()
  await control.addEngine({ name: 'net', kind: 'bacalhau', url: other.url, image: 'busybox:1', token: '' })
  expect(await control.listEngines({ ask: false })).toMatchObject([{ url: other.url, jobs: 1 }])
  await restart()
  await becomes({ state: 'running' })
  release()
  await becomes({ state: 'done', results: { files: 1 } })
  expect(folder.text('made')).toBe('made\n')
  // Only whether it knows the attempt was asked of it; the key of the one before went nowhere else, and is kept no longer.
  expect(other.asked.filter(({ key }) => key !== undefined)).toEqual([])
  expect(other.asked.filter(({ line }) => /PUT|DELETE|logs|results/.test(line))).toEqual([])
  expect([device.keptIn('engines-former'), device.keptIn('engine-places')]).toEqual([[], []])
  await start('true')
  await becomes({ state: 'done' })
  expect(other.network.runs).toBe(1)
})

it('[EN13] another namespace is another place; the same one at another address is found there by the name of the attempt', async () => {
  await start(`echo begun; ${HELD}`)
  await becomes({ state: 'running' })
  const add = (more: object) =>
    device.control().addEngine({ name: 'net', kind: 'bacalhau', url: node.url, image: 'busybox:1', token: KEY, ...more })
  await add({ namespace: 'mine' })
  await restart()
  await becomes({ state: 'running' })
  await add({ url: node.url.replace('127.0.0.1', 'localhost') })
  await restart()
  await becomes({ state: 'running' })
  expect(device.keptIn('engines-former')).toEqual([])
  release()
  await becomes({ state: 'done' })
})

it('[EN13] removed while jobs run there it says how many; removed all the same they wait, by code, until it is added again', async () => {
  await start(`echo begun; ${HELD}; echo made > made`)
  await becomes({ state: 'running' })
  const control = device.control()
  expect(await control.listEngines({ ask: false })).toMatchObject([{ name: 'net', jobs: 1 }])
  await expect(control.removeEngine({ name: 'net' })).rejects.toMatchObject({ code: 'engine/in-use', message: /one job runs on net/ })
  await control.removeEngine({ name: 'net', force: true })
  await becomes({ state: 'waiting', waitingFor: expect.stringMatching(/^\[engine\/unknown\] it was sent to net at http.*engine add/) })
  await restart()
  await becomes({ state: 'waiting', waitingFor: expect.stringContaining('[engine/unknown]') })
  const other = await another()
  await device.control().addEngine({ name: 'net', kind: 'bacalhau', url: other.url, image: 'busybox:1', token: '' })
  await becomes({ state: 'waiting', waitingFor: expect.stringContaining(`net is now ${other.url}`) })
  await device.control().addEngine({ name: 'again', kind: 'bacalhau', url: node.url, token: KEY })
  await becomes({ state: 'running' })
  release()
  await becomes({ state: 'done' })
  expect({ made: folder.text('made'), runs: node.network.runs, other: other.network.runs }).toEqual({ made: 'made\n', runs: 1, other: 0 })
})

it('[EN4][EN13] cancelled while its engine is not here any more it is ended when that is added again', async () => {
  await start(`echo begun; ${HELD}`)
  await becomes({ state: 'running' })
  await device.control().removeEngine({ name: 'net', force: true })
  await becomes({ state: 'waiting' })
  await device.control().cancelJob({ job: (await known()).job })
  await becomes({ state: 'cancelled' })
  expect(job().state).toBe('Running')
  await device.control().addEngine({ name: 'net', kind: 'bacalhau', url: node.url, token: KEY })
  await vi.waitFor(() => expect(job().state).toBe('Stopped'), LONG_WAIT)
  await vi.waitFor(() => expect(device.keptIn('engine-places')).toEqual([]), LONG_WAIT)
})

/** A Mbit a second to a clock that hurries. */
const MBIT = (1_000_000 / 8) * 6

it('[EN14] a folder of 6 MiB over a link of one Mbit a second: sent, followed and ended, and never said to be away', async () => {
  const random = new SeededRandom(7)
  const bytes = Uint8Array.from({ length: 6_000_000 }, () => random.below(256))
  folder.entries.set('large', { entry: { kind: 'file', path: 'large', bytes: bytes.length, modifiedMs: 1, mode: 0o644 }, bytes })
  node.faults.bytesPerSecond = MBIT
  const states = new Set<string>()
  const changes = device.control().onDidChangeJob(({ state }) => states.add(state))
  await start(`rm large; echo begun; ${HELD}; echo made > made`)
  await becomes({ state: 'running' })
  const asked = node.asked.length
  await vi.waitFor(() => expect(node.asked.length - asked).toBeGreaterThan(5), LONG_WAIT)
  release()
  await becomes({ state: 'done', results: { files: 1 } })
  changes.dispose()
  expect([...states].toSorted()).toEqual(['done', 'running', 'starting'])
  expect({ runs: node.network.runs, made: folder.text('made') }).toEqual({ runs: 1, made: 'made\n' })
  // Its input came back never: a job is told with all of it.
  const wholes = node.asked.filter(({ line }) => line.includes('include=')).map(({ line }) => line)
  expect(wholes).toHaveLength(1)
}, 60_000)

it('[EN4][EN14] ended while it is sent over a slow link it is not taken; ended while its answer is slow it is ended by its name', async () => {
  const random = new SeededRandom(8)
  const bytes = Uint8Array.from({ length: 6_000_000 }, () => random.below(256))
  folder.entries.set('large', { entry: { kind: 'file', path: 'large', bytes: bytes.length, modifiedMs: 1, mode: 0o644 }, bytes })
  node.faults.bytesPerSecond = MBIT
  void start('echo once >> did').catch(() => undefined)
  await vi.waitFor(() => expect(node.asked.some(({ line }) => line.startsWith('PUT'))).toBe(true), LONG_WAIT)
  await device.control().cancelJob({ job: (await known()).job })
  await becomes({ state: 'cancelled' })
  await vi.waitFor(() => expect(node.asked.some(({ line }) => line.startsWith('cut off: PUT'))).toBe(true), LONG_WAIT)
  expect(node.network.jobs).toEqual([])
  node.faults.bytesPerSecond = undefined
  folder.entries.delete('large')
  const puts = () => node.asked.filter(({ line }) => line.startsWith('PUT')).length
  node.faults.afterSubmit = 'late'
  const before = puts()
  void start(`echo begun; ${HELD}`).catch(() => undefined)
  await vi.waitFor(() => expect([puts() - before, job()?.state]).toEqual([1, 'Running']), LONG_WAIT)
  await device.control().cancelJob({ job: (await known()).job })
  await vi.waitFor(() => expect(job().state).toBe('Stopped'), LONG_WAIT)
  await becomes({ state: 'cancelled' })
  node.faults.afterSubmit = undefined
  expect(node.network.jobs).toHaveLength(1)
})

it('[EN4] locked while it is sent, nothing goes on to the engine, and its key with it; the engine took none of it', async () => {
  const random = new SeededRandom(8)
  const bytes = Uint8Array.from({ length: 6_000_000 }, () => random.below(256))
  folder.entries.set('large', { entry: { kind: 'file', path: 'large', bytes: bytes.length, modifiedMs: 1, mode: 0o644 }, bytes })
  node.faults.bytesPerSecond = MBIT
  void start('echo once >> did').catch(() => undefined)
  await vi.waitFor(() => expect(node.asked.some(({ line }) => line.startsWith('PUT'))).toBe(true), LONG_WAIT)
  await device.control().lockDevice({})
  await vi.waitFor(() => expect(node.asked.some(({ line }) => line.startsWith('cut off: PUT'))).toBe(true), LONG_WAIT)
  expect(node.network.jobs).toEqual([])
  node.faults.bytesPerSecond = undefined
  const puts = () => node.asked.filter(({ line }) => line.startsWith('PUT')).length
  const before = puts()
  await device.control().unlockDevice({ passphrase: PASSPHRASE })
  // It may have been taken, as far as this device knows: it is asked for by its name, and not sent a second time.
  await vi.waitFor(() => expect(node.asked.at(-1)?.line).toMatch(/^GET/), LONG_WAIT)
  await device.control().cancelJob({ job: (await known()).job })
  await becomes({ state: 'cancelled' })
  expect([puts() - before, node.network.jobs]).toEqual([0, []])
})

it('[EN4][JB44] cancelled while its folder is read for it: it is never sent, whatever the reading comes to', async () => {
  const list = folder.list.bind(folder)
  let read = () => {}
  let isAsked = false
  folder.list = async () => {
    isAsked = true
    await new Promise<void>((resolve) => (read = resolve))
    return list()
  }
  void start('echo once >> did').catch(() => undefined)
  await vi.waitFor(() => expect(isAsked).toBe(true), LONG_WAIT)
  await device.control().cancelJob({ job: (await known()).job })
  await becomes({ state: 'cancelled' })
  folder.list = list
  read()
  // The next one goes by the same way, and only it is sent.
  await start('echo twice >> did')
  await becomes({ state: 'done' })
  const sent = node.asked.filter(({ line }) => line.startsWith('PUT')).length
  expect({ sent, runs: node.network.runs, did: folder.text('did') }).toEqual({ sent: 1, runs: 1, did: 'twice\n' })
})

it('[EN9] locked while what it left is put back: nothing more goes into the folder, and all of it does once the desk is open again', async () => {
  const tree = device.trees.at(FOLDER)
  const create = tree.create.bind(tree)
  const begun: string[] = []
  let open = () => {}
  const isOpen = new Promise<void>((resolve) => (open = resolve))
  tree.create = async (entry) => {
    begun.push(entry.path)
    if (entry.path === 'b') await isOpen
    return create(entry)
  }
  await start('for n in a b c; do echo $n > $n; done')
  await vi.waitFor(() => expect(begun).toContain('b'), LONG_WAIT)
  await device.control().lockDevice({})
  open()
  await new Promise((resolve) => setTimeout(resolve, 200))
  const held = () => [...folder.entries.keys()].filter((name) => name.length === 1).toSorted()
  expect({ held: held(), begun }).toEqual({
    held: begun.filter((name) => name !== 'b').toSorted(),
    begun: begun.slice(0, begun.indexOf('b') + 1),
  })
  tree.create = create
  await device.control().unlockDevice({ passphrase: PASSPHRASE })
  await becomes({ state: 'done' })
  expect(['a', 'b', 'c'].map((name) => folder.text(name))).toEqual(['a\n', 'b\n', 'c\n'])
  expect(node.network.runs).toBe(1)
})
