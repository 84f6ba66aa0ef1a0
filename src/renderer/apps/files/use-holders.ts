import { useEffect, useState } from 'react'
import { useClient } from '../../desk/app-desk.ts'
import type { PaneEntry } from './file-source.ts'

/** Somebody who only moves through a folder asks nothing. */
const PAUSE_MS = 150

/** Where one chosen file of a dataset is, as a sentence; undefined for anything else, and while it is asked. */
export function useHolders(entry: PaneEntry | undefined): string | undefined {
  const client = useClient()
  const [told, setTold] = useState<{ readonly key: string; readonly text: string }>()
  const shared = entry?.kind === 'file' ? entry.shared : undefined
  const key = shared ? `${shared.dataset} ${shared.node} ${shared.version} ${shared.place} ${shared.isSafe}` : ''
  const [dataset, node] = [shared?.dataset, shared?.node]
  useEffect(() => {
    if (!client || dataset === undefined || node === undefined) return
    const leaving = new AbortController()
    const timer = setTimeout(() => {
      const { signal } = leaving
      const ask = async () => {
        const holders = await client.datasetHolders({ dataset, node }, { signal })
        // Who signed for it is written in what is still to come.
        const status = holders.length > 1 ? undefined : await client.datasetStatus({ dataset }, { signal })
        return holdersText(holders, status?.loading !== undefined || (status?.behind ?? 0) > 0)
      }
      ask().then(
        (text) => setTold({ key, text }),
        () => setTold(undefined), // removed meanwhile, or closed: nothing is claimed
      )
    }, PAUSE_MS)
    return () => {
      clearTimeout(timer)
      leaving.abort()
    }
  }, [client, dataset, node, key])
  return told?.key === key && key !== '' ? told.text : undefined
}

interface Holder {
  readonly name: string
  readonly how: 'here' | 'wrote' | 'signed'
}

/** `On this device and kitchen`, `On kitchen and server`, `Only on this device so far`. `isComing`: part of the history is still being fetched. */
export function holdersText(holders: readonly Holder[], isComing = false): string {
  const names = holders.map(({ name, how }) => (how === 'here' ? 'this device' : name))
  if (isComing && names.length === 0) return 'Which devices have it is still being fetched'
  if (isComing && names.length === 1) return `On ${names[0]}; where else is still being fetched`
  if (names.length === 0) return 'On no device that is known here'
  if (names.length === 1) return `Only on ${names[0]} so far`
  return `On ${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
