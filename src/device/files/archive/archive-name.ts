import { utf8 } from '../../../base/bytes.ts'

/** What a zip can name, less what a folder made for it takes. */
export const MAX_ARCHIVE_PATH_BYTES = 60_000

/**
 * What an entry is called in an archive: as it is, but for what leads out of a folder or is no text on some system that unpacks it (a
 * backslash, control characters, half a letter), and counted on where two would be the same then. Adds it to `taken`.
 *
 * @returns undefined  it is no name of something in a folder
 */
export function archiveName(name: string, taken: Set<string>): string | undefined {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) return undefined
  // oxlint-disable-next-line no-control-regex
  const safe = name.replaceAll(/[\u0000-\u001f\u007f\\]/g, '_').replaceAll(/\p{Surrogate}/gu, '\ufffd')
  const dot = safe.lastIndexOf('.')
  const [stem, ending] = dot > 0 ? [safe.slice(0, dot), safe.slice(dot)] : [safe, '']
  let free = safe
  for (let count = 2; taken.has(free); count++) free = `${stem} ${count}${ending}`
  taken.add(free)
  return free
}

/** `Letters` > `Letters.zip`; what several entries are called together. */
export function archiveFileName(name: string): string {
  let stem = archiveName(name, new Set()) ?? 'Files'
  while (utf8(stem).length > 200) stem = [...stem].slice(0, -1).join('')
  return `${stem}.zip`
}
