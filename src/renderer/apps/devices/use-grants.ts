import { useEffect, useState } from 'react'
import type { GrantList } from '../../../identity/grants-contract.ts'
import { useClient } from '../../desk/app-desk.ts'
import { errorWords } from '../../ui/error-words.ts'

export interface Grants {
  /** Undefined until the device has answered. */
  readonly list: GrantList | undefined
  readonly error: string | undefined
}

/** Grants and who may what here, as the device tells them; the last answer stays when the connection goes. */
export function useGrants(): Grants {
  const client = useClient()
  const [grants, setGrants] = useState<Grants>({ list: undefined, error: undefined })
  useEffect(() => {
    if (!client) return
    let isOver = false
    const listening = client.onDidChangeGrants((list) => setGrants({ list, error: undefined }))
    client.listGrants({}).then(
      (list) => isOver || setGrants({ list, error: undefined }),
      (failure: unknown) => isOver || setGrants(({ list }) => ({ list, error: errorWords(failure) })),
    )
    return () => {
      isOver = true
      listening.dispose()
    }
  }, [client])
  return grants
}
