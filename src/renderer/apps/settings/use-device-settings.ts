import { useEffect, useState } from 'react'
import type { DeviceSettings } from '../../../device/desk/desk-contract.ts'
import { clientNow, useClient } from '../../desk/app-desk.ts'
import { setMachineSettings, useMachineSettings } from '../../desk/settings-store.ts'

export interface DeviceSettingsHandle {
  readonly settings: DeviceSettings | undefined
  readonly error: unknown
  /** Writes at once; shows the new value before the device has answered and takes it back if it refuses. Rejects with the refusal. */
  change(values: Partial<DeviceSettings>): Promise<void>
}

/** What belongs to this machine and does not follow the person. */
export function useDeviceSettings(): DeviceSettingsHandle {
  const client = useClient()
  const settings = useMachineSettings((state) => state.settings)
  const [error, setError] = useState<unknown>()
  useEffect(() => {
    if (!client) return
    const leaving = new AbortController()
    client
      .readSettings({}, { signal: leaving.signal })
      .then(setMachineSettings, (failure: unknown) => !leaving.signal.aborted && setError(failure))
    return () => leaving.abort()
  }, [client])
  const change = async (values: Partial<DeviceSettings>) => {
    const before = settings
    if (before) setMachineSettings({ ...before, ...values })
    try {
      setMachineSettings(await clientNow().writeSettings(values))
    } catch (failure) {
      setMachineSettings(before)
      throw failure
    }
  }
  return { settings, error, change }
}
