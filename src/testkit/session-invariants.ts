import { expect } from 'vitest'
import type { SessionState } from '../session/session-state.ts'

const sameItems = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && JSON.stringify([...a].sort()) === JSON.stringify([...b].sort())

/** What is wrong with a state, in words. Compared by hand: properties ask thousands of times, and an `expect` for each costs more. */
function problemsOf(state: SessionState): string[] {
  const problems: string[] = []
  const must = (holds: boolean, what: string) => {
    if (!holds) problems.push(what)
  }
  const windows = Object.values(state.windows)
  const activities = Object.keys(state.activities)
  must(sameItems(state.stack, Object.keys(state.windows)), 'the stack does not hold each window once')
  must(state.activityOrder.length > 0, 'there is no activity')
  must(sameItems(state.activityOrder, activities), 'the order of activities does not hold each once')
  must(state.activities[state.currentActivity] !== undefined, `the current activity ${state.currentActivity} is not there`)
  const shown = windows.flatMap((window) => window.tabs)
  must(sameItems(shown, Object.keys(state.tabs)), 'not every tab is in one window')
  for (const window of windows) {
    must(window.tabs.includes(window.activeTab), `window ${window.id} shows tab ${window.activeTab}, which it does not hold`)
    must(state.activities[window.activity] !== undefined, `window ${window.id} is in activity ${window.activity}, which is not there`)
    for (const tab of window.tabs) must(state.tabs[tab]?.window === window.id, `tab ${tab} does not say that it is in window ${window.id}`)
  }
  must(sameItems(Object.keys(state.focus), activities), 'not every activity has a focus')
  for (const [activity, focused] of Object.entries(state.focus)) {
    const candidates = windows.filter((window) => window.activity === activity && !window.minimised).map((window) => window.id)
    must(
      focused === null ? candidates.length === 0 : candidates.includes(focused),
      `activity ${activity} has its focus on ${focused}, and could have it on ${candidates.join(', ') || 'nothing'}`,
    )
  }
  return problems
}

/** What must hold in every state, however it came about (rules SE10, SE13, SE20, SE21). */
export function checkState(state: SessionState): void {
  const problems = problemsOf(state)
  if (problems.length > 0) expect({ problems, state }).toEqual({ problems: [], state })
}
