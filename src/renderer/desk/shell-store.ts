import { create } from 'zustand'
import type { TabId, WindowId } from '../../session/session-ids.ts'

/** What is carried by a drag over docks: decides which tiles can take it. */
export interface Carried {
  readonly kind: 'tab' | 'window'
  readonly tabId: TabId
  /** App of the carried tab. */
  readonly app: string
  /** Device it runs or lies on, or null. */
  readonly device: string | null
  readonly title: string
}

/** What only this display shows and nobody else needs to know: open overlays, modes, what is being dragged. */
export interface ShellSlice {
  readonly palette: boolean
  /** The window switcher with the window it would go to. */
  readonly switcher: { readonly order: readonly WindowId[]; readonly at: number } | undefined
  readonly notificationsOpen: boolean
  /** The window that arrow keys move or resize. */
  readonly keyboardMode: { readonly windowId: WindowId; readonly kind: 'move' | 'resize' } | undefined
  readonly carried: Carried | undefined
  readonly elsewhereOpen: boolean
  /** What is carried lies over the grown part of the elsewhere dock without having gone in: the dock lets what is below be seen. */
  readonly carriedPast: boolean
  /** Small screens: which list is shown instead of the window. */
  readonly compactView: 'window' | 'windows' | 'elsewhere' | 'apps'
}

export const useShell = create<ShellSlice>(() => ({
  palette: false,
  switcher: undefined,
  notificationsOpen: false,
  keyboardMode: undefined,
  carried: undefined,
  elsewhereOpen: false,
  carriedPast: false,
  compactView: 'window',
}))

export const setShell = (change: Partial<ShellSlice>): void => useShell.setState(change)
