import { measureBetweenDevices } from './files/between-devices.ts'
import { measureMovingBytes } from './files/moving-bytes.ts'
import { measureMount } from './files/mount-rows.ts'
import type { Bench, Row } from './report.ts'

/*
 * `npm run bench -- files [mount|between|moving] [--small]`: what files cost: in the mount, against the disk below and what people
 * mount today; and between two devices, and what moves their bytes. Each part can be measured alone.
 */

async function run(args: readonly string[]): Promise<readonly Row[]> {
  const part = args.find((arg) => arg === 'mount' || arg === 'between' || arg === 'moving')
  const rows: Row[] = []
  if (part === undefined || part === 'mount') rows.push(...(await measureMount(args)))
  if (part === undefined || part === 'between') rows.push(...(await measureBetweenDevices()))
  if (part === undefined || part === 'moving') rows.push(...(await measureMovingBytes(args)))
  return rows
}

export const bench: Bench = { name: 'files', run }
