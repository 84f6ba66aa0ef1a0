import type { TerminalSize } from './terminal-frames-contract.ts'

/** Who looks at one terminal, and how large each of them would have it. */
export interface ViewerSizes<Viewer> {
  /** In order of arrival. */
  readonly wishes: ReadonlyMap<Viewer, TerminalSize>
  /** The viewer typed in last, if it is still there. */
  readonly typist: Viewer | undefined
}

export type ViewerEvent<Viewer> =
  | { readonly type: 'attach' | 'resize'; readonly viewer: Viewer; readonly size: TerminalSize }
  | { readonly type: 'type' | 'detach'; readonly viewer: Viewer }

export const noViewers = <Viewer>(): ViewerSizes<Viewer> => ({ wishes: new Map(), typist: undefined })

/** Pure. Events of a viewer that is not attached change nothing. */
export function reduceViewers<Viewer>(state: ViewerSizes<Viewer>, event: ViewerEvent<Viewer>): ViewerSizes<Viewer> {
  const { viewer } = event
  if (event.type !== 'attach' && !state.wishes.has(viewer)) return state
  switch (event.type) {
    case 'attach':
    case 'resize':
      return { ...state, wishes: new Map(state.wishes).set(viewer, event.size) }
    case 'type':
      return { ...state, typist: viewer }
    case 'detach': {
      const wishes = new Map(state.wishes)
      wishes.delete(viewer)
      return { wishes, typist: state.typist === viewer ? undefined : state.typist }
    }
  }
}

/**
 * The size the terminal should have (JB6): that of the viewer typed in last; of the only viewer, if there is one;
 * else it stays as it is.
 */
export function chosenSize<Viewer>(state: ViewerSizes<Viewer>, current: TerminalSize): TerminalSize {
  if (state.typist !== undefined) return state.wishes.get(state.typist) ?? current
  if (state.wishes.size !== 1) return current
  return state.wishes.values().next().value ?? current
}
