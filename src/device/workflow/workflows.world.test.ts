import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { base64Of } from '../../base/base64.ts'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import type { WorkflowInfo } from '../../jobs/workflow/workflow-contract.ts'
import { DeviceWorld, PASSPHRASE, type WorldDevice } from '../../testkit/device-world.ts'
import type { FakeJobProcess } from '../../testkit/fake-job-process.ts'
import { linked, LONG_WAIT, pair } from '../../testkit/paired-devices.ts'

let world: DeviceWorld
let device: WorldDevice
let dataset: string
const answered = new Set<FakeJobProcess>()

beforeEach(async () => {
  world = new DeviceWorld()
  device = await world.install('laptop')
  device.cores = 2
  await device.setUp()
  dataset = await vi.waitFor(async () => {
    const [home] = await device.control().listDatasets({})
    if (!home) throw new Error('no dataset yet')
    return home.dataset
  }, LONG_WAIT)
})
afterEach(() => {
  expect(device.errors).toEqual([])
  world.dispose()
})

const SOURCE = '/home/test/flow.yml'
const TEXT = `
name: Count
jobs:
  split: { run: split, inputs: [in.txt], outputs: [parts/1, parts/2] }
  count:
    needs: [split]
    matrix: { n: [1, 2] }
    run: count \${{ matrix.n }}
    outputs: ["counts/\${{ matrix.n }}"]
  extra: { run: look, inputs: [other.txt], outputs: [looked] }
  sum: { needs: [count], run: sum, outputs: [sum.txt] }
`

async function put(name: string, text: string): Promise<void> {
  const client = device.control()
  const path = `/${name}`
  const there = await client.datasetAt({ dataset, path }).catch(() => undefined)
  const to = there ? { node: there.node, base: there.version } : { parent: '0'.repeat(32), name }
  const { write } = await client.beginDatasetWrite({ dataset, to })
  await client.appendDatasetWrite({ write, base64: base64Of(new TextEncoder().encode(text)) })
  await client.commitDatasetWrite({ write })
}
async function textAt(path: string): Promise<string> {
  const client = device.control()
  const { node, bytes } = await client.datasetAt({ dataset, path })
  return Buffer.from((await client.readDatasetBytes({ dataset, node, offset: 0, length: Math.max(1, bytes) })).base64, 'base64').toString()
}

const lineOf = ({ request }: FakeJobProcess) => request.arguments[1] as string
const begun = () => device.jobSpawner.processes.filter((process) => !answered.has(process))
/** The program of that line; its folder is given to `work`, and then it ends. */
async function perform(line: string, work: (folder: ReturnType<typeof device.trees.at>) => void, code = 0): Promise<void> {
  const process = await vi.waitFor(() => {
    const found = begun().find((one) => lineOf(one) === line)
    if (!found) throw new Error(`${line} does not run; ${begun().map(lineOf).join(', ')} do`)
    return found
  }, LONG_WAIT)
  answered.add(process)
  work(device.trees.at(process.request.folder))
  process.exit(code)
}
const split = () =>
  perform('split', (folder) => {
    const [a = '', b = ''] = (folder.text('in.txt') ?? '').split('|')
    folder.write('parts/1', a)
    folder.write('parts/2', b)
  })
const count = (n: number) => perform(`count ${n}`, (folder) => folder.write(`counts/${n}`, `${(folder.text(`parts/${n}`) ?? '').length}`))
const look = () => perform('look', (folder) => folder.write('looked', `saw ${folder.text('other.txt')}`))
const sum = () => perform('sum', (folder) => folder.write('sum.txt', `${folder.text('counts/1')}+${folder.text('counts/2')}`))

const run = () => device.control().runWorkflow({ source: SOURCE, text: TEXT })
const known = async (): Promise<WorkflowInfo> => {
  const [{ workflow = '' } = {}] = await device.control().listWorkflows({})
  return device.control().readWorkflow({ workflow })
}
const ends = (state: string) => vi.waitFor(async () => expect((await known()).state).toBe(state), LONG_WAIT)
const states = async () => Object.fromEntries((await known()).steps.map(({ step, state }) => [step, state]))
const forecast = async () => {
  const { info, problems } = await device.control().checkWorkflow({ source: SOURCE, text: TEXT })
  return problems.length > 0 ? problems : Object.fromEntries(info?.steps.map(({ step, state, why }) => [step, `${state}: ${why}`]) ?? [])
}

async function putInputs(): Promise<void> {
  await put('in.txt', 'aaa|bb')
  await put('other.txt', 'it')
}
async function runAll(): Promise<void> {
  await putInputs()
  await run()
  await Promise.all([split(), look(), count(1), count(2), sum()])
  await ends('done')
}

