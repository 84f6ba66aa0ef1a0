import { expect, it } from 'vitest'
import { planWorkflow } from './plan-workflow.ts'
import { lineDigest, resultOf, stepKey, whyItRuns } from './step-key.ts'

const stepOf = (line: string, top = '') => {
  const { plan } = planWorkflow(`${top}jobs: { a: { run: "${line}", inputs: [i, j], outputs: o } }`)
  if (!plan?.steps[0]) throw new Error('no plan')
  return { plan, step: plan.steps[0] }
}
const now = {
  inputs: [
    ['i', '1'],
    ['j', '2'],
  ],
  needs: [['n', '3']],
} as const

it('[WF7] a result depends on the command, the folder, what is read and what is needed, in any order; on nothing else', () => {
  const { plan, step } = stepOf('x')
  const key = stepKey(plan, step, now)
  expect(key).toBe('15cee965555b5b80151a174cc7809daa')
  expect(
    stepKey(plan, step, {
      inputs: [
        ['j', '2'],
        ['i', '1'],
      ],
      needs: now.needs,
    }),
  ).toBe(key)
  expect(stepKey(plan, { ...step, on: 'server', again: false, at: { line: 9, column: 9 }, step: 'b', job: 'b' }, now)).toBe(key)
  const others = [
    stepKey(plan, stepOf('y').step, now),
    stepKey(stepOf('x', 'folder: f\n').plan, step, now),
    stepKey(plan, { ...step, network: true }, now),
    stepKey(plan, { ...step, outputs: [] }, now),
    stepKey(plan, step, {
      ...now,
      inputs: [
        ['i', '1'],
        ['j', 'other'],
      ],
    }),
    stepKey(plan, step, { ...now, inputs: [['i', '1']] }),
    stepKey(plan, step, { ...now, needs: [['n', 'other']] }),
    stepKey(plan, step, { inputs: now.needs, needs: now.inputs }),
  ]
  expect(new Set([key, ...others]).size).toBe(others.length + 1)
})

it('[WF7] who needs a step depends on what it put out, or, without that, on its being done', () => {
  expect(resultOf('k1', [['o', '1']])).toBe(resultOf('k2', [['o', '1']]))
  expect(resultOf('k1', [['o', '1']])).not.toBe(resultOf('k1', [['o', '2']]))
  expect(resultOf('k1', [])).toBe('k1')
})

it('[WF7] why it runs is said, the first cause alone', () => {
  const { step } = stepOf('x')
  const last = { ...now, line: lineDigest(step) }
  expect(whyItRuns(step, now, undefined)).toBe('not run before')
  expect(whyItRuns(stepOf('y').step, now, last)).toBe('its command is another')
  expect(
    whyItRuns(
      step,
      {
        ...now,
        inputs: [
          ['i', '9'],
          ['j', '2'],
        ],
      },
      last,
    ),
  ).toBe('i changed')
  expect(
    whyItRuns(
      step,
      {
        ...now,
        inputs: [
          ['i', '9'],
          ['j', '9'],
        ],
      },
      last,
    ),
  ).toBe('i and 1 more changed')
  expect(whyItRuns(step, { ...now, needs: [['n', '9']] }, last)).toBe('what n put out is another')
  expect(whyItRuns(step, now, last)).toBe('what it put out is not as it left it')
})
