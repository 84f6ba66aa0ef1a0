/** What every app's component gets. Only the front tab of a visible window is mounted. */
export interface AppProps<State = unknown> {
  readonly windowId: string
  readonly tabId: string
  /** The tab's app state out of the workspace document; it follows the person. */
  readonly state: State
  /** Merges into the state: one transaction. Call it for what should follow, never per frame. */
  setState(change: Partial<State>): void
  /** This window has the focus. */
  readonly active: boolean
  /** False while the window is covered by a maximised one or being drawn as a preview. */
  readonly visible: boolean
}
