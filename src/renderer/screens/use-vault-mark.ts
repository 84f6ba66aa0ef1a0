import { useCallback, useEffect, useRef } from 'react'

/**
 * Marks, for benchmarks, when a passphrase given here was right: `elsewhere:vault-open`. A sealed device says so itself
 * while it still opens the desk; of others it is the answer. `setWaiting` goes around the call.
 */
export function useVaultMark(sealed: boolean) {
  const waiting = useRef(false)
  const mark = useCallback(() => {
    if (waiting.current) performance.mark('elsewhere:vault-open')
    waiting.current = false
  }, [])
  const setWaiting = useCallback((now: boolean) => {
    waiting.current = now
  }, [])
  useEffect(() => (sealed ? mark : undefined), [sealed, mark])
  return { setWaiting, mark }
}
