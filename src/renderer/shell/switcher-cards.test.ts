import fc from 'fast-check'
import { expect, it } from 'vitest'
import { cardsShown, MAX_CARDS } from './switcher-cards.ts'

it('[AP78] the window pointed at is always shown, among as many as fit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(), (count, some) => {
      const at = some % count
      const { from, to } = cardsShown(count, at)
      expect(from).toBeGreaterThanOrEqual(0)
      expect(to).toBeLessThanOrEqual(count)
      expect(at >= from && at < to).toBe(true)
      expect(to - from).toBe(Math.min(count, MAX_CARDS))
    }),
  )
})
