import { create } from 'zustand'
import type { PlacementAnswer } from '../../jobs/placement-contract.ts'
import { setShell } from './shell-store.ts'

/** A folder and the device it lies on. */
export interface DeviceFolder {
  readonly device: string
  readonly path: string
}

/** A command a person is about to send somewhere, and what its placement says. */
export interface RunPlan {
  readonly line: string
  /** Folder on this device whose files it works on, when one was chosen; else the one in front. */
  readonly chosenFolder: string | undefined
  /** Folder on this device that it would be started in, as last asked. */
  readonly folder: string | undefined
  /** Device it was dropped on before it was complete: Enter starts it there. */
  readonly target: string | undefined
  /** The line is what a program shall take; the program itself is still to be typed before it. */
  readonly lacksProgram: boolean
  /** The command that is being started just now, with its folder: a second press of the same is none. */
  readonly starting: string | undefined
  readonly asking: boolean
  readonly answer: PlacementAnswer | undefined
  readonly error: unknown
}

const NONE: RunPlan = {
  line: '',
  chosenFolder: undefined,
  folder: undefined,
  target: undefined,
  lacksProgram: false,
  starting: undefined,
  asking: false,
  answer: undefined,
  error: undefined,
}
/** A menu fades in a few frames; one that stays much longer is another one. */
const MENU_FRAMES = 60

export const useRunPlan = create<RunPlan>(() => NONE)

export const clearPlan = (): void => useRunPlan.setState(NONE)

/** Opens the command field with what is known already: the line, the folder (on this device), where it is to run. Runs nothing. */
export function askForCommand(known: { readonly line?: string; readonly folder?: string; readonly target?: string }): void {
  const line = known.line ?? ''
  const lacksProgram = line.startsWith(' ')
  useRunPlan.setState({
    ...NONE,
    line,
    chosenFolder: known.folder,
    target: known.target,
    lacksProgram,
    asking: line !== '' && !lacksProgram,
  })
  setShell({ elsewhereOpen: true, compactView: 'elsewhere' })
  // What is missing of ` data.csv` is the program before it.
  whenMenuIsGone(() => focusField(lacksProgram ? 0 : line.length))
}

function focusField(cursor: number): void {
  setShell({ elsewhereOpen: true })
  requestAnimationFrame(() => {
    const field = document.querySelector<HTMLInputElement>('.run-command input')
    field?.focus()
    field?.setSelectionRange(cursor, cursor)
  })
}

/** A menu gives the focus back to where it was opened when it goes: whoever asks for it by a menu's entry waits for that. */
function whenMenuIsGone(then: () => void, frames = MENU_FRAMES): void {
  requestAnimationFrame(() =>
    frames > 0 && document.querySelector('.ui-menu') ? whenMenuIsGone(then, frames - 1) : requestAnimationFrame(then),
  )
}
