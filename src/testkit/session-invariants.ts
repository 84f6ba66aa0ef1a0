import { expect } from 'vitest'
import type { SessionState } from '../session/session-state.ts'

/** What must hold in every state, however it came about (rules SE10, SE13, SE20, SE21). */
export function checkState(state: SessionState): void {
  expect([...state.stack].sort()).toEqual(Object.keys(state.windows).sort())
  expect(state.activityOrder.length).toBeGreaterThan(0)
  expect([...state.activityOrder].sort()).toEqual(Object.keys(state.activities).sort())
  expect(state.activities[state.currentActivity]).toBeDefined()
  const shown = Object.values(state.windows).flatMap((window) => window.tabs)
  expect([...shown].sort()).toEqual(Object.keys(state.tabs).sort())
  for (const window of Object.values(state.windows)) {
    expect(window.tabs).toContain(window.activeTab)
    expect(state.activities[window.activity]).toBeDefined()
    for (const tab of window.tabs) expect(state.tabs[tab]?.window).toBe(window.id)
  }
  expect(Object.keys(state.focus).sort()).toEqual(Object.keys(state.activities).sort())
  for (const [activity, focused] of Object.entries(state.focus)) {
    const candidates = Object.values(state.windows).filter((window) => window.activity === activity && !window.minimised)
    if (focused === null) expect(candidates).toEqual([])
    else expect(candidates.map((window) => window.id)).toContain(focused)
  }
}
