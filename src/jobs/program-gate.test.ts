import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Emitter } from '../base/emitter.ts'
import { createClient } from '../rpc/client.ts'
import { silentLogger } from '../base/logger.ts'
import { attemptHostParts } from '../testkit/attempt-host-parts.ts'
import { fakeProgramId, FakePlacedPrograms } from '../testkit/fake-placed-programs.ts'
import { FakeJobSpawner } from '../testkit/fake-job-process.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { memoryChannelPair } from '../testkit/memory-channels.ts'
import { PATIENT } from '../testkit/paired-devices.ts'
import { memoryTransportPair } from '../rpc/memory-transport.ts'
import { MemoryTreePlaces } from '../testkit/memory-tree.ts'
import { pipeChannels } from '../rpc/pipe-channels.ts'
import { AttemptHost } from './attempt-host.ts'
import type { AttemptRequest } from './attempt-contract.ts'
import { decodeJobDown, type AttemptExit } from './job-frames-contract.ts'
import type { ProgramRight, ProgramRights } from './program-rights-contract.ts'
import { hostProcessContract, serveHost } from './serve-host.ts'

const ID = '2'.repeat(16)
const request = (more: Partial<AttemptRequest> = {}): AttemptRequest => ({
  attempt: ID,
  program: 'make',
  arguments: [],
  environment: {},
  folder: '/home/ada/project',
  home: '/home/ada',
  network: false,
  service: false,
  withoutSandbox: false,
  containers: false,
  ...more,
})
const right = (name: string, more: Partial<ProgramRight> = {}): ProgramRight => ({
  grant: `grant of ${name}`,
  ids: [fakeProgramId(name)],
  runs: true,
  ...more,
})
const photos = { hostPath: '/mnt/Photos', path: '/home/ada/Elsewhere/Photos', mayWrite: false }

let spawner: FakeJobSpawner
let programs: FakePlacedPrograms
let noSandbox: string | undefined
let near: AttemptHost
let host: AttemptHost
let exit: AttemptExit | undefined
/** The host as its device calls it. */
let client: ReturnType<typeof connect>

const connect = () => {
  const [mine, theirs] = memoryTransportPair()
  const nothing = new Emitter<never>().event
  const terminals = { onDidChangeTerminal: nothing, onDidChangeScreen: nothing }
  serveHost({ host: terminals, attempts: host, logger: silentLogger } as never, theirs)
  return createClient(hostProcessContract, mine)
}
const lease = async (rights?: ProgramRights, more: Partial<AttemptRequest> = {}) => {
  const [offered, tree] = memoryChannelPair()
  await near.offerTree(ID, '/home/ada/project', 'server', offered)
  const opened = await client.startFor({ asker: 'kitchen', request: request(more), ...(rights && { rights }) })
  client.channel(opened.channel).onDidReceive((bytes) => {
    const frame = decodeJobDown(bytes)
    if (frame?.kind === 'exit') exit = frame
  })
  pipeChannels(tree, client.channel(opened.tree))
}
const runs = () => spawner.processes.filter(({ isEnding, hasEnded }) => !isEnding && !hasEnded).map(({ request }) => request)

beforeEach(() => {
  const clock = new ManualClock()
  spawner = new FakeJobSpawner()
  programs = new FakePlacedPrograms()
  noSandbox = undefined
  exit = undefined
  const mine = new MemoryTreePlaces()
  mine.at('/home/ada/project').write('input', 'given')
  near = new AttemptHost(attemptHostParts(clock, { places: mine }))
  host = new AttemptHost(attemptHostParts(clock, { spawner, programs, noSandbox: () => noSandbox }))
  client = connect()
})
afterEach(() => {
  for (const one of [near, host]) one.dispose()
})

it('[JB91] whoever may run one program here runs that, by its own file; another one is refused, whatever it is called', async () => {
  await lease({ needed: true, rights: [right('make')] })
  await vi.waitFor(() => expect(runs()).toHaveLength(1), PATIENT)
  expect(runs()).toMatchObject([{ program: '/usr/bin/make', sandbox: { folders: [] } }])
})

it.each([
  ['another program', { needed: true, rights: [right('cc')] }, 'job/program-refused'],
  [
    'a grant to the program that is not one to run it',
    { needed: true, rights: [right('make', { runs: false, folder: photos })] },
    'job/program-refused',
  ],
  ['no grant', { needed: true, rights: [] }, 'job/program-refused'],
] as const)('[JB91] %s: refused by what it is', async (_, rights, code) => {
  await lease(rights as unknown as ProgramRights)
  await vi.waitFor(() => expect(exit?.error?.code).toBe(code), PATIENT)
  expect(spawner.processes).toEqual([])
})

