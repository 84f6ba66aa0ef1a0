import { expect, it } from 'vitest'
import { Emitter } from '../../base/emitter.ts'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { silentLogger } from '../../base/logger.ts'
import { systemRandom } from '../../base/random.ts'
import { planWorkflow } from '../../jobs/workflow/plan-workflow.ts'
import { WorkflowBook } from '../../jobs/workflow/workflow-book.ts'
import { ManualClock } from '../../testkit/manual-clock.ts'
import { WorkflowRun, type WorkflowRunParts } from './workflow-run.ts'

it.each([
  { steps: 4, everyMs: 100 },
  { steps: 250, everyMs: 300 },
  { steps: 1_000, everyMs: 1_000 },
])('[WF12] of $steps steps changes are told each $everyMs ms', async ({ steps, everyMs }) => {
  const list = (length: number) => JSON.stringify(Array.from({ length }, (_, n) => n))
  const text = `jobs: { a: { matrix: { n: ${list(steps / 4)}, m: ${list(4)} }, run: "true" } }`
  const { plan } = planWorkflow(text)
  if (!plan) throw new Error('no plan')
  const clock = new ManualClock()
  const parts = {
    ...{ clock, random: systemRandom, log: silentLogger, book: new WorkflowBook(new MemoryKeyValueStore(), silentLogger) },
    files: { fingerprints: () => new Promise(() => {}) }, // its first step stays at being prepared
    jobs: { onDidChangeJob: new Emitter().event },
    cores: async () => 1,
  } as unknown as WorkflowRunParts
  const record = { format: 1, name: 'a', source: '/a.yml', text, steps, state: 'running', isCancelled: false, startedAtMs: 0 } as const
  const run = new WorkflowRun('0'.repeat(32), record, plan, parts)
  let told = 0
  run.onDidChange(() => told++)
  await run.begin()
  clock.advance(everyMs - 1)
  expect(told).toBe(0)
  clock.advance(1)
  expect(told).toBe(1)
  run.dispose()
})
