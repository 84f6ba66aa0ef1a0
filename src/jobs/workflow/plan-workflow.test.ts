import { expect, it } from 'vitest'
import { planWorkflow, sourceInputs } from './plan-workflow.ts'

const problemsOf = (text: string) => planWorkflow(text).problems.map(({ code, line, column }) => `${code} ${line}:${column}`)
const steps = (text: string) => planWorkflow(text).plan?.steps ?? []

it('[WF1] a file says what runs, in which dataset and folder, with what it needs, reads and puts out', () => {
  const { plan, problems } = planWorkflow(`
name: Pictures
dataset: Home
folder: ./pics//2026/
parallel: 3
jobs:
  thumbs:
    needs: list
    run: make thumbs
    inputs: [raw, ./notes.txt]
    outputs: thumbs/
    on: server
    network: true
    again: false
  list: { run: ls raw > list.txt, inputs: raw, outputs: [list.txt] }
`)
  expect(problems).toEqual([])
  expect(plan).toMatchObject({ name: 'Pictures', dataset: 'Home', folder: 'pics/2026', parallel: 3 })
  expect(plan?.steps.map(({ step }) => step)).toEqual(['list', 'thumbs'])
  expect(plan?.steps[1]).toMatchObject({
    ...{ commandLine: 'make thumbs', needs: ['list'], on: 'server', network: true, again: false, at: { line: 7, column: 3 } },
    inputs: [{ path: 'notes.txt' }, { path: 'raw' }],
    outputs: [{ path: 'thumbs', at: { line: 11, column: 14 } }],
  })
  expect(plan && sourceInputs(plan).map(({ path }) => path)).toEqual(['raw', 'notes.txt'])
})

it('[WF2] what is wrong is told all at once, each with its line, and then there is no plan', () => {
  const text = `jobs:
  a:
    runs: x
  "1b": { run: y }
  c: { run: [z], parallel: 1 }
when: now
`
  expect(problemsOf(text)).toEqual([
    'workflow/unknown-key 3:5',
    'workflow/malformed 2:3',
    'workflow/malformed 4:3',
    'workflow/malformed 5:13',
    'workflow/unknown-key 5:18',
    'workflow/malformed 5:3',
    'workflow/unknown-key 6:1',
  ])
  expect(planWorkflow(text).plan).toBeUndefined()
})

it.each([
  ['no YAML', 'jobs: [', 'workflow/malformed 1:8'],
  ['a name twice', 'jobs:\n  a: { run: x }\n  a: { run: y }', 'workflow/malformed 3:3'],
  ['an alias', 'jobs:\n  a: &x { run: y }\n  b: *x', 'workflow/malformed 3:6'],
  ['nothing', '', 'workflow/malformed 1:1'],
  ['no job', 'name: x', 'workflow/malformed 1:1'],
  ['a circle', 'jobs:\n  a: { run: x, needs: b }\n  b:\n    run: y\n    needs:\n      - a', 'workflow/cycle 6:9'],
  ['itself', 'jobs:\n  a: { run: x, needs: a }', 'workflow/cycle 2:23'],
  ['an unknown need', 'jobs:\n  a: { run: x, needs: [bb] }', 'workflow/unknown-need 2:24'],
  ['an unknown value in a block', 'jobs:\n  a:\n    run: |\n      one\n      two ${{ matrix.z }}', 'workflow/unknown-value 5:11'],
  ['a path out', 'jobs:\n  a: { run: x, inputs: ../b }', 'workflow/bad-path 2:24'],
  ['an absolute path', 'jobs:\n  a: { run: x, outputs: /b }', 'workflow/bad-path 2:25'],
  ['its whole folder put out', 'jobs:\n  a: { run: x, outputs: . }', 'workflow/bad-path 2:25'],
  ['two that put out one', 'jobs:\n  a: { run: x, outputs: o }\n  b: { run: y, outputs: o/p }', 'workflow/outputs-overlap 3:25'],
  ['a matrix that puts out one', 'jobs:\n  a: { run: x, outputs: o, matrix: { n: [1, 2] } }', 'workflow/outputs-overlap 2:25'],
  ['one that reads without a need', 'jobs:\n  a: { run: x, outputs: o }\n  b: { run: y, inputs: o/p }', 'workflow/input-not-needed 3:24'],
  [
    'one that reads above without a need',
    'jobs:\n  a: { run: x, outputs: o/p }\n  b: { run: y, inputs: o }',
    'workflow/input-not-needed 3:24',
  ],
  ['one that reads what it puts out', 'jobs:\n  a: { run: x, outputs: o/p, inputs: o }', 'workflow/input-not-needed 2:38'],
  [
    'too many steps',
    'jobs:\n  a: { run: x, matrix: { p: [1,2,3,4,5,6,7,8,9,10], q: [1,2,3,4,5,6,7,8,9,10], r: [1,2,3,4,5,6,7,8,9,10,11] } }',
    'workflow/too-large 2:3',
  ],
  ['a wrong number', 'parallel: 0\njobs: { a: { run: x } }', 'workflow/malformed 1:11'],
])('[WF2] %s', (_, text, told) => {
  expect(problemsOf(text)[0]).toBe(told)
})

