import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { DeviceFacts } from './device-facts-contract.ts'
import { DEFAULT_POLICY } from './job-contract.ts'
import { type PlacementCandidate, type PlacementJob, place } from './placement.ts'

const GB = 1e9
const facts = (over: Partial<DeviceFacts> = {}): DeviceFacts => ({
  device: '',
  platform: 'linux',
  architecture: 'x64',
  cores: 4,
  busy: 0.1,
  speed: 1,
  memoryFreeBytes: 8 * GB,
  memoryTotalBytes: 16 * GB,
  missingTools: [],
  ...over,
})
const laptop = (over: Partial<DeviceFacts> = {}): PlacementCandidate => ({
  device: 'laptop',
  name: 'laptop',
  here: true,
  linked: true,
  granted: true,
  facts: facts(over),
  roundTripMs: 0,
  bytesPerSecond: undefined,
  missingBytes: 0,
})
const server = (over: Partial<DeviceFacts> = {}, link: Partial<PlacementCandidate> = {}): PlacementCandidate => ({
  device: 'server',
  name: 'server',
  here: false,
  linked: true,
  granted: true,
  facts: facts({ cores: 32, ...over }),
  roundTripMs: 1,
  bytesPerSecond: undefined,
  missingBytes: 0,
  ...link,
})
/** A build that keeps one core busy for two minutes, as often as there are cores. */
const build = (over: Partial<PlacementJob> = {}): PlacementJob => ({
  label: 'batch',
  effects: 'files-only',
  endpoints: [],
  resources: {},
  policy: DEFAULT_POLICY,
  workMs: 120_000,
  outputBytes: 10e6,
  ...over,
})
const policy = (over: Partial<PlacementJob['policy']>) => ({ policy: { ...DEFAULT_POLICY, ...over } })

it.each<[string, PlacementJob, readonly PlacementCandidate[]]>([
  ['many idle cores against few', build(), [laptop(), server()]],
  [
    'the data lies there already, and much of it',
    build({ outputBytes: 0 }),
    [laptop(), server({ cores: 8 }, { missingBytes: 0, roundTripMs: 30 })],
  ],
  ['here is busy', build(), [laptop({ busy: 0.97 }), server({ cores: 4 })]],
  ['here runs on battery', build(), [laptop({ battery: { discharging: true, percent: 50 } }), server({ cores: 4, speed: 1.1 })]],
  [
    'here must not run on battery',
    build(policy({ neverOnBattery: true })),
    [laptop({ battery: { discharging: true, percent: 50 } }), server({ cores: 4 })],
  ],
  ['the tool is only there', build({ resources: { tools: ['cargo'] } }), [laptop({ missingTools: ['cargo'] }), server({ cores: 2 })]],
  ['memory is only there', build({ resources: { memoryMiB: 16_000 } }), [laptop(), server({ memoryFreeBytes: 64 * GB })]],
  ['the architecture is only there', build({ resources: { architecture: 'x64' } }), [laptop({ architecture: 'arm64' }), server()]],
  ['one core, but three times as fast', build({ resources: { cores: 1 } }), [laptop({ speed: 0.6 }), server({ speed: 1.8 })]],
  ['files to send, and still worth it', build({ workMs: 1_200_000 }), [laptop(), server({}, { missingBytes: GB })]],
  [
    'the person chose it, though it is not worth it',
    build({ workMs: 10, effects: 'this-machine', ...policy({ where: { device: 'server' } }) }),
    [laptop(), server()],
  ],
])('[JB32] elsewhere wins: %s', (_, job, candidates) => {
  expect(place(job, candidates).device).toBe('server')
})

