import { expect, it } from 'vitest'
import { ManualClock } from '../testkit/manual-clock.ts'
import { GatheredChanges, MAX_TOLD, type ToldChange } from './gathered-changes.ts'
import type { NodeId } from './op.ts'

const some = (...names: string[]) => new Set(names as NodeId[])

it('[DV50] the first change is told at once, many that follow together, and none is left out', () => {
  const clock = new ManualClock()
  const told: ToldChange[] = []
  const gathered = new GatheredChanges(clock, (change) => told.push(change))
  gathered.add({ dataset: 'a', nodes: some('1'), folders: some('f') })
  expect(told).toEqual([{ dataset: 'a', nodes: ['1'], folders: ['f'], isMore: false }])
  for (let n = 0; n < 500; n++) gathered.add({ dataset: 'a', nodes: some(`n${n}`), folders: some('g') })
  gathered.add({ dataset: 'b', nodes: some('2'), folders: some() })
  expect(told.map(({ dataset }) => dataset)).toEqual(['a', 'b'])
  clock.advance(100)
  expect(told.slice(2)).toEqual([{ dataset: 'a', nodes: Array.from({ length: 500 }, (_, n) => `n${n}`), folders: ['g'], isMore: false }])
  for (let n = 0; n < 2 * MAX_TOLD; n++) gathered.add({ dataset: 'a', nodes: some(`n${n}`), folders: some() })
  clock.advance(100)
  expect(told.slice(3).map(({ nodes, isMore }) => [nodes.length, isMore])).toEqual([[MAX_TOLD, true]])
  clock.advance(1000)
  gathered.add({ dataset: 'a', nodes: some(), folders: some() }) // others told what they hold
  expect(told.length).toBe(5)
  gathered.add({ dataset: 'a', nodes: some(), folders: some() })
  gathered.dispose()
  clock.advance(1000)
  expect(told.length).toBe(5)
})
