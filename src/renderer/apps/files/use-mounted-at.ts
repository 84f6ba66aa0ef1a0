import { useEffect, useState } from 'react'
import { useClient } from '../../desk/app-desk.ts'

/** The folder of this device at which the datasets are mounted, asked for while `wanted`; undefined: they are not, or not known yet. */
export function useMountedAt(wanted: boolean): string | undefined {
  const client = useClient()
  const [at, setAt] = useState<string>()
  useEffect(() => {
    if (!client || !wanted) return
    const leaving = new AbortController()
    client.mountStatus({}, { signal: leaving.signal }).then(
      (status) => setAt(status.state === 'mounted' ? status.at : undefined),
      () => {}, // away: asked again with the next connection
    )
    return () => leaving.abort()
  }, [client, wanted])
  return wanted ? at : undefined
}
