import { expect, it } from 'vitest'
import { Emitter } from '../base/emitter.ts'
import { attemptHostParts } from '../testkit/attempt-host-parts.ts'
import { FakeJobSpawner } from '../testkit/fake-job-process.ts'
import { ManualClock } from '../testkit/manual-clock.ts'
import { memoryChannelPair } from '../testkit/memory-channels.ts'
import { MemoryTreePlaces } from '../testkit/memory-tree.ts'
import { LOOK_MS } from './attempt.ts'
import { AttemptHost } from './attempt-host.ts'
import {
  MAX_ATTEMPTS,
  MAX_FOR_CONTACTS,
  MAX_FOR_ONE,
  MAX_FOR_ONE_CONTACT,
  MAX_FOR_OTHERS,
  MAX_HELD_FOR_CONTACTS,
  MAX_HELD_FOR_ONE,
  MAX_HELD_FOR_ONE_CONTACT,
} from './attempt-limits.ts'
import { MAX_GUEST_LINE } from './guest-jobs-contract.ts'
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

/** A host whose jobs run at once, and whoever asks it for them. */
function askedHost() {
  const clock = new ManualClock()
  const spawner = new FakeJobSpawner()
  const host = new AttemptHost(attemptHostParts(clock, { spawner, places: new MemoryTreePlaces() }))
  let count = 0
  const nextId = () => String(++count).replaceAll('0', 'B').padStart(16, 'A')
  const ask = async (asker: string, contact?: string): Promise<string> => {
    const id = nextId()
    return host.startFor(asker, request(id), memoryChannelPair()[0], memoryChannelPair()[0], { contact }).then(
      () => id,
      (error: { code: string }) => error.code,
    )
  }
  const flood = async (asker: string, times: number, contact?: string) => {
    const answers: string[] = []
    for (let n = 0; n < times; n++) answers.push(await ask(asker, contact))
    return answers.filter((answer) => answer !== 'job/too-many')
  }
  return { clock, host, nextId, ask, flood }
}

it('[JB112] whoever asks for as many jobs as they like leaves room for others, and all of them for this device', async () => {
  const { host, nextId, ask, flood } = askedHost()
  const atOnce = await Promise.all(Array.from({ length: 300 }, () => ask('bob')))
  expect(atOnce.filter((answer) => answer !== 'job/too-many')).toHaveLength(MAX_FOR_ONE)
  expect(await flood('eve', 300)).toHaveLength(MAX_FOR_OTHERS - MAX_FOR_ONE)
  expect(host.listForOthers()).toHaveLength(MAX_FOR_OTHERS)
  for (let n = MAX_FOR_OTHERS; n < MAX_ATTEMPTS; n++) host.startHere(request(nextId()), memoryChannelPair()[0])
  expect(() => host.startHere(request(nextId()), memoryChannelPair()[0])).toThrow(expect.objectContaining({ code: 'job/too-many' }))
  host.dispose()
})

it('[JB112] [JB111] who never fetches what their jobs wrote is given no more of them; the owner stops theirs, none of the own', async () => {
  const { host, nextId, ask, flood } = askedHost()
  const own = nextId()
  host.startHere(request(own), memoryChannelPair()[0])
  await host.stopForOthers(own)
  let started = 0
  for (let round = 0; round < 5; round++) {
    const ids = await flood('bob', 100)
    started += ids.length
    for (const id of ids) await host.stopForOthers(id)
  }
  expect(started).toBe(MAX_HELD_FOR_ONE)
  expect(host.listForOthers()).toEqual([])
  expect(host.list().find(({ attempt }) => attempt === own)?.state).not.toBe('ended')
  expect(await ask('eve')).not.toBe('job/too-many')
  host.dispose()
})

