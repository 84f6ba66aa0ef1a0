import { useCallback, useState } from 'react'

const KEY = 'elsewhere.welcome-done'

const read = (): ReadonlySet<string> => {
  try {
    return new Set((localStorage.getItem(KEY) ?? '').split(',').filter(Boolean))
  } catch {
    return new Set() // Storage is refused: steps are ticked for this page only.
  }
}

/** Which steps of the welcome window were done on this display. */
export function useDone(): { readonly done: ReadonlySet<string>; readonly mark: (step: string) => void } {
  const [done, setDone] = useState(read)
  const mark = useCallback((step: string) => {
    setDone((before) => {
      if (before.has(step)) return before
      const after = new Set([...before, step])
      try {
        localStorage.setItem(KEY, [...after].join(','))
      } catch {
        return after // Storage is refused: ticked for this page only.
      }
      return after
    })
  }, [])
  return { done, mark }
}
