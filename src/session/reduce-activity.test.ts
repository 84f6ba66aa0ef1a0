import { expect, it } from 'vitest'
import { NOTES, syncAll, TestReplica } from '../testkit/session-replicas.ts'
import { orderBetween } from './order.ts'
import type { ActivityId, WindowId } from './session-ids.ts'

const HOME = 'home' as ActivityId
const create = (replica: TestReplica, name: string) => replica.do({ type: 'activity/create', name, stay: true }) as ActivityId

it('[SE15] a new activity comes last, is shown, and takes the least used hue', () => {
  const replica = new TestReplica(100)
  const id = replica.do({ type: 'activity/create', name: '  Writing  ' }) as ActivityId
  expect(replica.state.activities[id]).toMatchObject({ name: 'Writing', hue: 1 })
  expect(replica.state.activityOrder).toEqual([HOME, id])
  expect(replica.state.currentActivity).toBe(id)
  for (let i = 0; i < 7; i++) create(replica, `more ${i}`)
  expect(Object.values(replica.state.activities).filter(({ hue }) => hue === 0).length).toBe(2)
  expect(replica.do({ type: 'activity/create', name: '   ' })).toBeUndefined()
})

it('[SE15] rename, recolour, reorder, switch', () => {
  const replica = new TestReplica(100)
  const [a, b] = [create(replica, 'A'), create(replica, 'B')]
  replica.do({ type: 'activity/rename', activityId: a, name: 'x'.repeat(200) })
  replica.do({ type: 'activity/recolour', activityId: a, hue: 7 })
  expect(replica.state.activities[a]).toMatchObject({ name: 'x'.repeat(80), hue: 7 })
  replica.do({ type: 'activity/reorder', activityId: b, before: HOME })
  expect(replica.state.activityOrder).toEqual([b, HOME, a])
  replica.do({ type: 'activity/reorder', activityId: b, before: null })
  expect(replica.state.activityOrder).toEqual([HOME, a, b])
  replica.do({ type: 'activity/switch', activityId: b })
  expect(replica.state.currentActivity).toBe(b)
  replica.do({ type: 'activity/rename', activityId: 'gone' as ActivityId, name: 'y' })
  expect(Object.keys(replica.state.activities).length).toBe(3)
})

it('[SE15] orders that ran out of room, or clash after a merge, are written anew', () => {
  const [one, two] = [new TestReplica(100), new TestReplica(200)]
  const [a, b] = [create(one, 'A'), create(two, 'B')]
  syncAll([one, two])
  expect(one.state.activities[a]!.order).toBe(one.state.activities[b]!.order)
  const [first, second] = one.state.activityOrder.slice(1) as [ActivityId, ActivityId]
  const c = create(one, 'C')
  one.do({ type: 'activity/reorder', activityId: c, before: second })
  expect(one.state.activityOrder).toEqual([HOME, first, c, second])
  expect(orderBetween(one.state.activities[first]!.order, one.state.activities[c]!.order)).toBeDefined()
})

it('[SE15] removing closes its windows, or moves them', () => {
  const replica = new TestReplica(100)
  const [a, b] = [create(replica, 'A'), create(replica, 'B')]
  const inA = replica.do({ type: 'window/open', app: NOTES, activityId: a }) as WindowId
  const inB = replica.do({ type: 'window/open', app: NOTES, activityId: b }) as WindowId
  replica.do({ type: 'activity/switch', activityId: a })
  replica.do({ type: 'activity/remove', activityId: a, moveWindowsTo: b })
  expect(replica.state.windows[inA]!.activity).toBe(b)
  expect(replica.state.currentActivity).toBe(b)
  replica.do({ type: 'activity/remove', activityId: b })
  expect(replica.state.currentActivity).toBe(HOME)
  expect([replica.state.windows[inA], replica.state.windows[inB]]).toEqual([undefined, undefined])
  expect(replica.state.closed.length).toBe(2)
  replica.do({ type: 'undo' })
  replica.do({ type: 'undo' })
  expect(replica.state.windows[inA]!.activity).toBe(a)
  expect(replica.state.windows[inB]!.activity).toBe(b)
})

it('[SE13] the last activity stays; one cannot move windows to an activity that is not there', () => {
  const replica = new TestReplica(100)
  replica.do({ type: 'activity/remove', activityId: HOME })
  expect(replica.state.activityOrder).toEqual([HOME])
  const a = create(replica, 'A')
  for (const moveWindowsTo of ['gone' as ActivityId, a]) replica.do({ type: 'activity/remove', activityId: a, moveWindowsTo })
  expect(replica.state.activityOrder).toEqual([HOME, a])
})

it('[SE13] two displays each remove what the other kept: Home is back, and nothing is lost', () => {
  const [one, two] = [new TestReplica(100), new TestReplica(200)]
  const a = create(one, 'A')
  syncAll([one, two])
  one.do({ type: 'activity/remove', activityId: HOME, moveWindowsTo: a })
  two.do({ type: 'activity/remove', activityId: a, moveWindowsTo: HOME })
  const late = two.do({ type: 'window/open', app: NOTES }) as WindowId
  syncAll([one, two])
  expect(one.state).toEqual(two.state)
  expect(one.state.activityOrder).toEqual([HOME])
  expect(one.state.activities[HOME]!.name).toBe('Home')
  expect(Object.keys(one.state.windows).sort()).toEqual([late, 'welcome'].sort())
  one.do({ type: 'activity/rename', activityId: HOME, name: 'Back' })
  expect(one.state.activities[HOME]!.name).toBe('Back')
})

it('[SE13] a window opened in an activity that was removed meanwhile shows in the first one', () => {
  const [one, two] = [new TestReplica(100), new TestReplica(200)]
  const a = create(one, 'A')
  syncAll([one, two])
  one.do({ type: 'activity/remove', activityId: a })
  const id = two.do({ type: 'window/open', app: NOTES, activityId: a }) as WindowId
  syncAll([one, two])
  expect(one.state.windows[id]!.activity).toBe(HOME)
  one.workspace.write({ set: [], remove: [`undo:${one.state.undo[0]!.id}`], label: '' })
  one.do({ type: 'undo' })
  expect(one.state.windows[id]!.activity).toBe(a)
})

it('[SE11] a rename does not bring back what was removed meanwhile; rename and recolour at once are both kept', () => {
  const [one, two] = [new TestReplica(100), new TestReplica(200)]
  const [a, b] = [create(one, 'A'), create(one, 'B')]
  syncAll([one, two])
  one.do({ type: 'activity/remove', activityId: a })
  two.do({ type: 'activity/rename', activityId: a, name: 'Again' })
  one.do({ type: 'activity/rename', activityId: b, name: 'Bee' })
  two.do({ type: 'activity/recolour', activityId: b, hue: 6 })
  syncAll([one, two])
  expect(one.state.activities[a]).toBeUndefined()
  expect(one.state.activities[b]).toMatchObject({ name: 'Bee', hue: 6 })
})
