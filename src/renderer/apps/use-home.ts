import { useEffect, useState } from 'react'
import { create } from 'zustand'
import { ELSEWHERE, ELSEWHERE_HOME } from '../../session/app-state.ts'
import { useClient } from '../desk/app-desk.ts'
import { useDeviceReachable } from './app-hooks.ts'

/** Home folders as devices told them; they do not change while a device runs. */
const useHomes = create<{ readonly homes: Readonly<Record<string, string>> }>(() => ({ homes: { [ELSEWHERE]: ELSEWHERE_HOME } }))

/** The home folder of a device; undefined until it was asked once. A desk that is only drawn to be quick has none, and asks nobody. */
export function useHome(device: string): { readonly home: string | undefined; readonly error: unknown } {
  const client = useClient()
  const reachable = useDeviceReachable(device)
  const home = useHomes(({ homes }) => homes[device])
  const [error, setError] = useState<unknown>()
  useEffect(() => {
    if (device === '' || !client || !reachable || useHomes.getState().homes[device] !== undefined) return
    const leaving = new AbortController()
    client.homeFolder({ device }, { signal: leaving.signal }).then(
      (found) => {
        setError(undefined)
        useHomes.setState(({ homes }) => ({ homes: { ...homes, [device]: found.path } }))
      },
      (failure: unknown) => !leaving.signal.aborted && setError(failure),
    )
    return () => leaving.abort()
  }, [client, device, reachable])
  return { home, error: home === undefined ? error : undefined }
}
