import { useEffect, useState } from 'react'
import type { AnchorSettings, AnchorState } from '../../identity/ledger-contract.ts'
import { clientNow, useClient } from '../desk/app-desk.ts'

export interface AnchorView {
  /** Undefined until the device has answered. */
  readonly anchor: AnchorState | undefined
  /** Anchors now. Rejects with what the device says. */
  anchorNow(): Promise<void>
}

/** How this device anchors its ledger, read anew when the ledger or the settings `shown` change; with what the wallet holds once the network has said. */
export function useAnchor(shown?: AnchorSettings): AnchorView {
  const client = useClient()
  const [anchor, setAnchor] = useState<AnchorState>()
  useEffect(() => {
    if (!client) return
    let isOver = false
    let round = 0
    const read = async () => {
      const mine = ++round
      const take = (state: AnchorState) => !isOver && mine === round && setAnchor(state)
      try {
        const state = await client.readAnchor({})
        take(state)
        if ((shown ?? state.settings).network !== 'off') take(await client.readAnchor({ balance: true }))
      } catch {
        // the device went away: the last answer stays, and it is asked again when it is back
      }
    }
    void read()
    const listening = client.onDidChangeLedger(() => void read())
    return () => {
      isOver = true
      listening.dispose()
    }
  }, [client, shown])
  return { anchor, anchorNow: async () => setAnchor(await clientNow().anchorLedger({})) }
}
