import { create } from 'zustand'
import { errorWords } from '../../ui/error-words.ts'
import { showToast } from '../../ui/toast.tsx'

/** Something done to files on this display that can be taken back. */
export interface FileStep {
  /** `Renamed to “b”`. */
  readonly title: string
  back(): Promise<unknown>
}

/** More than one remembers having done. Gone with the page: what is older lies in the trash and the history. */
const MAX_STEPS = 50

/** What was done, the latest last. */
export const useFileSteps = create<{ readonly steps: readonly FileStep[] }>(() => ({ steps: [] }))

export const rememberStep = (step: FileStep): void => useFileSteps.setState(({ steps }) => ({ steps: [...steps, step].slice(-MAX_STEPS) }))

/** Takes one back, once. What cannot be taken back is said, and not tried again. */
export async function takeBack(step: FileStep): Promise<void> {
  if (!useFileSteps.getState().steps.includes(step)) return
  useFileSteps.setState(({ steps }) => ({ steps: steps.filter((one) => one !== step) }))
  try {
    await step.back()
    showToast({ title: `Undone: ${step.title}` })
  } catch (error) {
    showToast({ severity: 'error', title: 'Not everything could be undone', body: `${step.title}: ${errorWords(error)}` })
  }
}

/** The offer of a message. `then`: what shows the files looks again. */
export const undoOffer = (step: FileStep, then: () => void) => ({
  label: 'Undo',
  onSelect: () => void takeBack(step).then(then),
})
