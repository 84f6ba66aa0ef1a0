import type { JobInfo } from '../../jobs/jobs-contract.ts'
import { create } from 'zustand'
import type { TabId, WindowId } from '../../session/session-ids.ts'

/** A tab or window in the person's hand. */
export interface CarriedTab {
  readonly kind: 'tab' | 'window'
  readonly tabId: TabId
  /** App of the carried tab. */
  readonly app: string
  /** Device it runs or lies on, or null. */
  readonly device: string | null
  readonly title: string
  /** The job whose page it shows, if that is not over. */
  readonly job?: JobInfo
}

/** A job that is not over. */
export interface CarriedJob {
  readonly kind: 'job'
  readonly job: JobInfo
}

/** A command: text selected in a terminal, or a job that is over. */
export interface CarriedCommand {
  readonly kind: 'command'
  readonly line: string
  /** Where it is to run; absent: in the folder in front. */
  readonly folder?: { readonly device: string; readonly path: string }
}

/** Files or folders of one device, all of one folder. */
export interface CarriedFiles {
  readonly kind: 'files'
  readonly device: string
  /** Folder they lie in. */
  readonly parent: string
  readonly names: readonly string[]
  /** It is a single folder. */
  readonly isFolder: boolean
}

/** What is carried by a drag over docks: decides which tiles can take it. */
export type Carried = CarriedTab | CarriedCommand | CarriedFiles | CarriedJob

/** A page of Devices, and the device whose details somebody asked for; `asked` counts that, since the same one may be asked for again. */
export interface DevicesView {
  readonly page: 'devices' | 'contacts' | 'grants' | 'ledger'
  readonly device: string | undefined
  readonly asked: number
}

/** As it is when it is opened without a wish. */
export const DEVICES_VIEW: DevicesView = { page: 'devices', device: undefined, asked: 0 }

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
  /** What Devices shows. */
  readonly devicesView: DevicesView
  /** One window fills the screen: nothing has a place on the desk that could be changed. */
  readonly compact: boolean
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
  devicesView: DEVICES_VIEW,
  compact: false,
  compactView: 'window',
}))

export const setShell = (change: Partial<ShellSlice>): void => useShell.setState(change)

/** The screen became small, or large again. A move by keyboard that was under way is over: no desk is there to move on (rule AP72). */
export const setCompact = (compact: boolean): void => setShell(compact ? { compact, keyboardMode: undefined } : { compact })
