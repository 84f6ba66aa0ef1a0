import fc from 'fast-check'
import { expect, it } from 'vitest'
import { countSteps, type StepInfo } from '../../../jobs/workflow/workflow-contract.ts'
import { BOX_WIDTH, layoutGraph } from './workflow-layout.ts'
import { choiceOf, countWords, worstOf } from './workflow-words.ts'

const step = (job: string, needs: readonly string[] = [], n?: number): StepInfo => ({
  ...{ step: n === undefined ? job : `${job}[n=${n}]`, job, line: 1, needs: [...needs], commandLine: 'x', state: 'waiting' },
})

it('[AP140] jobs stand right of all they need, in boxes that never lie on each other', () => {
  const some = fc.array(fc.record({ width: fc.integer({ min: 1, max: 40 }), needs: fc.array(fc.nat(14)) }), { minLength: 1, maxLength: 15 })
  fc.assert(
    fc.property(some, (jobs) => {
      const steps = jobs.flatMap(({ width, needs }, at) => {
        const before = needs.filter((need) => need < at).map((need) => `j${need}`)
        return width === 1 ? [step(`j${at}`, before)] : Array.from({ length: width }, (_, n) => step(`j${at}`, before, n))
      })
      const { boxes, lines, width, height } = layoutGraph(steps)
      const of = new Map(boxes.map((box) => [box.job, box]))
      expect(boxes.flatMap((box) => box.steps).length).toBe(steps.length)
      for (const { job, needs } of steps) for (const need of needs) expect(of.get(need)?.x).toBeLessThan(of.get(job)?.x as number)
      for (const box of boxes) {
        expect(box.x >= 0 && box.y >= 0 && box.x + BOX_WIDTH <= width && box.y + box.height <= height).toBe(true)
        const others = boxes.filter((other) => other !== box && other.x === box.x)
        expect(others.every((other) => other.y + other.height <= box.y || box.y + box.height <= other.y)).toBe(true)
      }
      // Every need can be followed along the lines, although some have none of their own.
      const reaches = (from: string, to: string): boolean =>
        lines.some((line) => line.from === from && (line.to === to || reaches(line.to, to)))
      for (const { job, needs } of steps) for (const need of needs) expect(reaches(need, job)).toBe(true)
    }),
    { numRuns: 60 },
  )
})

it('[AP140] a line that others say already is left out', () => {
  const { lines } = layoutGraph([step('c'), step('b', ['c']), step('a', ['b', 'c'])])
  expect(lines.map(({ from, to }) => `${from}>${to}`)).toEqual(['c>b', 'b>a'])
})

it('[AP140] how it stands is said in words', () => {
  const as = (...states: StepInfo['state'][]) => states.map((state, n) => ({ ...step('a', [], n), state }))
  expect(countWords({ state: 'running', counts: countSteps(as('done', 'unchanged', 'running', 'waiting')) })).toBe('2 of 4 done')
  expect(countWords({ state: 'done', counts: countSteps(as('unchanged', 'unchanged')) })).toBe('2 unchanged, nothing ran')
  expect(countWords({ state: 'done', counts: countSteps(as('done', 'unchanged')) })).toBe('1 ran, 1 unchanged')
  expect(countWords({ state: 'failed', counts: countSteps(as('failed', 'skipped', 'skipped', 'done')) })).toBe(
    '1 failed, 2 left out, 1 done',
  )
  expect(worstOf(as('done', 'running', 'failed'))).toBe('failed')
  expect(worstOf(as('done', 'unchanged'))).toBe('done')
  expect(choiceOf({ job: 'resize', step: 'resize[size=200,kind=a b]' })).toBe('200, a b')
})
