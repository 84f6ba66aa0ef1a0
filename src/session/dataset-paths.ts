import { ELSEWHERE, type AppState } from './app-state.ts'
import type { SessionState } from './session-state.ts'

/** Paths told at most: a person sees few windows at once. */
const MAX_PATHS = 100

/**
 * What the windows that can be seen show of the datasets (rule SE18), as `/Home/notes.md`: the tabs in front first, from the window
 * nearest to the eye, then the tabs behind them.
 */
export function datasetPathsInView({ stack, windows, tabs, currentActivity }: SessionState): readonly string[] {
  const seen = stack.map((id) => windows[id]).filter((window) => window?.activity === currentActivity && !window.minimised)
  const nearest = seen.toReversed().flatMap((window) => window ?? [])
  const inFront = nearest.map(({ activeTab }) => activeTab)
  const behind = nearest.flatMap((window) => window.tabs.filter((tab) => tab !== window.activeTab))
  const paths = [...inFront, ...behind].flatMap((tab) => {
    const record = tabs[tab]
    return (record && pathOf(record.app)) ?? []
  })
  return [...new Set(paths)].slice(0, MAX_PATHS)
}

function pathOf(app: AppState): string | undefined {
  if (app.kind !== 'editor' && app.kind !== 'files') return undefined
  return app.device === ELSEWHERE && app.path !== null ? app.path : undefined
}
