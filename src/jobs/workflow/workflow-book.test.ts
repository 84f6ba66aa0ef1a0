import { expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { MemoryKeyValueStore } from '../../base/key-value-store.ts'
import { silentLogger } from '../../base/logger.ts'
import golden from '../golden/workflow-1.json' with { type: 'json' }
import { WorkflowBook, workflowIdOf } from './workflow-book.ts'
import { MAX_WORKFLOWS } from './workflow-contract.ts'
import { decodeRecord, memoryRecord, resultRecord, stepRecord, workflowRecord } from './workflow-record.ts'

const open = (store = new MemoryKeyValueStore()) => new WorkflowBook(store, silentLogger)
const record = workflowRecord.parse(golden.workflow)
const step = stepRecord.parse(golden.step)

it('[WF8] records of format 1 stay readable; what is damaged or newer is left out, and nothing else is', () => {
  const bytes = (value: unknown) => utf8(JSON.stringify(value))
  expect(decodeRecord(workflowRecord, bytes(golden.workflow))).toEqual(golden.workflow)
  expect(decodeRecord(stepRecord, bytes(golden.step))).toEqual(golden.step)
  expect(decodeRecord(resultRecord, bytes(golden.result))).toEqual(golden.result)
  expect(decodeRecord(memoryRecord, bytes(golden.memory))).toEqual(golden.memory)
  const store = new MemoryKeyValueStore()
  store.put('workflows', 'a'.repeat(32), bytes({ ...golden.workflow, format: 2 }))
  store.put('workflows', 'b'.repeat(32), bytes(golden.workflow))
  store.put('workflows', 'c'.repeat(32), utf8('{'))
  expect(open(store).all.map(([workflow]) => workflow)).toEqual(['b'.repeat(32)])
})

it('[WF8][WF10] a book opened anew says what was kept; a run that begins knows nothing of the steps before it', () => {
  const store = new MemoryKeyValueStore()
  const workflow = workflowIdOf('/home/ada/flow.yml')
  const book = open(store)
  book.begin(workflow, record)
  book.putStep(workflow, 0, step)
  const after = open(store)
  expect({ record: after.find(workflow), step: after.step(workflow, 0) }).toEqual({ record, step })
  after.begin(workflow, { ...record, startedAtMs: 1 })
  expect(open(store).step(workflow, 0)).toBeUndefined()
})

it('[WF8] of a run that ended with an earlier version the steps are counted once, and kept', () => {
  const store = new MemoryKeyValueStore()
  const workflow = workflowIdOf('/home/ada/flow.yml')
  const book = open(store)
  book.begin(workflow, { ...record, steps: 3, state: 'running' })
  book.putStep(workflow, 1, { ...step, state: 'done' })
  expect(book.counts(workflow)).toEqual({ waiting: 2, done: 1 })
  expect(book.find(workflow)?.counts).toBeUndefined() // it goes on
  book.putStep(workflow, 0, { ...step, state: 'failed' })
  book.put(workflow, { ...record, steps: 3, state: 'failed' })
  expect(open(store).counts(workflow)).toEqual({ waiting: 1, done: 1, failed: 1 })
  book.putStep(workflow, 0, { ...step, state: 'done' })
  expect(open(store).counts(workflow)).toEqual({ waiting: 1, done: 1, failed: 1 })
})

it('[WF8] the oldest that is over makes room; when all run, none more begins', () => {
  const book = open()
  const id = (n: number) => workflowIdOf(`/flow-${n}.yml`)
  for (let n = 0; n < MAX_WORKFLOWS; n++) book.begin(id(n), { ...record, startedAtMs: n, state: n === 7 ? 'done' : 'running' })
  book.begin(id(1_000), record)
  expect([book.find(id(7)), book.all.length]).toEqual([undefined, MAX_WORKFLOWS])
  expect(() => book.begin(id(1_001), record)).toThrow(expect.objectContaining({ code: 'workflow/too-many' }))
  expect(() => book.require(id(7))).toThrow(expect.objectContaining({ code: 'workflow/unknown' }))
})

it('[WF8] what is remembered of steps goes with them', () => {
  const store = new MemoryKeyValueStore()
  const book = open(store)
  const workflow = workflowIdOf('/home/ada/flow.yml')
  const text = 'jobs: { a: { run: x }, b: { run: y } }'
  const memory = { format: 1, line: 'l', inputs: [], needs: [] } as const
  const putBoth = () => ['a', 'b'].forEach((one) => book.putMemory(workflow, one, { ...memory, inputs: [], needs: [] }))
  const kept = () => ['a', 'b'].filter((one) => book.memory(workflow, one) !== undefined)
  book.begin(workflow, { ...record, text })
  putBoth()
  book.begin(workflow, { ...record, text: 'jobs: { b: { run: z } }' })
  expect(kept()).toEqual(['b'])
  book.forget(workflow)
  expect(store.entries('workflow-memories')).toEqual([])
})
