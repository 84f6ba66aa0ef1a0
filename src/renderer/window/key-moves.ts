/** A key was pressed, and its task is not over. */
let inKey = false

/**
 * Is this the task of a key that the person pressed? Then a focus that comes now is theirs: Tab, or what a command did. Any other may be
 * an app that takes the keyboard when its content arrives, of a window that was in front when it asked and is not any more.
 */
export const movedByKey = (): boolean => inKey

/** Watches the keys of the page. @returns stops watching. */
export function watchKeys(): () => void {
  const note = () => {
    inKey = true
    // The browser moves the focus after the event and before the next task.
    setTimeout(() => {
      inKey = false
    })
  }
  addEventListener('keydown', note, { capture: true, passive: true })
  return () => removeEventListener('keydown', note, { capture: true })
}
