import { expect, it } from 'vitest'
import { SeededRandom } from '../testkit/seeded-random.ts'
import { type Behaviour, countIn, mergeTallies, type Outcome, type Tally } from './behaviour.ts'
import { behaviourWords } from './behaviour-words.ts'
import { classify } from './classify/classify.ts'
import type { Classification, JobLabel } from './job-contract.ts'
import { place, type PlacementCandidate } from './placement.ts'
import { DEFAULT_POLICY } from './job-contract.ts'
import { placedAs, remember } from './remember.ts'

const NOTHING = { ports: [], terminal: false, input: false, screen: false }
const run = (over: Partial<Outcome> = {}): Outcome => ({
  key: { name: 'tool', id: undefined, shape: 'tool' },
  seen: NOTHING,
  folder: 'project',
  atMs: 1,
  tookMs: 42_000,
  ended: 'well',
  files: 3,
  cpuMs: undefined,
  ...over,
})
const after = (...runs: Outcome[]): Behaviour =>
  mergeTallies('key', [['laptop', runs.reduce<Tally | undefined>((before, one) => countIn(before, one), undefined) as Tally]])
const taken = (label: JobLabel, over: Partial<Classification> = {}): Classification => ({
  label,
  effects: 'files-only',
  endpoints: [],
  confidence: 0.6,
  reason: 'by its name',
  programs: ['tool'],
  ...over,
})
const listened = { seen: { ...NOTHING, ports: [8_080] }, ended: undefined, tookMs: undefined } satisfies Partial<Outcome>
const unseen = { seen: undefined, files: undefined } satisfies Partial<Outcome>
const read = { seen: { ...NOTHING, terminal: true }, ended: undefined, tookMs: undefined } satisfies Partial<Outcome>

it.each<[what: string, label: JobLabel, runs: Outcome[], expected: JobLabel]>([
  ['a batch that listened is a service', 'batch', [run(listened)], 'service'],
  ['a batch that read its terminal is interactive', 'batch', [run(read)], 'interactive'],
  ['what was not clear and ended by itself twice is batch', 'ambiguous', [run(), run()], 'batch'],
  ['once is not enough for that', 'ambiguous', [run()], 'ambiguous'],
  ['a service that ended by itself every time is batch', 'service', [run(), run(), run()], 'batch'],
  ['one that failed at its start is no batch for that', 'service', [run({ ended: 'badly' }), run({ ended: 'badly' })], 'service'],
  ['one that only shells ran, which see nothing of it, is what it was', 'service', [run(unseen), run(unseen), run(unseen)], 'service'],
  ['nor is it clear then', 'ambiguous', [run(unseen), run(unseen), run(unseen)], 'ambiguous'],
  ['tests that listen and end well are a batch', 'batch', [run({ seen: listened.seen }), run({ seen: listened.seen })], 'batch'],
  ['what needs a terminal by its words needs it', 'interactive', [run(), run(), run()], 'interactive'],
  ['now this, now that: its words count', 'batch', [run(listened), run(), run(), run()], 'batch'],
])('[JB103] %s', (_what, label, runs, expected) => {
  expect(remember(taken(label), after(...runs), true).label).toBe(expected)
})

it('[JB103] runs that went as expected make it surer, up to a bound; another version of the program less so', () => {
  const confidence = (times: number, isSame = true) =>
    remember(taken('batch'), after(...Array.from({ length: times }, () => run())), isSame).confidence
  expect(confidence(1)).toBeGreaterThan(0.6)
  expect(confidence(3)).toBeGreaterThan(confidence(1))
  expect(confidence(50)).toBe(confidence(5))
  expect(confidence(5, false)).toBe(confidence(1))
  expect(confidence(50)).toBeLessThan(1)
})

it('[JB103] a learned service has its port, a learned terminal its tty, a learned batch neither', () => {
  expect(remember(taken('batch'), after(run(listened)), true).endpoints).toEqual([{ kind: 'port', place: 'seat', number: 8_080 }])
  expect(remember(taken('ambiguous'), after(run(read)), true).endpoints).toEqual([{ kind: 'tty', place: 'seat' }])
  const service = taken('service', { endpoints: [{ kind: 'port', place: 'seat' }] })
  expect(remember(service, after(run(), run()), true).endpoints).toEqual([])
})

