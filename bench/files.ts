import { measureBetweenDevices } from './files/between-devices.ts'
import { measureChangedByte } from './files/changed-byte.ts'
import { measureColdRead } from './files/cold-read.ts'
import { measureManySmall } from './files/many-small.ts'
import { measureMount } from './files/mount-rows.ts'
import { measureMovingBytes } from './files/moving-bytes.ts'
import { measureNewDevice } from './files/new-device.ts'
import { measureSavedFile } from './files/saved-file.ts'
import { measureWebRtc } from './files/webrtc-rows.ts'
import { notMeasured, type Bench, type Row } from './report.ts'

/*
 * `npm run bench -- files [PART...] [--small]`: what files cost: in the mount, against the disk below and what people mount today; and between
 * two devices, against the bare bytes and what people use today. All parts in one run, or those that are named:
 *
 *   mount [--mib N] [--files N]      steps in a folder, beside ext4, sshfs and rclone
 *   cold [--once]                    a file of another device, beside a floor, scp, sshfs, syncthing and rsync
 *   changed                          one changed byte of a large file, beside rsync
 *   many                             100,000 small files, beside syncthing
 *   saved                            a small file, saved and read, beside syncthing
 *   between, moving                  what is far away, and what a saturated cable does to typing
 *   webrtc [--path=near|far|loss]    where no TCP joins them
 *   new [--files N]                  a new device of a person with many files
 */
const PARTS: Readonly<Record<string, (args: readonly string[]) => Promise<readonly Row[]>>> = {
  mount: measureMount,
  cold: measureColdRead,
  changed: measureChangedByte,
  many: measureManySmall,
  saved: measureSavedFile,
  between: measureBetweenDevices,
  moving: measureMovingBytes,
  webrtc: measureWebRtc,
  new: measureNewDevice,
}

/** A part that fails leaves what the others measured. */
async function run(args: readonly string[]): Promise<readonly Row[]> {
  const named = args.filter((arg) => arg in PARTS)
  const rows: Row[] = []
  for (const [name, measure] of Object.entries(PARTS)) {
    if (named.length > 0 && !named.includes(name)) continue
    try {
      rows.push(...(await measure(args)))
    } catch (error) {
      console.error(`bench: ${name} failed:`, error)
      const row = { id: `${name}-failed`, what: `all of ${name}`, unit: '', must: 'to be measured', goal: undefined }
      rows.push(notMeasured(row, String(error).split('\n')[0] ?? ''))
    }
  }
  return rows
}

export const bench: Bench = { name: 'files', run }
