import { useState } from 'react'
import { errorWords } from '../ui/error-words.ts'

/** Runs what is pressed in a dialog; what goes wrong is said in the dialog, which stays. */
export function useAct(onClose: () => void) {
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const run = async (act: () => Promise<unknown>) => {
    setBusy(true)
    setError(undefined)
    try {
      await act()
      onClose()
    } catch (failure) {
      setError(errorWords(failure))
      setBusy(false)
    }
  }
  return { error, setError, busy, run }
}
