import { readFileSync } from 'node:fs'

/** One line of /proc/self/mountinfo. */
export interface MountLine {
  /** Of the mounted device; for FUSE the number under /sys/fs/fuse/connections. */
  readonly minor: number
  readonly at: string
  readonly type: string
  readonly source: string
}

/** What is mounted. Reading it never touches a mount, so a dead one does not hold us. */
export function readMountTable(text = readFileSync('/proc/self/mountinfo', 'utf8')): readonly MountLine[] {
  return text.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ')
    const [, , device = '', , at] = left.split(' ')
    const [type, source] = right.split(' ')
    if (at === undefined || type === undefined || source === undefined) return []
    return [{ minor: Number(device.split(':')[1]), at: unescape(at), type, source: unescape(source) }]
  })
}

/** The kernel writes blanks and backslashes of paths as octal numbers, byte by byte. */
function unescape(text: string): string {
  if (!text.includes('\\')) return text
  const bytes = Buffer.from(text).toString('latin1')
  const plain = bytes.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
  return Buffer.from(plain, 'latin1').toString('utf8')
}
