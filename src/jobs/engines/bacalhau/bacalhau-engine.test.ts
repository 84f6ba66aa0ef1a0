import { expect, it } from 'vitest'
import { SeededRandom, seedOfRun } from '../../../testkit/seeded-random.ts'
import { storedBytes } from '../../../testkit/stored-bytes.ts'
import { type EngineAnswer, type EngineCall, EngineError, type EngineStreams } from '../engine.ts'
import { BacalhauEngine } from './bacalhau-engine.ts'

/* Answers of the shapes that Bacalhau publishes. The suite beside asks a fake of it over HTTP, and a real one where there is one. */

const never = new AbortController().signal
const refusal = (Status: number, Message: string, more: object = {}) => ({
  Status,
  Message,
  RequestID: 'r',
  Code: '',
  Component: 'x',
  ...more,
})
const execution = (ID: string, StateType: number, more: object = {}) => ({
  ID,
  CreateTime: Number(ID.slice(2)),
  ComputeState: { StateType },
  ...more,
})
const jobAnswer = (state: string, executions: readonly object[] = [], Message?: string) => ({
  Job: { ID: 'j-1', Name: 'mine', State: { StateType: state, ...(Message !== undefined && { Message }) } },
  Executions: { NextToken: '', Items: executions },
})
const output = (ExitCode: number) => ({ RunOutput: { Stdout: '', ExitCode, ErrorMsg: '' } })

type Said = EngineAnswer | Error | object
function engineWith(say: (line: string) => Said, streams: Partial<EngineStreams> = {}) {
  const asked: { line: string; headers: Readonly<Record<string, string>>; body: string | undefined }[] = []
  const call: EngineCall = async ({ method, url, headers, body }) => {
    const line = `${method} ${url.replace('http://orchestrator:1234/api/v1', '')}`
    asked.push({ line, headers, body })
    const said = say(line)
    if (said instanceof Error) throw said
    return 'text' in said ? said : { status: 'Status' in said ? Number(said.Status) : 200, text: JSON.stringify(said) }
  }
  const settings = { url: 'http://orchestrator:1234', token: 'secret-key', image: 'busybox:1' }
  return { asked, engine: new BacalhauEngine(settings, call, streams as EngineStreams) }
}
const submission = { name: 'mine', arguments: ['-c', 'true'], folder: '/p', environment: {}, service: false, network: false, files: [] }

it.each([
  ['Pending', [], { state: 'queued' }],
  ['Queued', [], { state: 'queued' }],
  ['Running', [execution('e-1', 2)], { state: 'queued' }],
  ['Running', [execution('e-1', 6)], { state: 'running', run: 'e-1' }],
  ['Running', [execution('e-2', 5), execution('e-1', 10)], { state: 'running', run: 'e-2' }],
  ['Running', [execution('e-1', 10)], { state: 'queued' }],
  ['Completed', [execution('e-1', 9, output(3)), execution('e-1', 9, output(3))], { state: 'ended', run: 'e-1', code: 3 }],
  ['Completed', [execution('e-1', 9, output(-1))], { state: 'ended', run: 'e-1', code: 0 }],
  ['Stopped', [execution('e-1', 11)], { state: 'ended', run: 'e-1', code: 143, ended: 'cancelled' }],
])('[EN7][EN11] %s with executions %j', async (state, executions, expected) => {
  const { engine } = engineWith(() => jobAnswer(state, executions))
  expect(await engine.find('mine', never)).toEqual({ id: 'j-1', ...expected })
})

it.each([
  ['container was killed: memory limit exceeded', { code: 137, ended: 'memory' }],
  ['execution timed out after 30m0s', { code: 124, ended: 'time limit' }],
  [
    'pull access denied for nothing/there',
    { code: 1, error: { code: 'engine/failed', message: expect.stringContaining('pull access denied') } },
  ],
])('[EN11] failed since "%s"', async (message, expected) => {
  const failed = execution('e-1', 10, { ComputeState: { StateType: 10, Message: message } })
  const { engine } = engineWith(() => jobAnswer('Failed', [failed], 'exhausted retries'))
  expect(await engine.find('mine', never)).toEqual({ id: 'j-1', run: 'e-1', state: 'ended', ...expected })
})

it('[EN7] a job that begins with that name, or that id, is another; ended and not how is nonsense', async () => {
  const other = { ...jobAnswer('Running'), Job: { ...jobAnswer('Running').Job, Name: 'mine-2' } }
  expect(await engineWith(() => other).engine.find('mine', never)).toBeUndefined()
  expect(await engineWith(() => refusal(404, 'job not found: mine')).engine.find('mine', never)).toBeUndefined()
  await expect(engineWith(() => jobAnswer('Completed')).engine.find('mine', never)).rejects.toMatchObject({ code: 'engine/nonsense' })
})