it('[WF5][WF7] runs what is new; once more nothing; with one input changed only what depends on it', async () => {
  await runAll()
  expect(await textAt('/sum.txt')).toBe('3+2')
  expect((await known()).steps[0]).toMatchObject({ job: 'split', state: 'done', why: 'not run before', deviceJob: expect.any(String) })
  const began = device.jobSpawner.processes.length

  await run()
  await ends('done')
  expect(device.jobSpawner.processes.length).toBe(began)
  expect(new Set(Object.values(await states()))).toEqual(new Set(['unchanged']))

  await put('other.txt', 'more')
  expect(await forecast()).toMatchObject({
    split: 'unchanged: as it was',
    extra: 'waiting: other.txt changed',
    sum: 'unchanged: as it was',
  })
  await run()
  await look()
  await ends('done')
  expect(device.jobSpawner.processes.slice(began).map(lineOf)).toEqual(['look'])
  expect(await textAt('/looked')).toBe('saw more')

  // Of what it put out only one piece is another: the other count is not done again.
  await put('in.txt', 'aaa|bbbb')
  expect(await forecast()).toMatchObject({ split: 'waiting: in.txt changed', 'count[n=1]': 'waiting: split runs first' })
  await run()
  await Promise.all([split(), count(1), count(2), sum()])
  await ends('done')
  expect(await textAt('/sum.txt')).toBe('3+4')
})

it('[WF7] what was put out and is not as it was left is made again; an input that is as it was before costs nothing', async () => {
  await runAll()
  await put('sum.txt', 'written over')
  expect(await forecast()).toMatchObject({ 'count[n=2]': 'unchanged: as it was', sum: 'waiting: what it put out is not as it left it' })
  await run()
  await sum()
  await ends('done')
  expect(await textAt('/sum.txt')).toBe('3+2')
  await put('other.txt', 'another')
  await put('other.txt', 'it')
  expect(Object.values(await forecast())).toEqual(Array.from({ length: 5 }, () => 'unchanged: as it was'))
})

it('[WF8] the list is told without reading a step of any: how many stand how is kept with their ends', async () => {
  await runAll()
  const row = { source: SOURCE, name: 'Count', state: 'done', counts: { done: 5 } }
  expect(await device.control().listWorkflows({})).toEqual([
    { ...row, workflow: expect.any(String), startedAtMs: expect.any(Number), endedAtMs: expect.any(Number) },
  ])
  await device.control().lockDevice({})
  await device.control().unlockDevice({ passphrase: PASSPHRASE })
  const reading = vi.spyOn(MemoryKeyValueStore.prototype, 'get')
  expect(await device.control().listWorkflows({})).toMatchObject([row])
  expect(reading.mock.calls.filter(([space]) => space === 'workflow-steps')).toEqual([])
  reading.mockRestore()
  expect((await known()).steps.map(({ state }) => state)).toEqual(['done', 'done', 'done', 'done', 'done'])
  await expect(device.control().readWorkflow({ workflow: '0'.repeat(32) })).rejects.toMatchObject({ code: 'workflow/unknown' })
})

it('[WF2] a missing input is refused with its line, before anything runs', async () => {
  await put('in.txt', 'a|b')
  const said = { code: 'workflow/missing-input', message: expect.stringContaining('other.txt is not in Home') }
  await expect(run()).rejects.toMatchObject({ ...said, message: expect.stringContaining('line 10: other.txt is not in Home') })
  expect(await forecast()).toMatchObject([{ ...said, line: 10, column: 32 }])
  await expect(device.control().runWorkflow({ source: 'x', text: 'jobs: { a: { run: x, needs: a } }' })).rejects.toMatchObject({
    code: 'workflow/cycle',
    message: 'line 1: these wait for each other: a needs a',
  })
  await expect(device.control().runWorkflow({ source: 'x', text: 'dataset: Away\njobs: { a: { run: x } }' })).rejects.toMatchObject({
    code: 'workflow/no-dataset',
  })
  expect(await device.control().listWorkflows({})).toEqual([])
})

it('[WF6] one that fails says how; what needs it is left out, the rest is done, and it alone runs the next time', async () => {
  await putInputs()
  await run()
  await look()
  await perform('split', () => undefined, 3)
  await ends('failed')
  expect(await states()).toEqual({ split: 'failed', 'count[n=1]': 'skipped', 'count[n=2]': 'skipped', extra: 'done', sum: 'skipped' })
  expect((await known()).steps[0]?.error).toEqual({ code: 'workflow/job-failed', message: 'it ended with code 3' })
  await run()
  await perform('split', (folder) => folder.write('parts/1', 'a'))
  await ends('failed')
  expect((await known()).steps[0]?.error).toMatchObject({
    code: 'workflow/no-output',
    message: expect.stringContaining('parts/2 was not put out'),
  })
  expect(await states()).toMatchObject({ extra: 'unchanged' })
})

