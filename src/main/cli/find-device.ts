import type { DeviceRow } from '../../sync/links-contract.ts'
import type { DeviceClient } from './local-client.ts'

/** Devices, and engines by their names as if they were: what a job can be sent to. No engine is asked. */
export async function listPlaces(device: Pick<DeviceClient, 'listDevices' | 'listEngines'>): Promise<{ deviceId: string; name: string }[]> {
  const [devices, engines] = await Promise.all([device.listDevices({}), device.listEngines({ ask: false })])
  return [...devices, ...engines.map(({ engine, name }) => ({ deviceId: engine, name }))]
}

/** By whole name, else by id from its front. @throws TypeError */
export function findDevice<Row extends Pick<DeviceRow, 'deviceId' | 'name'>>(rows: readonly Row[], wanted: string | undefined): Row {
  if (!wanted) throw new TypeError('say which device: "elsewhere device list" names them')
  const named = rows.filter(({ name }) => name === wanted)
  const found = named.length > 0 ? named : rows.filter(({ deviceId }) => wanted.length >= 4 && deviceId.startsWith(wanted))
  if (found.length === 1) return found[0] as Row
  throw new TypeError(found.length === 0 ? `there is no device "${wanted}"` : `${found.length} devices are called "${wanted}": give its id`)
}
