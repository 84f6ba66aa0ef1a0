import { create } from 'zustand'
import { type DeskSize, type DisplayClass, displayClassOf } from '../../session/display-class.ts'
import type { SessionCommand } from '../../session/session-command.ts'
import type { SessionState } from '../../session/session-state.ts'

/** What the person may do, said by whoever opened the workspace (desk-session.ts). Returns the id of what a command made. */
export type Dispatch = (command: SessionCommand) => string | undefined

export interface DeskSlice {
  /** The workspace; undefined until its first state is here. Parts that did not change keep their identity. */
  readonly session: SessionState | undefined
  readonly dispatch: Dispatch
  /** This machine. */
  readonly deviceId: string
  readonly deviceName: string
  /** The area windows lie in, CSS px, and the class it is laid out for. */
  readonly desk: DeskSize
  readonly displayClass: DisplayClass
  /** Changes made here that the device has not taken yet. */
  readonly unsent: boolean
}

const FIRST_DESK: DeskSize = { width: 1280, height: 800 }

export const useDesk = create<DeskSlice>(() => ({
  session: undefined,
  dispatch: () => undefined,
  deviceId: '',
  deviceName: '',
  desk: FIRST_DESK,
  displayClass: displayClassOf(FIRST_DESK),
  unsent: false,
}))

/** A slice of the workspace. Use below the desk, where it is loaded. */
export const useSession = <Slice>(select: (session: SessionState) => Slice): Slice =>
  useDesk((state) => select(state.session as SessionState))

/** For handlers: everything as it is now. */
export const deskNow = (): DeskSlice => useDesk.getState()

/** For handlers: the workspace as it is now. */
export const sessionNow = (): SessionState => useDesk.getState().session as SessionState

export const dispatch: Dispatch = (command) => useDesk.getState().dispatch(command)
