import { expect, it } from 'vitest'
import type { Clock } from '../../base/clock.ts'
import { toDisposable } from '../../base/disposable.ts'
import { NetworkWatch } from './network-watch.ts'

it('[SY60] tells when addresses change and when the machine woke, and nothing else', () => {
  let nowMs = 0
  let look = () => {}
  let addresses = 'eth0 10.0.0.1'
  const clock: Clock = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after: () => toDisposable(() => {}),
    every: (_periodMs, callback) => {
      look = callback
      return toDisposable(() => {})
    },
  }
  let changes = 0
  let wakings = 0
  const watch = new NetworkWatch(clock, () => addresses)
  watch.onDidChange(() => changes++)
  watch.onDidWake(() => wakings++)
  const pass = (ms: number) => {
    nowMs += ms
    look()
  }
  pass(3_000)
  expect(changes).toBe(0)
  addresses = 'wlan0 10.0.0.2'
  pass(3_000)
  expect([changes, wakings]).toEqual([1, 0])
  pass(600_000)
  expect([changes, wakings]).toEqual([2, 1])
  pass(3_100)
  expect([changes, wakings]).toEqual([2, 1])
})