it('[JB44] what is ended while its folder is made ready does not begin, and its asker hears that it ended', async () => {
  const places = new MemoryTreePlaces()
  const lend = places.lend.bind(places)
  let isReady = () => {}
  places.lend = async (...which) => {
    await new Promise<void>((resolve) => (isReady = resolve))
    return lend(...which)
  }
  const spawner = new FakeJobSpawner()
  const host = new AttemptHost(attemptHostParts(new ManualClock(), { spawner, places }))
  const near = new AttemptHost(attemptHostParts(new ManualClock()))
  const begin = async (id: string, end: () => Promise<void>) => {
    const [tree, offered] = memoryChannelPair()
    await near.offerTree(id, '/home/ada/project', 'server', offered)
    const starting = host.startFor('kitchen', request(id), memoryChannelPair()[0], tree)
    await settle()
    await end()
    isReady()
    await starting
    await settle()
  }
  await begin(PLACED, () => host.end(PLACED, 'eve', 'cancelled')) // no other device's to end
  expect(spawner.processes).toHaveLength(1)
  await begin(OWN, () => host.end(OWN, 'kitchen', 'cancelled'))
  expect(spawner.processes).toHaveLength(1)
  expect(host.list().find(({ attempt }) => attempt === OWN)?.state).toBe('ended')
  host.dispose()
  near.dispose()
})

it('[JB113] what another device asks to run is told on one line, as it runs: no letter hides, turns others around or is obeyed', async () => {
  const { host, nextId } = askedHost()
  const asked = async (line: string) => {
    const one = { ...request(nextId()), arguments: ['-c', line] }
    await host.startFor('bob', one, memoryChannelPair()[0], memoryChannelPair()[0])
    return host.listForOthers().at(-1)?.line
  }
  expect(await asked('a\u202e\u009b2J\n\tb\u200b\u2028c\u2029d')).toBe('a??2J  b??c?d')
  expect(await asked('größe 名前 😀')).toBe('größe 名前 😀')
  expect(await asked('😀'.repeat(MAX_GUEST_LINE))).toMatch(/^(😀)+\?…$/u) // cut in the middle of one
  host.dispose()
})

it('[JB112] a contact has one part, however many devices ask: other contacts and the own devices find room', async () => {
  const { host, flood } = askedHost()
  const ofEve: string[] = []
  for (let device = 0; device < 20; device++) ofEve.push(...(await flood(`eve-${device}`, 20, 'eve')))
  expect(ofEve).toHaveLength(MAX_FOR_ONE_CONTACT)
  const ofMany: string[] = []
  for (let device = 0; device < 20; device++) ofMany.push(...(await flood(`mal-${device}`, 20, `mal-${device % 4}`)))
  expect(ofMany).toHaveLength(MAX_FOR_CONTACTS - MAX_FOR_ONE_CONTACT)
  expect(await flood('kitchen', 100)).toHaveLength(MAX_FOR_OTHERS - MAX_FOR_CONTACTS)
  host.dispose()
})

it('[JB112] what a contact leaves unfetched is counted over all their devices, and over all contacts', async () => {
  const { host, ask, flood } = askedHost()
  const floodAndEnd = async (contactOf: (device: number) => string) => {
    let count = 0
    for (let device = 0; device < 20; device++) {
      const ids = await flood(`${contactOf(device)}-${device}`, 20, contactOf(device))
      for (const id of ids) await host.stopForOthers(id)
      count += ids.length
    }
    return count
  }
  expect(await floodAndEnd(() => 'eve')).toBe(MAX_HELD_FOR_ONE_CONTACT)
  expect(await floodAndEnd((device) => `mal${device}`)).toBe(MAX_HELD_FOR_CONTACTS - MAX_HELD_FOR_ONE_CONTACT)
  expect(await ask('bob', 'bob')).toBe('job/too-many')
  expect(await ask('kitchen')).not.toBe('job/too-many')
  host.dispose()
})

it('[JB114] whoever ends what never began makes no attempt of another forgotten: it does not run twice', async () => {
  const { clock, host, nextId } = askedHost()
  const [own, past] = [nextId(), nextId()]
  const start = (asker: string, id: string) => host.startFor(asker, request(id), memoryChannelPair()[0], memoryChannelPair()[0])
  await start('eve', past)
  await host.end(past, 'eve', 'cancelled')
  clock.advance(25 * 3_600_000)
  expect(host.list()).toEqual([])
  for (let n = 0; n < 20_000; n++) await host.end(nextId(), 'bob', 'cancelled')
  await host.end(own, 'bob', 'cancelled')
  await expect(start('eve', past)).rejects.toMatchObject({ code: 'job/attempt-exists' })
  await expect(start('bob', own)).rejects.toMatchObject({ code: 'job/attempt-exists' })
  host.startHere(request(own), memoryChannelPair()[0])
  host.dispose()
})