it.each([
  ['is one plain command, it is that command', "make -j4 'a b'", ['make'], { program: '/usr/bin/make', arguments: ['-j4', 'a b'] }],
  ['may be run by a shell, it is the shell with all that it runs', 'make && cc', ['/bin/sh'], { arguments: ['-c', 'make && cc'] }],
] as const)('[JB91] where the line of a shell %s', async (_, line, names, run) => {
  await lease({ needed: true, rights: names.map((name) => right(name)) }, { program: '/bin/sh', arguments: ['-c', line] })
  await vi.waitFor(() => expect(runs()).toHaveLength(1), PATIENT)
  expect(runs()).toMatchObject([run])
})

it.each(['make; cc', 'make $(cc)', 'make > out', 'CC=cc make', 'make | cc', 'make &', 'exec make'])(
  '[JB91] "%s" is more than the program that was granted: refused',
  async (line) => {
    await lease({ needed: true, rights: [right('make')] }, { program: '/bin/sh', arguments: ['-c', line] })
    await vi.waitFor(() => expect(exit?.error?.code).toBe('job/program-refused'), PATIENT)
    expect(spawner.processes).toEqual([])
  },
)

it('[JB91] a program that is not there is no program that was granted', async () => {
  programs.missing.add('make')
  await lease({ needed: true, rights: [right('make')] })
  await vi.waitFor(() => expect(exit?.error?.code).toBe('program/not-found'), PATIENT)
  expect(spawner.processes).toEqual([])
})

it.each([
  ['there is no sandbox', 'bubblewrap is not installed', {}],
  ['none is asked for', undefined, { withoutSandbox: true }],
  ['the network is asked for', undefined, { network: true }],
] as const)('[JB91] where %s, a grant to a program gives nothing', async (_, why, more) => {
  noSandbox = why
  await expect(lease({ needed: true, rights: [right('make')] }, more)).rejects.toMatchObject({ code: 'job/no-sandbox' })
  expect(spawner.processes).toEqual([])
})

it('[JB92] it sees the folders that were granted to it, to read or to write, and no other program sees them', async () => {
  const given = {
    needed: false,
    rights: [right('make', { runs: false, folder: photos }), right('cc', { folder: { ...photos, mayWrite: true } })],
  }
  await lease(given)
  await vi.waitFor(() => expect(runs()).toHaveLength(1), PATIENT)
  expect(runs()).toMatchObject([{ sandbox: { folders: [photos] } }])
  expect((await client.attachFor({ asker: 'kitchen', attempt: ID, from: 0 })).rights).toEqual({ needed: false, rights: [given.rights[0]] })
})

it('[JB92] who may run anything here runs a program that was granted nothing as before', async () => {
  programs.missing.add('make')
  await lease({ needed: false, rights: [right('cc', { folder: photos })] })
  await vi.waitFor(() => expect(runs()).toHaveLength(1), PATIENT)
  expect(runs()).toMatchObject([{ program: 'make', sandbox: { folders: [] } }])
})

it('[JB93] a grant that ends while it runs ends it; one of another program does not, nor one that it had no use of', async () => {
  await lease({ needed: true, rights: [right('make'), right('cc')] })
  await vi.waitFor(() => expect(runs()).toHaveLength(1), PATIENT)
  await client.endAttempt({ attempt: ID, asker: 'kitchen', grant: 'grant of cc', reason: 'grant' })
  await client.endAttempt({ attempt: ID, asker: 'another device', grant: 'grant of make', reason: 'grant' })
  expect(runs()).toHaveLength(1)
  await client.endAttempt({ attempt: ID, asker: 'kitchen', grant: 'grant of make', reason: 'grant' })
  spawner.processes[0]?.exit(-1, 'SIGTERM')
  await vi.waitFor(() => expect(exit?.ended).toBe('grant'), PATIENT)
})

it('[JB93] one that ends before it has begun is none when it would', async () => {
  let go = () => {}
  programs.hold = new Promise((resolve) => (go = resolve))
  await lease({ needed: true, rights: [right('make')] })
  await client.endAttempt({ attempt: ID, asker: 'kitchen', grant: 'grant of make', reason: 'grant' })
  go()
  await vi.waitFor(() => expect(exit?.ended).toBe('grant'), PATIENT)
  expect(spawner.processes).toEqual([])
})