it.each<[string, PlacementJob, readonly PlacementCandidate[]]>([
  ['a short job', build({ workMs: 400 }), [laptop(), server()]],
  ['nobody knows how much work it is', build({ workMs: undefined }), [laptop(), server()]],
  ['a little sooner is not clearly sooner', build(), [laptop({ busy: 0 }), server({ cores: 5 })]],
  ['its files take longer than its work', build({ workMs: 20_000 }), [laptop(), server({}, { missingBytes: 40 * GB })]],
  ['a far and thin link', build({ workMs: 20_000, outputBytes: 100e6 }), [laptop(), server({}, { roundTripMs: 150 })]],
  ['one core is all it can use, and they are alike', build({ resources: { cores: 1 } }), [laptop(), server()]],
  ['somebody sits there', build(), [laptop({ cores: 8 }), server({ cores: 12, lastInputMs: 5_000 })]],
  ['the other is busy', build(), [laptop(), server({ busy: 0.95 })]],
  [
    'the other runs on battery and must not',
    build(policy({ neverOnBattery: true })),
    [laptop(), server({ battery: { discharging: true, percent: 90 } })],
  ],
  ['it changes this machine', build({ effects: 'this-machine' }), [laptop(), server()]],
  ['it changes the world', build({ effects: 'world-once' }), [laptop(), server()]],
  ['it needs the screen', build({ endpoints: [{ kind: 'display', place: 'seat' }] }), [laptop(), server()]],
  ['it needs the terminal', build({ endpoints: [{ kind: 'tty', place: 'seat' }] }), [laptop(), server()]],
  ['not clear what it is', build({ label: 'ambiguous' }), [laptop(), server()]],
  ['no grant', build(), [laptop(), server({}, { granted: false })]],
  ['not linked', build(), [laptop(), server({}, { linked: false })]],
  ['no answer', build(), [laptop(), server({}, { facts: undefined })]],
  ['no sandbox there', build(), [laptop(), server({ noSandbox: 'bubblewrap is not there' })]],
  ['a tool is missing there', build({ resources: { tools: ['gcc'] } }), [laptop(), server({ missingTools: ['gcc'] })]],
  ['asked to stay', build(policy({ where: 'here' })), [laptop(), server()]],
  [
    'an endpoint on this device',
    build({ endpoints: [{ kind: 'files-in', place: { device: 'laptop' }, path: '/x' }] }),
    [laptop(), server()],
  ],
])('[JB31] here it stays: %s', (_, job, candidates) => {
  expect(place(job, candidates).device).toBe('laptop')
})

it('[JB33] every candidate is in the table with a reason, and the costs add up', () => {
  const { table, reason } = place(build(), [laptop(), server(), server({}, { device: 'attic', linked: false })])
  expect(table.map(({ outcome, why }) => [outcome, why])).toEqual([
    ['possible', 'idle, 4 cores'],
    ['chosen', 'has the data, idle, 32 cores'],
    ['no', 'not linked now'],
  ])
  expect(reason).toBe('server: 4.4 s against 33.3 s here; has the data, idle, 32 cores')
  const cost = table[1]?.cost
  expect(cost?.totalMs).toBeCloseTo((cost?.transferMs ?? 0) + (cost?.startMs ?? 0) + (cost?.workMs ?? 0) + (cost?.penaltyMs ?? 0))
})

it('[JB31] chosen by name does not carry a screen over', () => {
  const job = build({ endpoints: [{ kind: 'display', place: 'seat' }], ...policy({ where: { device: 'server' } }) })
  expect(place(job, [laptop(), server()])).toMatchObject({ device: undefined, reason: 'the device you chose cannot take it' })
})

const anyFacts = fc
  .record({
    cores: fc.integer({ min: 1, max: 256 }),
    busy: fc.float({ min: 0, max: 1, noNaN: true }),
    speed: fc.double({ min: 0.01, max: 100, noNaN: true }),
    memoryFreeBytes: fc.integer({ min: 0, max: 1e12 }),
  })
  .map(facts)

it('[JB30] whatever devices say of themselves: what is not of files only stays, and the order they are listed in says nothing', () => {
  const effects = fc.constantFrom('files-only' as const, 'this-machine' as const, 'world-once' as const)
  fc.assert(
    fc.property(
      anyFacts,
      fc.array(anyFacts, { maxLength: 6 }),
      effects,
      fc.integer({ min: 0, max: 1e8 }),
      (own, others, effect, workMs) => {
        const job = build({ effects: effect, workMs })
        const candidates = [{ ...laptop(), facts: own }, ...others.map((one, n) => ({ ...server(), device: `server${n}`, facts: one }))]
        const chosen = place(job, candidates).device
        if (effect !== 'files-only') expect(chosen).toBe('laptop')
        expect(place(job, candidates.toReversed()).device).toBe(chosen)
      },
    ),
  )
})

it('[JB61] containers go to another device only where they are allowed without a sandbox', () => {
  const containers = (withoutSandbox: boolean) =>
    place(
      build({ effects: 'this-machine', resources: { tools: ['docker'] }, ...policy({ where: { device: 'server' }, withoutSandbox }) }),
      [laptop(), server()],
    )
  expect(containers(false).device).toBeUndefined()
  expect(containers(false).table.find(({ device }) => device === 'server')?.why).toContain('runs in no sandbox')
  expect(containers(true).device).toBe('server')
})
