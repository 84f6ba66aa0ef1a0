/** What of a file was asked for: `from` inclusive, `to` exclusive. */
export interface ByteRange {
  readonly from: number
  readonly to: number
}

/**
 * One range of a `Range` header. Undefined: all of it, also where several ranges were asked for at once, which nobody here answers.
 * `unsatisfiable`: it begins behind the end.
 */
export function byteRange(header: string | undefined, total: number): ByteRange | undefined | 'unsatisfiable' {
  const found = /^bytes=(\d{0,16})-(\d{0,16})$/.exec(header?.trim() ?? '')
  if (!found) return undefined
  const [, first = '', last = ''] = found
  if (first === '') {
    if (last === '') return undefined
    const length = Math.min(Number(last), total)
    return length === 0 ? 'unsatisfiable' : { from: total - length, to: total }
  }
  const from = Number(first)
  if (from >= total) return 'unsatisfiable'
  if (last === '') return { from, to: total }
  return Number(last) < from ? undefined : { from, to: Math.min(Number(last) + 1, total) }
}
