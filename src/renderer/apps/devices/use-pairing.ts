import { useEffect, useState } from 'react'
import { errorCode } from '../../../base/errors.ts'
import type { PairingKind } from './pairing-words.ts'
import { errorWords } from '../../ui/error-words.ts'
import type { PairingState } from '../../../sync/links-contract.ts'
import { useClient } from '../../desk/app-desk.ts'
import type { DeviceClient } from '../../desk/device-connection.ts'

export interface PairingHandle {
  readonly state: PairingState
  readonly busy: boolean
  offer(): void
  join(code: string, rendezvousUrl: string | undefined): void
  confirm(accept: boolean): void
  cancel(): void
}

const IDLE: PairingState = { step: 'idle' }

/** One pairing of this device, or one with another person, as the device tells it. */
export function usePairing(kind: PairingKind): PairingHandle {
  const isContact = kind === 'contact'
  const client = useClient()
  const [state, setState] = useState(IDLE)
  const [busy, setBusy] = useState(false)
  useEffect(() => {
    const listening = isContact ? client?.onDidChangeContactPairing(setState) : client?.onDidChangePairing(setState)
    return () => listening?.dispose()
  }, [client, isContact])

  const ask = async (call: (client: DeviceClient) => Promise<PairingState>) => {
    if (!client) return
    setBusy(true)
    try {
      setState(await call(client))
    } catch (error) {
      setState({ step: 'failed', error: { code: errorCode(error), message: errorWords(error) } })
    } finally {
      setBusy(false)
    }
  }
  return {
    state,
    busy,
    offer: () => void ask((one) => (isContact ? one.offerContact({}) : one.offerPairing({}))),
    join: (code, rendezvousUrl) => {
      const wanted = { code, ...(rendezvousUrl && { rendezvousUrl }) }
      void ask((one) => (isContact ? one.joinContact(wanted) : one.joinPairing(wanted)))
    },
    confirm: (accept) => void ask((one) => (isContact ? one.confirmContact({ accept }) : one.confirmPairing({ accept }))),
    cancel: () => {
      if (state.step === 'failed' || state.step === 'done') setState(IDLE)
      else void ask((one) => (isContact ? one.cancelContact({}) : one.cancelPairing({})))
    },
  }
}
