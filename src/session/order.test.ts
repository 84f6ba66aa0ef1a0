import fc from 'fast-check'
import { expect, it } from 'vitest'
import { byOrder, MAX_ORDER_LENGTH, orderBetween, ordersFor } from './order.ts'

it('[SE22] there is an order between any two, until there is no room', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(), { maxLength: 120, size: 'max' }), (picks) => {
      const orders: string[] = []
      for (const pick of picks) {
        const index = pick % (orders.length + 1)
        const low = orders[index - 1] ?? null
        const high = orders[index] ?? null
        const between = orderBetween(low, high)
        if (between === undefined) continue
        if (low !== null) expect(between > low).toBe(true)
        if (high !== null) expect(between < high).toBe(true)
        expect(between.length).toBeLessThanOrEqual(MAX_ORDER_LENGTH)
        orders.splice(index, 0, between)
      }
      expect(orders).toEqual([...orders].sort())
      expect(orders.length).toBeGreaterThan(picks.length * 0.9 - 1)
    }),
  )
})

it('[SE22] a thousand appends stay short', () => {
  let last: string | null = null
  for (let i = 0; i < 1_000; i++) {
    const next = orderBetween(last, null)
    expect(next).toBeDefined()
    expect(next! > (last ?? '')).toBe(true)
    last = next!
  }
  expect(last!.length).toBeLessThan(40)
})

it('[SE22] no room: equal, out of order, or nothing below', () => {
  expect(orderBetween('V', 'V')).toBeUndefined()
  expect(orderBetween('W', 'V')).toBeUndefined()
  expect(orderBetween(null, '0')).toBeUndefined()
  expect(orderBetween(null, '00')).toBeUndefined()
})

it('[SE22] orders for a whole list ascend and leave room between', () => {
  for (const count of [0, 1, 7, 100, 2_000]) {
    const orders = ordersFor(count)
    expect(orders.length).toBe(count)
    for (let i = 1; i < count; i++) {
      expect(orders[i]! > orders[i - 1]!).toBe(true)
      expect(orderBetween(orders[i - 1]!, orders[i]!)).toBeDefined()
    }
  }
})

it('[SE22] equal orders: the id decides', () => {
  const list = [
    { order: 'V', id: 'b' },
    { order: 'A', id: 'z' },
    { order: 'V', id: 'a' },
  ]
  expect(list.sort(byOrder).map(({ id }) => id)).toEqual(['z', 'a', 'b'])
})
