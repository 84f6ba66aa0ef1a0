import { expect, it } from 'vitest'
import { roundsOfRun, SeededRandom, seedOfRun } from '../../testkit/seeded-random.ts'
import { planWorkflow } from './plan-workflow.ts'

const NAMES = ['a', 'b', 'c', 'd', 'e']
const PATHS = ['o', 'o/p', 'o/p/q', 'o2', 'p', './o/', '..', 'x y', '.', '']
const NOISE = [
  '[',
  '{',
  '}',
  ':',
  '&x ',
  '*x',
  '\t',
  '\n',
  '- ',
  '"',
  "'",
  '|\n',
  '!!binary ',
  '# ',
  '${{ matrix.n }}',
  '\u0000',
  'é',
  '%YAML 9\n',
  '---\n',
  '? ',
]

/** A file that is mostly right: some jobs with needs, paths and a matrix, and now and then noise anywhere in it. */
function someFile(random: SeededRandom): string {
  const list = (from: readonly string[]) =>
    `[${Array.from({ length: random.below(3) }, () => JSON.stringify(random.pick(from))).join(', ')}]`
  const jobs = NAMES.slice(0, 1 + random.below(NAMES.length)).map((name) => {
    const lines = [`  ${name}:`, `    run: echo ${name}${random.chance(0.2) ? ' ${{ matrix.n }}' : ''}`]
    if (random.chance(0.6)) lines.push(`    needs: ${list(NAMES)}`)
    if (random.chance(0.5)) lines.push(`    inputs: ${list(PATHS)}`)
    if (random.chance(0.6)) lines.push(`    outputs: ${list(PATHS)}`)
    if (random.chance(0.3)) lines.push(`    matrix: { n: ${list(['1', '2', '3'])} }`)
    return lines.join('\n')
  })
  let text = `name: fuzz\njobs:\n${jobs.join('\n')}\n`
  for (let n = random.chance(0.5) ? random.below(4) : 0; n > 0; n--) {
    const at = random.below(text.length)
    text = text.slice(0, at) + random.pick(NOISE) + text.slice(at + random.below(3))
  }
  return text
}

/** What is wrong with what was made of a file; undefined: nothing. Looked at without the code that made it. */
function wrong(text: string, { plan, problems }: ReturnType<typeof planWorkflow>): string | undefined {
  const lines = text.split('\n').length
  if ((plan === undefined) === (problems.length === 0)) return 'neither a plan nor a problem, or both'
  if (problems.some(({ line, column, code }) => line < 1 || line > lines || column < 1 || !code.startsWith('workflow/')))
    return 'a line that is not there'
  const done = new Set<string>()
  const outputs: { readonly job: string; readonly path: string }[] = []
  const before = new Map<string, Set<string>>()
  for (const { job, needs, outputs: own } of plan?.steps ?? []) {
    if (needs.some((need) => !done.has(need))) return `${job} stands before what it needs`
    done.add(job)
    before.set(job, new Set(needs.flatMap((need) => [need, ...(before.get(need) ?? [])])))
    for (const { path } of own) {
      if (outputs.some((other) => overlap(other.path, path))) return `${path} is put out twice`
      outputs.push({ job, path })
    }
  }
  for (const { job, inputs } of plan?.steps ?? []) {
    const stray = inputs.find(({ path }) => outputs.some((made) => overlap(made.path, path) && !before.get(job)?.has(made.job)))
    if (stray) return `${job} reads ${stray.path} whenever it likes`
  }
  return undefined
}
const overlap = (a: string, b: string) => a === b || a === '.' || b === '.' || `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`)

function firstWrong(plan: typeof planWorkflow, random: SeededRandom, rounds: number) {
  let plans = 0
  for (let round = 0; round < rounds; round++) {
    const text = someFile(random)
    const planned = plan(text)
    if (planned.plan) plans++
    const what = wrong(text, planned)
    if (what) return { text, what, plans }
  }
  return { plans }
}

it('[WF2][WF4] no file makes it throw, lines are there, and a plan never leaves to luck what a step finds (fuzz)', () => {
  const seed = seedOfRun()
  const rounds = roundsOfRun(1_500, 60_000)
  const found = firstWrong(planWorkflow, new SeededRandom(seed), rounds)
  expect({ seed, ...found }).toEqual({ seed, plans: expect.any(Number) })
  expect(found.plans).toBeGreaterThan(rounds / 20) // else the fuzz has looked at nothing
})

it('[WF4] the fuzz finds outputs that were not compared (planted)', () => {
  expect(firstWrong((text) => planWorkflow(text, 'unchecked-overlap'), new SeededRandom(seedOfRun()), 20_000)).toMatchObject({
    what: expect.stringContaining('is put out twice'),
  })
})
