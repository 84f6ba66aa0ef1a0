import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import type { WorkflowInfo, WorkflowRow } from '../../jobs/workflow/workflow-contract.ts'
import { buildIfStale, RunningDevice, runCommand } from '../daemon/running-device.suite.ts'

const cleanUps: (() => unknown)[] = []
const LONG_WAIT = { timeout: 60_000, interval: 100 }
let device: RunningDevice
let folder: string
let flow: string
let log: string

beforeAll(buildIfStale, 180_000)
beforeEach(async () => {
  device = new RunningDevice()
  cleanUps.push(() => device.dispose())
  folder = mkdtempSync(path.join(os.tmpdir(), 'elsewhere-flow-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  flow = path.join(folder, 'flow.yml')
  log = path.join(folder, 'log')
  await device.start()
  const create = ['create', '--person', 'Ada', '--device', 'Lamp', '--unattended', '--data', device.folder]
  expect(runCommand(create, { input: 'correct horse battery\n' })).toMatchObject({ status: 0 })
})
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

const elsewhere = (...args: string[]) => runCommand([...args, '--data', device.folder])
const workflow = (...args: string[]) => elsewhere('workflow', ...args)
const put = (name: string, text: string) => {
  const file = path.join(folder, 'input')
  writeFileSync(file, text)
  expect(elsewhere('fs', 'put', file, `/work/${name}`)).toMatchObject({ status: 0, stderr: '' })
}
const cat = (name: string) => elsewhere('fs', 'cat', `/work/${name}`).stdout
/** What really ran since the last look, as each step's program wrote it down itself. */
const ran = () => {
  const lines = existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').filter(Boolean) : []
  rmSync(log, { force: true })
  return lines.toSorted()
}
const states = (json: string) => Object.fromEntries((JSON.parse(json) as WorkflowInfo).steps.map(({ step, state }) => [step, state]))

const five = () => `
name: Words
folder: work
jobs:
  sort: { inputs: [words], run: "echo sort >> ${log}; sort words > sorted", outputs: [sorted] }
  count: { needs: sort, run: "echo count >> ${log}; mkdir n; wc -l < sorted > n/lines", outputs: [n] }
  pick:
    matrix: { letter: [a, b] }
    needs: [sort]
    inputs: ["list/\${{ matrix.letter }}"]
    env: { FROM: list }
    run: |
      echo pick \${{ matrix.letter }} >> ${log}
      cat "$FROM/\${{ matrix.letter }}" sorted > picked-\${{ matrix.letter }}
    outputs: ["picked-\${{ matrix.letter }}"]
  page: { needs: [count, pick], run: "echo page >> ${log}; cat n/lines picked-a picked-b > page", outputs: [page] }
`
const ALL_FIVE = ['count', 'page', 'pick a', 'pick b', 'sort']

function putFive(): void {
  mkdirSync(path.join(folder, 'list'))
  expect(elsewhere('fs', 'mkdir', '/work')).toMatchObject({ status: 0 })
  expect(elsewhere('fs', 'mkdir', '/work/list')).toMatchObject({ status: 0 })
  put('words', 'pear\napple\n')
  put('list/a', 'A\n')
  put('list/b', 'B\n')
  writeFileSync(flow, five())
}

it('[WF5][WF7][FW2][FW3] five jobs run; again, nothing does; with one input changed, what depends on it and nothing else', () => {
  putFive()
  const first = workflow('run', flow)
  expect(first).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/^Words: done, 5 done, /m) })
  expect(ran()).toEqual(ALL_FIVE)
  expect(cat('page')).toBe('2\nA\napple\npear\nB\napple\npear\n')
  const jobs = () => JSON.parse(elsewhere('jobs', '--json').stdout).length as number
  expect(jobs()).toBe(5)

  expect(workflow('show', flow).stdout).toContain('nothing to run')
  const second = workflow('run', flow)
  expect(second).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Words: done, 5 unchanged, /m) })
  expect({ ran: ran(), jobs: jobs() }).toEqual({ ran: [], jobs: 5 })

  put('list/b', 'Bee\n')
  expect(states(workflow('show', '--json', flow).stdout)).toMatchObject({
    sort: 'unchanged',
    'pick[letter=a]': 'unchanged',
    'pick[letter=b]': 'waiting',
    page: 'waiting',
  })
  expect(workflow('show', flow).stdout).toMatch(/waiting +pick\[letter=b\] +list\/b changed$/m)
  expect(workflow('run', flow)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Words: done, 2 done, 3 unchanged, /m) })
  expect(ran()).toEqual(['page', 'pick b'])
  expect(cat('page')).toBe('2\nA\napple\npear\nBee\napple\npear\n')

  // Another order of the same words: sorted they are the same, so nothing that reads them runs.
  put('words', 'apple\npear\n')
  expect(workflow('run', flow)).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Words: done, 1 done, 4 unchanged, /m) })
  expect(ran()).toEqual(['sort'])
  // A file that is gone from a folder that is put out goes from the dataset's.
  writeFileSync(
    flow,
    five().replace('wc -l < sorted > n/lines', 'wc -l < sorted > n/count; cp n/count n/again').replace('cat n/lines', 'cat n/count'),
  )
  expect(workflow('run', flow)).toMatchObject({ status: 0 })
  expect(JSON.parse(elsewhere('fs', 'ls', '/work/n', '--json').stdout).map(({ name }: { name: string }) => name)).toEqual([
    'again',
    'count',
  ])
  expect(ran()).toEqual(['count', 'page'])
  expect(readdirSync(device.data.work)).toEqual([])
}, 240_000)

