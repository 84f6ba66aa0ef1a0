import { expect, it } from 'vitest'
import { SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import type { EngineCall } from './engine.ts'
import { SlurmEngine } from './slurm-engine.ts'

/* Answers as Debian's slurmrestd 22.05.8 gave them, cut to what differs. e2e/slurm.e2e.ts asks a real one. */

const meta = {
  plugin: { type: 'openapi/v0.0.38', name: 'Slurm OpenAPI v0.0.38' },
  Slurm: { version: { major: 22, micro: 8, minor: 5 }, release: '22.05.8' },
}
const job = (id: number, name: string, state: string, exit = 0) => ({
  job_id: id,
  name,
  job_state: state,
  state_reason: 'None',
  exit_code: exit,
  account: '',
})
const never = new AbortController().signal

function engineWith(answers: Readonly<Record<string, unknown>>, status = 200) {
  const asked: { method: string; url: string; body?: unknown; headers: Readonly<Record<string, string>> }[] = []
  const call: EngineCall = async ({ method, url, headers, body }) => {
    const at = url.replace('http://head:6820/slurm/v0.0.38', '')
    asked.push({ method, url: at, headers, ...(body !== undefined && { body: JSON.parse(body) as unknown }) })
    const found = answers[`${method} ${at}`] ?? answers[at]
    if (found instanceof Error) throw found
    return { status, text: typeof found === 'string' ? found : JSON.stringify(found ?? { meta, errors: [], jobs: [] }) }
  }
  return {
    asked,
    engine: new SlurmEngine({ url: 'http://head:6820', user: 'ada', token: 'ey.secret', shared: '/home/ada', partition: 'main' }, call),
  }
}

it('[EN3] a job is looked for by its name before it is sent, with the token in its header and nowhere else', async () => {
  const submission = {
    name: 'attempt1',
    arguments: ['-c', 'true'],
    folder: '/home/ada/p',
    environment: { CI: '1', SECRET: 'x' },
    service: false,
    network: false,
  }
  const { engine, asked } = engineWith({ 'POST /job/submit': { meta, errors: [], job_id: 7, step_id: 'BATCH', job_submit_user_msg: '' } })
  expect(await engine.submit(submission, never)).toEqual({ id: '7', state: 'queued' })
  expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /jobs', 'POST /job/submit'])
  expect(asked[1]).toMatchObject({
    headers: { 'X-SLURM-USER-NAME': 'ada', 'X-SLURM-USER-TOKEN': 'ey.secret' },
    body: {
      script: expect.stringContaining("cd '/home/ada/p' && /bin/sh '-c' 'true'"),
      job: {
        name: 'attempt1',
        partition: 'main',
        environment: { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8', CI: '1' },
        open_mode: 'append',
        standard_output: '/home/ada/.elsewhere-jobs/attempt1.out',
        standard_error: '/home/ada/.elsewhere-jobs/attempt1.out',
      },
    },
  })
  expect(JSON.stringify(asked[1]?.body)).not.toContain('secret')
  const again = engineWith({ '/jobs': { meta, errors: [], jobs: [job(9, 'attempt1', 'RUNNING'), job(7, 'attempt1', 'PENDING')] } })
  expect(await again.engine.submit(submission, never)).toEqual({ id: '7', state: 'queued' })
  expect(again.asked.length).toBe(1)
})

it.each([
  ['PENDING', 0, { state: 'queued' }],
  ['SUSPENDED', 0, { state: 'queued' }],
  ['RUNNING', 0, { state: 'running' }],
  ['COMPLETING', 0, { state: 'running' }],
  ['COMPLETED', 0, { state: 'ended', code: 0 }],
  ['FAILED', 768, { state: 'ended', code: 3 }],
  ['FAILED', 9, { state: 'ended', code: 0, signal: 9 }],
  ['CANCELLED', 15, { state: 'ended', code: 0, signal: 15, ended: 'cancelled' }],
  ['CANCELLED by 0', 0, { state: 'ended', code: 0, ended: 'cancelled' }],
  ['TIMEOUT', 0, { state: 'ended', code: 0, ended: 'time limit' }],
  ['OUT_OF_MEMORY', 32_000, { state: 'ended', code: 125, ended: 'memory' }],
  ['NODE_FAIL', 0, { state: 'ended', code: 0, ended: 'node failed' }],
  ['SOMETHING_NEW', 0, { state: 'ended', code: 0, ended: 'something_new' }],
])('[EN2] %s with status %i', async (state, exit, expected) => {
  const { engine } = engineWith({
    '/jobs': { meta, errors: [], jobs: [{ other: 'nonsense' }, job(3, 'x', 'RUNNING'), job(4, 'mine', state, exit)] },
  })
  expect(await engine.find('mine', never)).toEqual({ id: '4', ...expected })
})

it('[EN3] begun again it does nothing, and that is told apart from a program that ends with the same code', async () => {
  const told = async (more: object) => {
    const listed = { meta, errors: [], jobs: [{ ...job(4, 'mine', 'FAILED', 75 * 256), ...more }] }
    return engineWith({ '/jobs': listed }).engine.find('mine', never)
  }
  expect(await told({ restart_cnt: 1 })).toEqual({ id: '4', state: 'ended', code: 75, ended: 'requeued' })
  for (const more of [{ restart_cnt: 0 }, {}]) expect(await told(more)).toEqual({ id: '4', state: 'ended', code: 75 })
})

it('[EN3] by its number it is found sooner; a number that is another job or none by now is looked for by name', async () => {
  const { engine, asked } = engineWith({ '/job/4': { meta, errors: [], jobs: [job(4, 'mine', 'RUNNING')] } })
  expect(await engine.find('mine', never, { id: '4' })).toEqual({ id: '4', state: 'running' })
  expect(asked.length).toBe(1)
  const gone = {
    meta,
    errors: [{ description: 'Unable to find JobId=4', error_number: 2017, error: 'Invalid job id specified', source: 'slurm_load_job' }],
    jobs: [],
  }
  const inOtherWords = { ...gone, errors: [{ error_number: 2017, error: 'Ung\u00fcltige Nummer' }] }
  for (const answer of [gone, inOtherWords, { meta, errors: [], jobs: [job(4, 'another', 'RUNNING')] }]) {
    const other = engineWith({ '/job/4': answer, '/jobs': { meta, errors: [], jobs: [job(6, 'mine', 'PENDING')] } })
    expect(await other.engine.find('mine', never, { id: '4' })).toEqual({ id: '6', state: 'queued' })
  }
  const refused = engineWith({ '/job/4': { ...gone, errors: [{ error_number: 2002, error: 'no access to that job id' }] } })
  await expect(refused.engine.find('mine', never, { id: '4' })).rejects.toMatchObject({ code: 'engine/refused', numbers: [2002] })
})

it('[EN2] how it is: nodes that are up, and what waits', async () => {
  const { engine } = engineWith({
    '/ping': { meta, errors: [], pings: [{ hostname: 'vm', ping: 'UP', status: 0, mode: 'primary' }] },
    '/nodes': {
      meta,
      errors: [],
      nodes: [
        { cpus: 8, idle_cpus: 3, state: 'mixed' },
        { cpus: 4, alloc_cpus: 1, state: 'idle' },
        { cpus: 64, idle_cpus: 64, state: 'down' },
      ],
    },
    '/jobs': { meta, errors: [], jobs: [job(1, 'a', 'PENDING'), job(2, 'b', 'RUNNING')] },
  })
  expect(await engine.describe(never)).toEqual({ version: 'Slurm 22.05.8', cores: 12, idleCores: 6, queued: 1 })
  const down = engineWith({ '/ping': { meta, errors: [], pings: [{ hostname: 'vm', ping: 'DOWN', status: 1, mode: 'primary' }] } })
  await expect(down.engine.describe(never)).rejects.toMatchObject({ code: 'engine/unreachable' })
})

it('[EN2] no answer, a refused token, its refusals and nonsense are told apart', async () => {
  const of = (answer: unknown, status = 200) => engineWith({ '/jobs': answer }, status).engine.find('x', never)
  await expect(of(new Error('connect ECONNREFUSED'))).rejects.toMatchObject({
    code: 'engine/unreachable',
    message: expect.stringContaining('ECONNREFUSED'),
  })
  await expect(of('Authentication failure', 500)).rejects.toMatchObject({
    code: 'engine/refused',
    message: expect.stringContaining('scontrol token'),
  })
  const error = {
    description: 'slurmctld config is unable to load',
    error_number: -1,
    error: 'Unspecified error',
    source: 'slurm_load_ctl_conf',
  }
  await expect(of({ meta, errors: [error] }, 500)).rejects.toMatchObject({
    code: 'engine/refused',
    message: expect.stringContaining('token'),
  })
  await expect(of({ meta, errors: [{ error: 'Access denied' }], jobs: [] }, 500)).rejects.toMatchObject({
    code: 'engine/refused',
    message: expect.stringContaining('Access denied'),
  })
  for (const nonsense of ['<html>login</html>', '', '{"jobs":', '[]', '{"errors":[],"jobs":{}}', 'null'])
    await expect(of(nonsense), nonsense).rejects.toMatchObject({ code: 'engine/nonsense' })
  await expect(of({ meta, errors: [], jobs: [] }, 502)).rejects.toMatchObject({ code: 'engine/nonsense' })
})

it('[EN2] whatever comes is an answer or one of these errors (fuzz)', async () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  const good = JSON.stringify({ meta, errors: [], jobs: [job(4, 'mine', 'RUNNING'), job(5, 'x', 'FAILED', 256)] })
  for (let round = 0; round < 2_000; round++) {
    let text = good
    for (let n = random.below(4); n >= 0; n--) {
      const at = random.below(text.length)
      text =
        text.slice(0, at) +
        random.pick(['', '"', '{', '}', '[', ']', ',', '-1', '1e999', 'null', '\u0000', '"job_id":']) +
        text.slice(at + random.below(9))
    }
    const found = await engineWith({ '/jobs': text }, random.pick([200, 200, 200, 500]))
      .engine.find('mine', never)
      .catch((error: { code?: string }) => error.code)
    const isKnown = found === undefined || typeof found === 'object' || ['engine/nonsense', 'engine/refused'].includes(found)
    expect({ seed, round, text, isKnown }).toMatchObject({ isKnown: true })
  }
})
