import { expect, it } from 'vitest'
import { Emitter } from '../base/emitter.ts'
import { attemptHostParts } from '../testkit/attempt-host-parts.ts'
import { FakeJobSpawner } from '../testkit/fake-job-process.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { memoryChannelPair } from '../testkit/memory-channels.ts'
import { MemoryTreePlaces } from '../testkit/memory-tree.ts'
import { LOOK_MS } from './attempt.ts'
import { AttemptHost } from './attempt-host.ts'
import type { HostTerminal } from './host-contract.ts'
import { OWNER_LOOK_MS, OWNER_THERE_MS } from './owner-watch.ts'

const request = (attempt: string) => ({
  attempt,
  program: '/bin/sh',
  arguments: ['-c', 'x'],
  environment: {},
  folder: '/home/ada/project',
  home: '/home/ada',
  network: false,
  service: false,
  withoutSandbox: false,
  containers: false,
})
const OWN = '2'.repeat(16)
const PLACED = '3'.repeat(16)
const settle = async () => {
  for (let turns = 0; turns < 60; turns++) await Promise.resolve()
}

/** A host with a job of its own device, one of another, and terminals by the process in each. */
async function build() {
  const clock = new ManualClock()
  const spawner = new FakeJobSpawner()
  let pid = 500
  /** When each terminal had input, by its process; the owner's own is 1. */
  const inputAtMs = new Map<number, number>()
  const host = new AttemptHost(
    attemptHostParts(clock, {
      spawner,
      places: new MemoryTreePlaces(),
      terminals: {
        start: () => ({ terminalId: `t${++pid}`, pid }) as HostTerminal,
        hangUp: async () => undefined,
        onDidChangeTerminal: new Emitter<HostTerminal>().event,
      },
      signs: {
        lastInputMs: (besides = []) => {
          const ages = [...inputAtMs].flatMap(([of, atMs]) => (besides.includes(of) ? [] : [clock.monotonicMs() - atMs]))
          return ages.length === 0 ? undefined : Math.min(...ages)
        },
        pressure: () => undefined,
      },
    }),
  )
  const near = new AttemptHost(attemptHostParts(clock))
  const [tree, offered] = memoryChannelPair()
  await near.offerTree(PLACED, '/home/ada/project', 'server', offered)
  host.startHere(request(OWN), memoryChannelPair()[0])
  await settle()
  await host.startFor('kitchen', request(PLACED), memoryChannelPair()[0], tree)
  await settle()
  const placed = spawner.processes.find(({ request: { sandbox } }) => sandbox !== undefined)
  if (!placed) throw new Error('it did not begin')
  const dispose = () => {
    host.dispose()
    near.dispose()
  }
  return { clock, host, placed, inputAtMs, dispose }
}

it('[JB48] a shell in a job hides no other terminal of the machine from its owner-first rule', async () => {
  const { clock, host, placed, inputAtMs, dispose } = await build()
  const { pid } = host.openShell('kitchen', PLACED, { columns: 80, rows: 24 })
  inputAtMs.set(pid, clock.monotonicMs())
  clock.advance(OWNER_LOOK_MS)
  expect(placed.signals).toEqual([]) // typed from afar
  inputAtMs.set(1, clock.monotonicMs())
  clock.advance(OWNER_LOOK_MS)
  expect(placed.signals).toEqual(['SIGSTOP'])
  dispose()
})

it("[JB48] a shell in a job of this device is its owner's own", async () => {
  const { clock, host, placed, inputAtMs, dispose } = await build()
  const { pid, terminalId } = host.openShell(undefined, OWN, { columns: 80, rows: 24 })
  inputAtMs.set(pid, clock.monotonicMs() - OWNER_THERE_MS + OWNER_LOOK_MS + 1_000)
  clock.advance(OWNER_LOOK_MS)
  expect(placed.signals).toEqual(['SIGSTOP'])
  clock.advance(OWNER_LOOK_MS)
  expect(placed.signals).toEqual(['SIGSTOP', 'SIGCONT'])
  host.noteTyped(terminalId)
  expect(placed.signals).toEqual(['SIGSTOP', 'SIGCONT', 'SIGSTOP'])
  dispose()
})

it('[JB87] what has listened once is a service also while its port is closed for a moment', async () => {
  const { clock, host, placed, dispose } = await build()
  placed.observed = { cpuMs: 0, memoryBytes: 0, ports: [8_080] }
  clock.advance(LOOK_MS)
  placed.observed = { cpuMs: 0, memoryBytes: 0, ports: [] }
  clock.advance(LOOK_MS)
  host.touchOwner()
  expect(placed.signals).toEqual([])
  dispose()
})
