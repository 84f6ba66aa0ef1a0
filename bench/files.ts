import { measureBetweenDevices } from './files/between-devices.ts'
import { measureMovingBytes } from './files/moving-bytes.ts'
import { measureMount } from './files/mount-rows.ts'
import { measureNewDevice } from './files/new-device.ts'
import { measureWebRtc } from './files/webrtc-rows.ts'
import type { Bench, Row } from './report.ts'

/*
 * `npm run bench -- files [mount|between|moving|webrtc [--path=near|far|loss]|new [--files N]] [--small]`: what files cost: in the mount, against the disk below and what people
 * mount today; and between two devices, what moves their bytes, and how a new one starts. Each part can be measured alone.
 */

async function run(args: readonly string[]): Promise<readonly Row[]> {
  const part = args.find((arg) => arg === 'mount' || arg === 'between' || arg === 'moving' || arg === 'webrtc' || arg === 'new')
  const rows: Row[] = []
  if (part === undefined || part === 'mount') rows.push(...(await measureMount(args)))
  if (part === undefined || part === 'between') rows.push(...(await measureBetweenDevices()))
  if (part === undefined || part === 'moving') rows.push(...(await measureMovingBytes(args)))
  if (part === undefined || part === 'webrtc') rows.push(...(await measureWebRtc(args)))
  if (part === undefined || part === 'new') rows.push(...(await measureNewDevice(args)))
  return rows
}

export const bench: Bench = { name: 'files', run }