it('[WF2][WF6] what is wrong in a file is told with its line; what fails, with what it wrote', () => {
  putFive()
  writeFileSync(flow, five().replace('needs: sort,', 'needs: page,').replace('inputs: [words]', 'inputs: [word]'))
  expect(workflow('run', flow)).toMatchObject({
    status: 1,
    stdout: '',
    stderr: `${flow}:16:19: these wait for each other: count needs page needs count [workflow/cycle]\n`,
  })
  writeFileSync(flow, five().replace('inputs: [words]', 'inputs: [word]'))
  expect(workflow('show', flow)).toMatchObject({
    status: 1,
    stderr: `${flow}:5:20: word is not in Home/work, and no job puts it out [workflow/missing-input]\n`,
  })
  writeFileSync(flow, five().replace('wc -l < sorted > n/lines', 'echo not today; exit 4'))
  const failed = workflow('run', flow)
  expect(failed).toMatchObject({
    status: 1,
    stdout: expect.stringMatching(/^failed +count +it ended with code 4: not today \[workflow\/job-failed\]/m),
  })
  expect(failed.stdout).toMatch(/^skipped +page +count did not come to its end$/m)
  expect(ran()).toEqual(['count', 'pick a', 'pick b', 'sort'])
}, 240_000)

it('[WF10] killed in the middle, and its files process too, it goes on by itself: what was begun begins once', async () => {
  expect(elsewhere('fs', 'mkdir', '/work')).toMatchObject({ status: 0 })
  put('go', 'one')
  const gate = path.join(folder, 'gate')
  writeFileSync(
    flow,
    `folder: work
parallel: 2
jobs:
  before: { inputs: [go], run: "echo before >> ${log}; cp go a", outputs: [a] }
  slow: { needs: before, run: "echo slow >> ${log}; while [ ! -e ${gate} ]; do sleep 0.05; done; echo slow > b", outputs: [b] }
  beside: { needs: before, matrix: { n: [1, 2, 3] }, run: "echo beside \${{matrix.n}} >> ${log}; echo x > c\${{matrix.n}}", outputs: ["c\${{matrix.n}}"] }
  after: { needs: [slow, beside], run: "echo after >> ${log}; cat b c1 c2 c3 > d", outputs: [d] }
`,
  )
  expect(workflow('run', '--detach', flow)).toMatchObject({ status: 0 })
  const known = () => states(workflow('show', '--json', flow).stdout)
  const listed = () => (JSON.parse(workflow('list', '--json').stdout) as WorkflowRow[])[0]
  await vi.waitFor(() => expect(known()).toMatchObject({ slow: 'running', 'beside[n=3]': 'done' }), LONG_WAIT)
  for (const name of ['device', 'files'] as const) {
    const { processes } = await device.status()
    process.kill(processes.find((one) => one.name === name)?.pid as number, 'SIGKILL')
  }
  await vi.waitFor(() => expect(known()).toMatchObject({ slow: 'running', after: 'waiting' }), LONG_WAIT)
  appendFileSync(gate, '')
  await vi.waitFor(() => expect(listed()).toMatchObject({ state: 'done', counts: { done: 6 } }), LONG_WAIT)
  expect(ran()).toEqual(['after', 'before', 'beside 1', 'beside 2', 'beside 3', 'slow'])
  expect(cat('d')).toBe('slow\nx\nx\nx\n')
  expect(workflow('run', flow)).toMatchObject({ status: 0, stdout: expect.stringContaining('6 unchanged') })
}, 240_000)