it.each(['..', 'a/b', '\ud800', 'a?b', ''])('[EN2][EN7] an id that would lead elsewhere (%j) is nonsense', async (ID) => {
  const job = { ...jobAnswer('Running'), Job: { ...jobAnswer('Running').Job, ID } }
  await expect(engineWith(() => job).engine.find('mine', never)).rejects.toMatchObject({ code: 'engine/nonsense' })
  const run = jobAnswer('Running', [{ ...execution('e-1', 6), ID }])
  await expect(engineWith(() => run).engine.find('mine', never)).rejects.toMatchObject({ code: 'engine/nonsense' })
  const sent = engineWith((line) => (line.startsWith('GET') ? refusal(404, 'job not found') : { JobID: ID }))
  await expect(sent.engine.submit(submission, never)).rejects.toMatchObject({ code: 'engine/unreachable' })
})

it('[EN7] while it runs only its executions are asked for, by its id, with the key in the header and nowhere else', async () => {
  const { engine, asked } = engineWith((line) => (line.includes('/executions') ? { Items: [execution('e-1', 6)] } : jobAnswer('Running')))
  expect(await engine.find('mine', never, { id: 'j-1' })).toEqual({ id: 'j-1', run: 'e-1', state: 'running' })
  expect(asked.map(({ line }) => line)).toEqual(['GET /orchestrator/jobs/j-1/executions?'])
  expect(asked[0]?.headers).toMatchObject({ authorization: 'Bearer secret-key' })
  expect(JSON.stringify(asked.map(({ line, body }) => [line, body]))).not.toContain('secret')
})

it('[EN14] its executions tell that a batch job is over; while it waits it is asked for whole when they change, and now and then', async () => {
  let executions = [execution('e-1', 2)]
  let state = 'Queued'
  const { engine, asked } = engineWith((line) => (line.includes('/executions?') ? { Items: executions } : jobAnswer(state, executions)))
  const known = { id: 'j-1', isService: false }
  const wholes = () => asked.filter(({ line }) => line.includes('include=')).length
  for (let n = 0; n < 22; n++) expect(await engine.find('mine', never, known)).toEqual({ id: 'j-1', state: 'queued' })
  expect(wholes()).toBe(2)
  expect(await engine.find('mine', never, { ...known, isEnding: true })).toEqual({ id: 'j-1', state: 'queued' })
  expect(wholes()).toBe(3)
  executions = [execution('e-2', 6), execution('e-1', 10)]
  expect(await engine.find('mine', never, known)).toEqual({ id: 'j-1', run: 'e-2', state: 'running' })
  executions = [execution('e-2', 9, output(3)), execution('e-1', 10)]
  expect(await engine.find('mine', never, known)).toEqual({ id: 'j-1', run: 'e-2', state: 'ended', code: 3 })
  expect(wholes()).toBe(3)
  // A service goes on though one of its runs has ended.
  expect(await engine.find('mine', never, { id: 'j-1', isService: true })).toEqual({ id: 'j-1', state: 'queued' })
  ;[executions, state] = [[execution('e-2', 10)], 'Failed']
  expect(await engine.find('mine', never, known)).toMatchObject({ state: 'ended', error: { code: 'engine/failed' } })
})

it('[EN7] looked for by its name before it is sent; its token is that name; what is there by then is it', async () => {
  let there = false
  const { engine, asked } = engineWith((line) => {
    if (line.startsWith('GET')) return there ? jobAnswer('Pending') : refusal(404, 'job not found')
    there = true
    return refusal(500, "no changes detected for new job spec. Job Name: 'mine'", { Hint: 'Use the --force flag' })
  })
  expect(await engine.submit(submission, never)).toEqual({ id: 'j-1', state: 'queued' })
  expect(asked.map(({ line }) => line)).toEqual([
    'GET /orchestrator/jobs/mine?include=executions',
    'PUT /orchestrator/jobs?idempotency_token=mine',
    'GET /orchestrator/jobs/mine?include=executions',
  ])
})

it.each([
  ['cut off', new Error('socket hang up'), 'engine/unreachable'],
  ['502 of a proxy', { status: 502, text: '<html>' }, 'engine/unreachable'],
  ['200 and nothing said', { status: 200, text: '' }, 'engine/unreachable'],
  ['its own time limit', refusal(503, 'Server Timeout!'), 'engine/unreachable'],
  ['refused', refusal(400, 'missing job tasks', { Hint: 'give one' }), 'engine/refused'],
  ['its own error', refusal(500, 'disk full'), 'engine/refused'],
  ['the key', { status: 401, text: '{}' }, 'engine/refused'],
  ['a page', { status: 418, text: '<html>' }, 'engine/nonsense'],
])('[EN2][EN7] sent, and the answer is %s: whether it may have been taken is told apart', async (_, answer, code) => {
  const { engine } = engineWith((line) => (line.startsWith('GET') ? refusal(404, 'job not found') : (answer as Said)))
  await expect(engine.submit(submission, never)).rejects.toMatchObject({ code })
})