it.each([
  ['many names', `jobs: {${Array.from({ length: 21_000 }, (_, n) => n.toString(36)).join(',')}}`, 'workflow/too-large 1:7'],
  ['one name again and again', 'k:\n'.repeat(40_000), 'workflow/too-large 1:1'],
  ['a name twice', 'jobs:\n  a: { run: x }\n  a: { run: y }', 'workflow/malformed 3:3'],
  ['brackets', ']'.repeat(128_000), 'workflow/malformed 1:1'],
  ['tags', '!a '.repeat(43_000), 'workflow/malformed 1:4'],
  ['deep paths', `jobs: { a: { run: x, outputs: ["${'a/'.repeat(64)}b"] } }`, 'workflow/bad-path 1:32'],
  [
    'many deep paths',
    `jobs: { a: { run: x, matrix: { n: [${Array.from({ length: 256 }, (_, n) => n).join(',')}] }, outputs: [${Array.from({ length: 200 }, (_, n) => `"\${{ matrix.n }}/${'a/'.repeat(60)}${n}"`).join(',')}] } }`,
    'workflow/too-large 1:9',
  ],
])('[WF2] what would take minutes is told at once: %s', (_, text, told) => {
  expect(problemsOf(text)[0]).toBe(told)
})

it('[WF4] as many and as deep paths as there may be are planned', () => {
  const list = (make: (n: number) => string, length: number) => Array.from({ length }, (_, n) => make(n)).join(',')
  const deep = (n: number) => `"\${{ matrix.n }}/${'a/'.repeat(62)}${n}"`
  const file = `jobs: { a: { run: x, matrix: { n: [${list(String, 100)}] }, outputs: [${list(deep, 100)}] }, b: { run: y, needs: a, inputs: . } }`
  expect(problemsOf(file)).toEqual([])
})

it('[WF2] the one trap of YAML here is named', () => {
  const [first] = planWorkflow('jobs:\n  a: { run: x, matrix: { n: [1] }, outputs: [o/${{ matrix.n }}] }').problems
  expect(first).toMatchObject({ line: 2, message: expect.stringContaining('stands in quotes') })
})

it('[WF3] a job with a matrix is a step for each choice, its values put where the file says', () => {
  const all = steps(`
jobs:
  resize:
    matrix:
      size: [200, 800]
      kind: [png, "a b"]
    run: shrink \${{ matrix.size }} > out.\${{matrix.kind}}
    outputs: ["o/\${{ matrix.size }}/\${{ matrix.kind }}"]
    env: { LEVEL: 9, TEXT: "it's \${{ matrix.kind }}" }
  after: { needs: [resize], run: "one\\ntwo" }
`)
  expect(all.map(({ step }) => step)).toEqual([
    'resize[size=200,kind=png]',
    'resize[size=200,kind=a b]',
    'resize[size=800,kind=png]',
    'resize[size=800,kind=a b]',
    'after',
  ])
  expect(all[1]?.commandLine).toBe("export LEVEL='9'\nexport TEXT='it'\\''s a b'\nshrink 200 > out.a b")
  expect(all[3]?.outputs).toMatchObject([{ path: 'o/800/a b' }])
  expect(all[4]).toMatchObject({ commandLine: 'set -e\none\ntwo', needs: ['resize'] })
})

it('[WF3] a step may read what it needs through others, as a whole or in part', () => {
  const text = (needs: string) =>
    `jobs:\n  a: { run: x, outputs: o/p }\n  b: { run: y, needs: a }\n  c: { run: z, ${needs}inputs: [o, o/p/q] }`
  expect(problemsOf(text('needs: b, '))).toEqual([])
  expect(problemsOf(text(''))).toEqual(['workflow/input-not-needed 4:25', 'workflow/input-not-needed 4:28'])
})
