import { useSyncExternalStore } from 'react'

/** Below this width one window is shown at a time (look: small screens). */
const QUERY = '(max-width: 899px)'

const subscribe = (changed: () => void) => {
  const query = matchMedia(QUERY)
  query.addEventListener('change', changed)
  return () => query.removeEventListener('change', changed)
}

export const useCompact = (): boolean => useSyncExternalStore(subscribe, () => matchMedia(QUERY).matches)
