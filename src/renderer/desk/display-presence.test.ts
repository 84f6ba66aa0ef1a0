import { expect, it } from 'vitest'
import { applyAwarenessUpdate, Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import type { WindowId } from '../../session/session-ids.ts'
import type { DeskSlice } from './desk-store.ts'
import { DisplayPresence } from './display-presence.ts'

const slice = (width: number, height: number): DeskSlice =>
  ({
    session: { currentActivity: 'home', focus: { home: 'w1' } },
    deviceId: 'D',
    desk: { width, height },
    displayClass: 'medium-landscape',
  }) as unknown as DeskSlice

function pair() {
  const [a, b] = [new Awareness(new Y.Doc()), new Awareness(new Y.Doc())]
  a.on('update', () => applyAwarenessUpdate(b, encodeAwarenessUpdate(a, [a.clientID]), 'link'))
  const [here, there] = [new DisplayPresence(a, 'one', 'Chrome on kitchen'), new DisplayPresence(b, 'two', 'Chrome on desk')]
  return { a, b, here, there, dispose: () => [a, b].forEach((awareness) => awareness.destroy()) }
}

it('[SE90] a drag is seen on the other display at the same share of its desk, and ends', () => {
  const { here, there, dispose } = pair()
  here.publish(slice(1000, 800))
  here.publishDrag('w1' as WindowId, { x: 100, y: 80, width: 500, height: 400 }, slice(1000, 800))
  expect([...there.drags(slice(1200, 1000))]).toEqual([['w1', { x: 120, y: 100, width: 600, height: 500 }]])
  here.publishDrag(undefined, undefined, slice(1000, 800))
  expect(there.drags(slice(1200, 1000)).size).toBe(0)
  dispose()
})

it('[SE90] a display is named to the others and never to itself', () => {
  const { here, there, dispose } = pair()
  here.publish(slice(1000, 800))
  expect(there.others().map(({ displayName }) => displayName)).toEqual(['Chrome on kitchen'])
  expect(here.others()).toEqual([])
  dispose()
})

it('says nothing when nothing changed, and keeps a drag when the focus changes', () => {
  const { a, b, here, there, dispose } = pair()
  here.publish(slice(1000, 800))
  here.publishDrag('w1' as WindowId, { x: 0, y: 0, width: 500, height: 400 }, slice(1000, 800))
  const clock = a.meta.get(a.clientID)?.clock
  here.publish(slice(1000, 800))
  expect(a.meta.get(a.clientID)?.clock).toBe(clock)
  here.publish({ ...slice(1000, 800), session: { currentActivity: 'home', focus: { home: null } } } as unknown as DeskSlice)
  expect(there.drags(slice(1000, 800)).size).toBe(1)
  expect(b.getStates().size).toBe(2)
  dispose()
})
