import { expect, it } from 'vitest'
import { attemptHostParts } from '../testkit/attempt-host-parts.ts'
import { FakeJobSpawner } from '../testkit/fake-job-process.ts'
import { FakePlacedPrograms, fakeProgramId } from '../testkit/fake-placed-programs.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { memoryChannelPair } from '../testkit/memory-channels.ts'
import { LOOK_MS } from './attempt.ts'
import { AttemptHost } from './attempt-host.ts'
import { type AttemptExit, decodeJobDown } from './job-frames-contract.ts'

const ID = '3'.repeat(16)
const settle = async () => {
  for (let turns = 0; turns < 80; turns++) await Promise.resolve()
}

/** Runs for so long there; says how it ended. */
async function run(lastsMs: number, { identify, missing = [] }: { identify?: string; missing?: readonly string[] }): Promise<AttemptExit> {
  const clock = new ManualClock()
  const spawner = new FakeJobSpawner()
  const programs = new FakePlacedPrograms()
  for (const name of missing) programs.missing.add(name)
  const [host, near] = [new AttemptHost(attemptHostParts(clock, { spawner, programs })), new AttemptHost(attemptHostParts(clock))]
  const [tree, offered] = memoryChannelPair()
  const [channel, asking] = memoryChannelPair()
  let exit: AttemptExit | undefined
  asking.onDidReceive((message) => {
    const frame = decodeJobDown(message)
    if (frame?.kind === 'exit') exit = frame
  })
  await near.offerTree(ID, '/home/ada/project', 'server', offered)
  const request = {
    attempt: ID,
    program: '/bin/sh',
    arguments: ['-c', 'cc in.c'],
    environment: {},
    folder: '/home/ada/project',
    home: '/home/ada',
  }
  const how = { network: false, service: false, withoutSandbox: false, containers: false }
  await host.startFor('kitchen', { ...request, ...how, ...(identify !== undefined && { identify }) }, channel, tree)
  await settle()
  clock.advance(0)
  await settle()
  for (let passed = 0; passed < lastsMs; passed += LOOK_MS) {
    clock.advance(LOOK_MS)
    await settle()
  }
  spawner.processes[0]?.exit(0)
  await settle()
  host.dispose()
  near.dispose()
  if (!exit) throw new Error('it did not end')
  return exit
}

it('[JB109] the end of a job says which program its line begins with, where it was asked for and it ran a while', async () => {
  expect((await run(3_000, { identify: 'cc' })).program).toBe(fakeProgramId('cc'))
  expect((await run(3_000, {})).program).toBeUndefined()
  expect((await run(0, { identify: 'cc' })).program).toBeUndefined()
  expect((await run(3_000, { identify: 'cd', missing: ['cd'] })).program).toBeUndefined()
})