it('[WF9] cancelled, what runs is ended and what waits does not begin', async () => {
  await putInputs()
  const { workflow } = await run()
  await vi.waitFor(() => expect(begun().length).toBe(2), LONG_WAIT)
  await expect(device.control().runWorkflow({ source: SOURCE, text: `${TEXT}  new: { run: x }` })).rejects.toMatchObject({
    code: 'workflow/runs-already',
  })
  expect(await run()).toMatchObject({ workflow, state: 'running' })
  await device.control().cancelWorkflow({ workflow })
  await ends('cancelled')
  expect(new Set(Object.values(await states()))).toEqual(new Set(['cancelled']))
  expect(begun().every(({ hasEnded }) => hasEnded)).toBe(true)
  await device.control().forgetWorkflow({ workflow })
  expect(await device.control().listWorkflows({})).toEqual([])
  await expect(device.control().cancelWorkflow({ workflow })).rejects.toMatchObject({ code: 'workflow/unknown' })
})

it('[WF10] a device that is locked in the middle goes on where it was: nothing that was begun begins twice', async () => {
  await putInputs()
  await run()
  await look()
  await vi.waitFor(async () => expect(await states()).toMatchObject({ extra: 'done', split: 'running' }), LONG_WAIT)
  await device.control().lockDevice({})
  await device.control().unlockDevice({ passphrase: PASSPHRASE })
  await vi.waitFor(async () => expect(await states()).toMatchObject({ extra: 'done', split: 'running' }), LONG_WAIT)
  await Promise.all([split(), count(1), count(2), sum()])
  await ends('done')
  expect(device.jobSpawner.processes.map(lineOf).toSorted()).toEqual(['count 1', 'count 2', 'look', 'split', 'sum'])
  expect(await textAt('/sum.txt')).toBe('3+2')
  expect([...device.trees.folders.keys()].filter((path) => path.startsWith('/work/'))).toEqual([])
})

it('[WF10] what steps of before left behind is removed when the desk opens, and not what goes on', async () => {
  await putInputs()
  await run()
  await look()
  await vi.waitFor(async () => expect(await states()).toMatchObject({ extra: 'done', split: 'running' }), LONG_WAIT)
  const works = () => [...device.trees.folders.keys()].filter((path) => path.startsWith('/work/')).toSorted()
  const [goesOn] = works()
  const left = [`/work/${'a'.repeat(32)}`, `/work/${'b'.repeat(32)}`]
  await device.control().lockDevice({})
  for (const path of left) device.trees.at(path).write('half', 'done')
  expect(works()).toEqual([goesOn, ...left].toSorted())
  await device.control().unlockDevice({ passphrase: PASSPHRASE })
  await vi.waitFor(() => expect(works()).toEqual([goesOn]), LONG_WAIT)
  await Promise.all([split(), count(1), count(2), sum()])
  await ends('done')
  expect(await textAt('/sum.txt')).toBe('3+2')
})

it('[WF11] a step whose device is lost is begun anew in a folder as it was first; it cannot be moved', async () => {
  const server = await world.install('server')
  await server.setUp()
  await pair(device, server)
  await linked(device, server)
  await putInputs()
  await device
    .control()
    .runWorkflow({ source: SOURCE, text: 'jobs: { a: { run: sort in.txt, on: server, inputs: [in.txt], outputs: [out.csv] } }' })
  const runs = (nth: number) =>
    vi.waitFor(() => {
      const found = server.jobSpawner.processes[nth]
      if (!found) throw new Error('it does not run')
      return found
    }, LONG_WAIT)
  const { request } = await runs(0)
  const [{ deviceJob: job = '' } = {}] = (await known()).steps
  const here = (await device.control().listDevices({})).find(({ name }) => name === 'laptop')?.deviceId ?? ''
  await expect(device.control().moveJob({ job, device: here })).rejects.toMatchObject({
    ...{ code: 'job/not-moved', message: expect.stringContaining('step of a workflow') },
  })
  device.trees.at(request.folder).write('out.csv', 'row\n') // brought while it ran
  server.stop()
  await server.start()
  await server.control().unlockDevice({ passphrase: PASSPHRASE })
  const again = await runs(1)
  expect(device.trees.at(request.folder).text('out.csv')).toBeUndefined()
  for (const tree of server.trees.lent.values()) tree.write('out.csv', 'row\n')
  again.exit(0)
  await ends('done')
  expect(await textAt('/out.csv')).toBe('row\n')
  expect((await device.control().listJobs({})).length).toBe(2)
})
