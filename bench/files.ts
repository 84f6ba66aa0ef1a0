import { measureBetweenDevices } from './files/between-devices.ts'
import { measureMount } from './files/mount-rows.ts'
import type { Bench, Row } from './report.ts'

/*
 * `npm run bench -- files [mount|between] [--small]`: what files cost: in the mount, against the disk below and what people
 * mount today; and between two devices. Each part can be measured alone.
 */

async function run(args: readonly string[]): Promise<readonly Row[]> {
  const part = args.find((arg) => arg === 'mount' || arg === 'between')
  const rows: Row[] = []
  if (part !== 'between') rows.push(...(await measureMount(args)))
  if (part !== 'mount') rows.push(...(await measureBetweenDevices()))
  return rows
}

export const bench: Bench = { name: 'files', run }
