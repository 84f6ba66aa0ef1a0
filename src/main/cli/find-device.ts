import type { DeviceRow } from '../../sync/links-contract.ts'

/** By whole name, else by id from its front. @throws TypeError */
export function findDevice<Row extends Pick<DeviceRow, 'deviceId' | 'name'>>(rows: readonly Row[], wanted: string | undefined): Row {
  if (!wanted) throw new TypeError('say which device: "elsewhere device list" names them')
  const named = rows.filter(({ name }) => name === wanted)
  const found = named.length > 0 ? named : rows.filter(({ deviceId }) => wanted.length >= 4 && deviceId.startsWith(wanted))
  if (found.length === 1) return found[0] as Row
  throw new TypeError(found.length === 0 ? `there is no device "${wanted}"` : `${found.length} devices are called "${wanted}": give its id`)
}
