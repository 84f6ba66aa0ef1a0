import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nextStage, stageOf } from './staging.ts'

const shown = (wanted: string, before: string, kept = 0) => [...stageOf([...wanted], [...before], kept).shown].join('')

it('shows the first at once, and the rest a step at a time', () => {
  let before: readonly string[] = []
  const seen: string[] = []
  for (let step = 0; step < 4; step++) {
    const stage = stageOf([...'abcdef'], before, 0)
    seen.push([...stage.shown].join(''))
    before = nextStage(stage, 2)
  }
  expect(seen).toEqual(['a', 'ab', 'abcd', 'abcdef'])
})

it('what comes to the front is there at once; what is not wanted any more goes', () => {
  expect(shown('fab', 'ab')).toBe('abf')
  expect(shown('a', 'abc')).toBe('a')
})

it('keeps as many as it may of what is not wanted, the last ones', () => expect(shown('a', 'xyza', 2)).toBe('yza'))

it('shows all that is wanted and nothing twice, however it changes on the way', () => {
  const ids = fc.uniqueArray(fc.integer({ min: 0, max: 20 }), { minLength: 1 })
  fc.assert(
    fc.property(fc.array(ids, { minLength: 1 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 3 }), (lists, step, kept) => {
      let before: readonly number[] = []
      for (const wanted of lists) before = nextStage(stageOf(wanted, before, kept), step)
      const last = lists.at(-1) ?? []
      for (let more = 0; stageOf(last, before, kept).missing.length > 0; more++) {
        expect(more).toBeLessThanOrEqual(last.length)
        before = nextStage(stageOf(last, before, kept), step)
      }
      const { shown } = stageOf(last, before, kept)
      expect(last.every((id) => shown.has(id))).toBe(true)
      expect(shown.size).toBeLessThanOrEqual(last.length + kept)
    }),
  )
})