it('[EN8] what cannot be sent is said before it is: no image, a line for a shell with a module, odd names', async () => {
  const none = (more: object) => engineWith(() => refusal(404, 'not found')).engine.submit({ ...submission, ...more }, never)
  await expect(none({ arguments: ['-c', './x.wasm | cat'] })).rejects.toMatchObject({ code: 'engine/bad-line' })
  await expect(none({ arguments: ['-c', './x.wasm'] })).rejects.toMatchObject({ code: 'engine/bad-line' })
  await expect(none({ files: [{ kind: 'folder', path: String.raw`a\b`, mode: 0o755 }] })).rejects.toMatchObject({
    code: 'engine/bad-folder',
  })
  const random = new SeededRandom(7)
  const bytes = Uint8Array.from({ length: 7_000_000 }, () => random.below(256))
  await expect(none({ files: [{ kind: 'file', path: 'a', mode: 0o644, modifiedMs: 0, bytes }] })).rejects.toMatchObject({
    code: 'engine/folder-too-large',
  })
  const without = new BacalhauEngine(
    { url: 'http://x', token: '' },
    async () => ({ status: 404, text: JSON.stringify(refusal(404, 'x')) }),
    {} as EngineStreams,
  )
  await expect(without.submit(submission, never)).rejects.toMatchObject({ code: 'engine/no-image' })
})

/** Answers that were good until they were cut, doubled and mixed. */
function broken(random: SeededRandom, good: string): string {
  let text = good
  for (let n = random.below(4); n >= 0; n--) {
    const at = random.below(text.length)
    const piece = random.pick([
      '',
      '"',
      '{',
      '}',
      '[',
      ']',
      ',',
      '-1',
      '1e999',
      'null',
      '\u0000',
      '"StateType":',
      '99',
      '"Completed"',
      '"URL":"file:///etc/passwd"',
      '..',
      '\\ud800',
    ])
    text = text.slice(0, at) + piece + text.slice(at + random.below(9))
  }
  return text
}

const CODES = ['engine/nonsense', 'engine/refused', 'engine/unreachable', 'engine/results-lost']
const GOOD = [
  jobAnswer('Completed', [execution('e-1', 9, output(0)), execution('e-2', 10)]),
  { Items: [{ Type: 'urlDownload', Params: { URL: 'http://10.0.0.1:6001/e-1.tar.gz' } }] },
  {
    Nodes: [
      {
        Info: { NodeType: 'Compute', ComputeNodeInfo: { ExecutionEngines: ['docker'], MaxCapacity: { CPU: 4 }, AvailableCapacity: {} } },
        ConnectionState: { Status: 'CONNECTED' },
      },
    ],
    GitVersion: 'v1',
  },
  { JobID: 'j-1', EvaluationID: 'e', Warnings: [] },
  { value: { Type: 1, Line: 'text' } },
]

/** What comes of answers that are nonsense; the first of it that is neither an answer nor an error with a code. @param careless  in place of how a job is found: a planted bug */
async function fuzz(seed: number, careless?: (text: string) => unknown): Promise<object | undefined> {
  const random = new SeededRandom(seed)
  for (let round = 0; round < 1_500; round++) {
    const text = broken(random, JSON.stringify(random.pick(GOOD)))
    const status = random.pick([200, 200, 200, 404, 409, 500, 503])
    async function* open() {
      yield text
    }
    const fetched: string[] = []
    const download = async (url: string) => {
      if (!/^https?:/.test(url)) fetched.push(url)
      return { status, bytes: storedBytes(new TextEncoder().encode(text)) }
    }
    const streams = { open, download }
    const { engine } = engineWith(() => ({ status, text }), streams)
    const drain = async () => {
      for await (const { text: line } of engine.output({ id: 'j-1', state: 'running' }, never)) if (typeof line !== 'string') return line
      return undefined
    }
    const work = random.pick([
      async () => (careless ? careless(text) : engine.find('mine', never)),
      () => engine.find('mine', never, { id: 'j-1' }),
      () => engine.submit(submission, never),
      () => engine.describe(never),
      () => engine.cancel({ name: 'mine', id: 'j-1' }, never),
      () => engine.results({ id: 'j-1', state: 'ended', code: 0 }, never),
      drain,
    ])
    const error = await (work() as Promise<unknown>).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    if (fetched.length > 0) return { seed, round, status, text, error: `fetched ${fetched[0]}` }
    if (error !== undefined && !(error instanceof EngineError && CODES.includes(error.code)))
      return { seed, round, status, text, error: String(error) }
  }
  return undefined
}

it('[EN2][EN7] whatever comes is an answer or one of its errors (fuzz)', async () => {
  expect(await fuzz(seedOfRun())).toBeUndefined()
})

it('[EN2] the fuzz finds a bug that was planted: a job that is read without looking', async () => {
  const careless = (text: string) => (JSON.parse(text) as ReturnType<typeof jobAnswer>).Job.Name
  expect(await fuzz(seedOfRun(), careless)).toMatchObject({ error: expect.stringMatching(/^(TypeError|SyntaxError)/) })
})
