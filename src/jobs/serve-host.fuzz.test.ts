import { expect, it } from 'vitest'
import { silentLogger } from '../base/logger.ts'
import { attemptHostParts } from '../testkit/attempt-host-parts.ts'
import { FakePtySpawner } from '../testkit/fake-pty.ts'
import { fuzzContract, oddValue } from '../testkit/contract-fuzz.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { fixedCondition } from '../testkit/fixed-condition.ts'
import { roundsOfRun, SeededRandom, seedOfRun } from '../testkit/seeded-random.ts'
import { hostProcessContract, serveHost } from './serve-host.ts'
import { AttemptHost } from './attempt-host.ts'
import { MachineFacts } from './machine-facts.ts'
import { TaskTable } from './task-table.ts'
import { TerminalHost } from './terminal-host.ts'
import { XtermScreen } from './xterm-screen.ts'

it('[JB8] whatever is asked of the host, it answers with a stable code, and its terminals go on', async () => {
  const seed = seedOfRun()
  const random = new SeededRandom(seed)
  const spawner = new FakePtySpawner()
  const clock = new ManualClock()
  const host = new TerminalHost({
    spawner,
    newScreen: ({ columns, rows }) => new XtermScreen(columns, rows, 100),
    clock,
    random,
    logger: silentLogger,
    environment: {},
    home: '/home/ada',
    shell: () => ({ file: '/bin/sh', args: [], env: {} }),
    isFolder: () => random.chance(0.5),
  })
  const sample = { atMs: 0, cores: 1, busyMs: 0, totalMs: 0, memoryBytes: 0, memoryTotalBytes: 0, lastMinute: 0, processes: [] }
  const look = () => ({ ...sample, atMs: (sample.atMs += 600) })
  const reader = { sample: look, load: look }
  const ended: number[] = []
  const signal = (pid: number) => ended.push(pid) > 0
  const tasks = new TaskTable({ reader, signal, clock, supervisorPid: undefined, terminals: () => [] })
  const facts = new MachineFacts({ reader, condition: fixedCondition(), clock })
  tasks.list('first').catch(() => {}) // waits for the clock; the others measure since it
  const steady = host.spawn({ columns: 80, rows: 24 })
  const known = () => random.pick([...host.list().map(({ terminalId }) => terminalId), 'gone']) || 'gone'
  const plausible = (name: string): unknown => {
    const { terminalId: _, ...size } = { terminalId: '', columns: 2 + random.below(1100), rows: random.below(1100) }
    if (name === 'spawn') return { ...size, cwd: oddValue(random, 0), ...(random.chance(0.5) ? { command: oddValue(random, 1) } : {}) }
    if (name === 'endProcess') return { device: 'd', pid: random.below(100_000) - 10, force: random.chance(0.5) }
    if (name === 'measureFolder') return { folder: oddValue(random, 0) }
    if (name === 'listProcesses') return { device: oddValue(random, 0) }
    const terminalId = known()
    return { ...size, terminalId: name === 'end' && terminalId === steady.terminalId ? 'gone' : terminalId }
  }
  // the clock stands still here, and the list of processes waits on it for its first sample
  const { listProcesses: _, ...fuzzed } = hostProcessContract
  const attempts = new AttemptHost(attemptHostParts(clock))
  const stop = async () => {}
  const serve = (transport: Parameters<typeof serveHost>[1]) =>
    void serveHost(
      {
        host,
        tasks,
        facts,
        attempts,
        readProject: async () => ({}),
        identifyProgram: async () => '',
        commandLine: undefined,
        stop,
        logger: silentLogger,
      },
      transport,
    )
  const { codes, accepted, problems } = await fuzzContract(fuzzed, serve, random, roundsOfRun(800, 50_000), plausible)
  expect({ seed, problems }).toEqual({ seed, problems: [] })
  expect(accepted).toBeGreaterThan(0)
  expect([...codes.keys()]).toEqual(expect.arrayContaining(['rpc/bad-input', 'rpc/unknown-method', 'terminal/unknown', 'task/unknown']))
  expect(ended).toEqual([])
  expect(host.find(steady.terminalId).exit).toBeUndefined()
  attempts.dispose()
  host.dispose()
}, 600_000)

it('[JB8] the fuzz finds a call that breaks on a rare input (planted)', async () => {
  const random = new SeededRandom(seedOfRun())
  const host = new TerminalHost({
    spawner: new FakePtySpawner(),
    newScreen: ({ columns, rows }) => new XtermScreen(columns, rows, 100),
    clock: new ManualClock(),
    random,
    logger: silentLogger,
    environment: {},
    home: '/home/ada',
    shell: () => ({ file: '/bin/sh', args: [], env: {} }),
    isFolder: () => true,
  })
  host.end = async (terminalId) => {
    if (terminalId === 'terminal 13') throw new TypeError('planted')
  }
  const tasks = { list: async () => ({}), end: () => {} } as unknown as TaskTable
  const { spawn: _, attach: __, listProcesses: ___, readFacts: ____, measureFolder: _____, ...fuzzed } = hostProcessContract
  const serve = (transport: Parameters<typeof serveHost>[1]) =>
    void serveHost(
      {
        host,
        tasks,
        facts: {} as MachineFacts,
        attempts: new AttemptHost(attemptHostParts(new ManualClock())),
        readProject: async () => ({}),
        identifyProgram: async () => '',
        commandLine: undefined,
        stop: async () => {},
        logger: silentLogger,
      },
      transport,
    )
  const { problems } = await fuzzContract(fuzzed, serve, random, 3_000, () => ({ terminalId: `terminal ${random.below(40)}` }))
  expect(problems.join()).toContain('base/bug')
  host.dispose()
})