it('[JB104] however often it ran, what it may change stays what its words say', () => {
  const random = new SeededRandom(7)
  const lines = [
    'cc in.c',
    'apt-get install x',
    'git push',
    'terraform apply',
    'frobnicate',
    'systemctl restart a',
    'npm publish',
    'docker run x',
  ]
  for (let turn = 0; turn < 400; turn++) {
    const words = classify(random.pick(lines))
    const runs = Array.from({ length: 1 + random.below(8) }, () => {
      const seen = {
        ports: random.chance(0.3) ? [80] : [],
        terminal: random.chance(0.2),
        input: random.chance(0.2),
        screen: random.chance(0.1),
      }
      return run({ seen, ended: random.pick(['well', 'badly', undefined]) })
    })
    const known = remember(words, after(...runs), random.chance(0.5))
    expect({ turn, effects: known.effects, programs: known.programs }).toEqual({ turn, effects: words.effects, programs: words.programs })
  }
})

it('[JB104] what its words alone would keep here is not placed elsewhere by itself, whatever was learned of it', () => {
  const known = after(run(), run(), run())
  const unclear = taken('ambiguous')
  const learned = remember(unclear, known, true)
  expect([learned.label, placedAs(unclear, learned).label]).toEqual(['batch', 'ambiguous'])
  const tied = taken('service', { endpoints: [{ kind: 'port', place: { device: 'laptop' } }] })
  expect(placedAs(tied, remember(tied, known, true)).endpoints).toEqual(tied.endpoints)
  const batch = taken('batch')
  expect(placedAs(batch, remember(batch, after(run(read)), true)).endpoints).toEqual([{ kind: 'tty', place: 'seat' }])
})

it('[JB104] what is not of its files only is not placed elsewhere by itself, after a hundred runs that ended well', () => {
  const there = {
    device: 'server',
    name: 'server',
    here: false,
    linked: true,
    granted: true,
    roundTripMs: 1,
    bytesPerSecond: undefined,
    missingBytes: 0,
    facts: {
      device: 'server',
      platform: 'linux',
      architecture: 'x64',
      cores: 64,
      busy: 0,
      speed: 4,
      memoryFreeBytes: 1e12,
      memoryTotalBytes: 1e12,
      missingTools: [],
    },
  } as unknown as PlacementCandidate
  const here = {
    ...there,
    device: 'laptop',
    name: 'laptop',
    here: true,
    facts: { ...there.facts, device: 'laptop', cores: 1, speed: 1 },
  } as PlacementCandidate
  const known = after(...Array.from({ length: 100 }, () => run({ tookMs: 600_000 })))
  const goes = (line: string) => {
    const classification = remember(classify(line), known, true)
    return place({ ...classification, resources: {}, policy: DEFAULT_POLICY, workMs: 600_000, outputBytes: 0 }, [here, there]).device
  }
  expect(goes('cc in.c')).toBe('server')
  for (const line of ['git push', 'apt-get install x', 'frobnicate all', 'cc in.c -o /usr/bin/x']) expect(goes(line)).toBe('laptop')
})

it('[JB103] it is told in one sentence', () => {
  const words = (runs: Outcome[], isSame = true) => {
    const known = after(...runs)
    return behaviourWords(known, known.took[0]?.ms, isSame)
  }
  expect(words([run(), run(), run()])).toBe('seen 3 times on your devices: took 42 s, wrote 3 files')
  expect(words([run({ ...listened, files: undefined })], false)).toBe(
    'seen once on your devices: listened on port 8080 (by its name, of whichever tool ran)',
  )
  expect(words([run(unseen)])).toBe('run on your devices: took 42 s')
  expect(words([run({ ended: 'badly', tookMs: undefined, files: 1 })])).toBe('seen once on your devices: wrote 1 file, never ended well')
})
