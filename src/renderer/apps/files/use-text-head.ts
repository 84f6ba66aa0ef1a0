import { useEffect, useState } from 'react'
import type { OpenView } from './file-view.ts'
import { readHead, type TextHead } from './look-text.ts'

interface HeadState {
  readonly head: TextHead | undefined
  readonly error: unknown
}

/** The beginning of the file in a view; undefined until it is read. */
export function useTextHead(view: OpenView, maxBytes: number): HeadState {
  const [state, setState] = useState<HeadState>({ head: undefined, error: undefined })
  useEffect(() => {
    const leaving = new AbortController()
    readHead(view, maxBytes, leaving.signal).then(
      (head) => setState({ head, error: undefined }),
      (error: unknown) => !leaving.signal.aborted && setState({ head: undefined, error }),
    )
    return () => leaving.abort()
  }, [view, maxBytes])
  return state
}
