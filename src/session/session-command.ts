import type { AppState } from './app-state.ts'
import type { DeskSize, DisplayClass } from './display-class.ts'
import type { Preferences } from './preferences.ts'
import type { ActivityId, TabId, WindowId } from './session-ids.ts'
import type { Hue } from './session-state.ts'
import type { PixelRect, SnapZone } from './snap-zone.ts'

/** What only the display knows: injected, so that reducing stays pure. */
export interface CommandContext {
  /** A fresh id: 1 to 64 letters, digits, "-" or "_"; random enough never to repeat on any device. */
  readonly newId: () => string
  readonly nowMs: number
  /** Class the desk is laid out for. Places are written for this class only. */
  readonly displayClass: DisplayClass
  /** Desk area in CSS px. */
  readonly desk: DeskSize
}

/** Rectangles are CSS px on this display's desk area. Ids may be given by the caller, who then knows them at once. */
export type SessionCommand =
  | { readonly type: 'activity/create'; readonly id?: ActivityId; readonly name: string; readonly hue?: Hue; readonly stay?: boolean }
  | { readonly type: 'activity/rename'; readonly activityId: ActivityId; readonly name: string }
  | { readonly type: 'activity/recolour'; readonly activityId: ActivityId; readonly hue: Hue }
  /** Its windows move to `moveWindowsTo`; without it they are closed and can be reopened. The last activity stays. */
  | { readonly type: 'activity/remove'; readonly activityId: ActivityId; readonly moveWindowsTo?: ActivityId }
  | { readonly type: 'activity/switch'; readonly activityId: ActivityId }
  /** `before` null: to the end. */
  | { readonly type: 'activity/reorder'; readonly activityId: ActivityId; readonly before: ActivityId | null }
  | {
      readonly type: 'window/open'
      readonly app: AppState
      readonly id?: WindowId
      readonly tabId?: TabId
      readonly activityId?: ActivityId
      /** Wanted size; its corner is cascaded. */
      readonly size?: { readonly width: number; readonly height: number }
      readonly rect?: PixelRect
    }
  | { readonly type: 'window/close'; readonly windowId: WindowId }
  /** To the front, un-minimised, its activity shown. */
  | { readonly type: 'window/focus'; readonly windowId: WindowId }
  /** A dropped drag: leaves any snap zone, keeps its free size. */
  | { readonly type: 'window/move'; readonly windowId: WindowId; readonly x: number; readonly y: number }
  | { readonly type: 'window/resize'; readonly windowId: WindowId; readonly rect: PixelRect }
  | { readonly type: 'window/minimise'; readonly windowId: WindowId }
  | { readonly type: 'window/maximise'; readonly windowId: WindowId }
  /** Un-minimises; a visible window leaves its snap zone. */
  | { readonly type: 'window/restore'; readonly windowId: WindowId }
  | { readonly type: 'window/snap'; readonly windowId: WindowId; readonly zone: SnapZone }
  | { readonly type: 'window/pin'; readonly windowId: WindowId; readonly pinned: boolean }
  | { readonly type: 'window/to-activity'; readonly windowId: WindowId; readonly activityId: ActivityId }
  /** Without `closedId`: what was closed last. */
  | { readonly type: 'window/reopen'; readonly closedId?: string }
  /** The activity's visible windows side by side, the focused one first. */
  | { readonly type: 'window/tile'; readonly activityId?: ActivityId }
  | { readonly type: 'tab/open'; readonly windowId: WindowId; readonly app: AppState; readonly id?: TabId; readonly background?: boolean }
  /** The last tab closes its window. */
  | { readonly type: 'tab/close'; readonly tabId: TabId }
  | { readonly type: 'tab/activate'; readonly tabId: TabId }
  /** Within its window or to another; `before` null: to the end. */
  | { readonly type: 'tab/move'; readonly tabId: TabId; readonly windowId: WindowId; readonly before: TabId | null }
  /** Into a window of its own, its top left corner at x, y if given. */
  | {
      readonly type: 'tab/tear-off'
      readonly tabId: TabId
      readonly id?: WindowId
      readonly at?: { readonly x: number; readonly y: number }
    }
  | { readonly type: 'tab/pin'; readonly tabId: TabId; readonly pinned: boolean }
  /** What the app remembers. Of the same kind only. Not undoable: it belongs to the app. */
  | { readonly type: 'tab/set-state'; readonly tabId: TabId; readonly app: AppState }
  | { readonly type: 'preferences/set'; readonly values: Partial<Preferences> }
  /** `keys` null: back to what the product ships. */
  | { readonly type: 'keybindings/set'; readonly command: string; readonly keys: readonly string[] | null }
  | { readonly type: 'notifications/read'; readonly ids: readonly string[] }
  | { readonly type: 'notifications/read-all'; readonly upToMs: number }
  /** Takes back the last window command that still can be. */
  | { readonly type: 'undo' }
