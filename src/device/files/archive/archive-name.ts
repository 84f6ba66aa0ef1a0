import { utf8 } from '../../../base/bytes.ts'

/** What a zip can name, less what a folder made for it takes. */
export const MAX_ARCHIVE_PATH_BYTES = 60_000

/** Devices on Windows, under any ending. */
const DEVICES = /^(con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[\d¹²³])(?= *(?:\.|$))/i

/** Names of one folder of an archive, each as a system sees it that is blind to case and to how accents are written. */
export type TakenNames = Map<string, { count: number }>

/**
 * What an entry is called in an archive: as it is, but for what leads out of a folder, is no text, or names something else on a system
 * that unpacks it (a backslash, a colon, control characters, half a letter, a dot at the end, a device), and counted on where two would be
 * the same on one of them. Adds it to `taken`.
 *
 * @returns undefined  it is no name of something in a folder
 */
export function archiveName(name: string, taken: TakenNames): string | undefined {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) return undefined
  const safe = name
    // oxlint-disable-next-line no-control-regex
    .replaceAll(/[\u0000-\u001f\u007f\\<>:"|?*]/g, '_')
    .replaceAll(/\p{Surrogate}/gu, '\ufffd')
    .replace(/[. ]+$/, (end) => '_'.repeat(end.length))
    .replace(DEVICES, '$1_')
  const dot = safe.lastIndexOf('.')
  const [stem, ending] = dot > 0 ? [safe.slice(0, dot), safe.slice(dot)] : [safe, '']
  const same = taken.get(keyOf(safe)) ?? { count: 1 }
  let free = safe
  while (taken.has(keyOf(free))) free = `${stem} ${++same.count}${ending}`
  taken.set(keyOf(safe), same)
  taken.set(keyOf(free), taken.get(keyOf(free)) ?? { count: 1 })
  return free
}

const keyOf = (name: string) => name.normalize('NFC').toLowerCase()

/** `Letters` > `Letters.zip`; what several entries are called together. */
export function archiveFileName(name: string): string {
  let stem = archiveName(name, new Map()) ?? 'Files'
  while (utf8(stem).length > 200) stem = [...stem].slice(0, -1).join('')
  return `${stem}.zip`
}
