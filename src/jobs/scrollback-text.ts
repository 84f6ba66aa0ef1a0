import type { IBuffer, IBufferCell, IBufferLine } from '@xterm/headless'

/** A cell with the packed style words that xterm keeps in it: cheap to compare, and only compared. */
type StyledCell = IBufferCell & { readonly fg: number; readonly bg: number }

/**
 * Rows `from` (inclusive) to `to` (exclusive) as escape sequences that draw them in an empty terminal of the same width;
 * every line ends with CR LF. `from` and `to` must not begin a wrapped row. Ten times as fast as the serialiser addon,
 * which compares styles cell by cell through a dozen calls; it stays in charge of the visible screen and the cursor.
 */
export function scrollbackText(buffer: IBuffer, columns: number, from: number, to: number): string {
  const rows: string[] = []
  const cell = buffer.getNullCell() as StyledCell
  for (let row = from; row < to; row++) {
    const line = buffer.getLine(row)
    if (!line) continue
    const next = row + 1 < to ? buffer.getLine(row + 1) : undefined
    const rest = next?.isWrapped ? next : undefined
    rows.push(rowText(line, columns, cell, rest))
    if (!rest) rows.push('\r\n')
  }
  return rows.join('')
}

/** `rest`: the row in which this row's line goes on. */
function rowText(line: IBufferLine, columns: number, cell: StyledCell, rest: IBufferLine | undefined): string {
  let text = ''
  let blanks = 0
  let fg = 0
  let bg = 0
  const length = Math.min(columns, line.length)
  for (let x = 0; x < length; x++) {
    line.getCell(x, cell)
    const width = cell.getWidth()
    if (width === 0) continue // the second half of a wide character
    const chars = cell.getChars()
    if (chars === '' && cell.fg === 0 && cell.bg === 0) {
      blanks++
      continue
    }
    if (blanks > 0) {
      if (bg !== 0 || fg !== 0) text += '\x1b[0m'
      fg = bg = 0
      text += ' '.repeat(blanks)
      blanks = 0
    }
    if (cell.fg !== fg || cell.bg !== bg) {
      text += styleOf(cell)
      fg = cell.fg
      bg = cell.bg
    }
    text += chars === '' ? ' ' : chars
  }
  if (fg !== 0 || bg !== 0) text += '\x1b[0m' // else the next line would be made with this background
  // A row that goes on must be full, or the next would not wrap; a wide character wraps from the last cell by itself.
  if (rest && blanks > 0 && !(blanks === 1 && rest.getCell(0, cell)?.getWidth() === 2)) return text + ' '.repeat(blanks)
  // A row that was begun by wrapping has the background of what wrapped: its blank end is wiped.
  return line.isWrapped && blanks > 0 ? `${text}\x1b[K` : text
}

function styleOf(cell: IBufferCell): string {
  const codes: (number | string)[] = [0]
  if (cell.isBold()) codes.push(1)
  if (cell.isDim()) codes.push(2)
  if (cell.isItalic()) codes.push(3)
  if (cell.isUnderline()) codes.push(4)
  if (cell.isBlink()) codes.push(5)
  if (cell.isInverse()) codes.push(7)
  if (cell.isInvisible()) codes.push(8)
  if (cell.isStrikethrough()) codes.push(9)
  if (cell.isOverline()) codes.push(53)
  if (cell.isFgRGB()) codes.push(38, 2, ...rgb(cell.getFgColor()))
  else if (cell.isFgPalette()) codes.push(...palette(cell.getFgColor(), 30))
  if (cell.isBgRGB()) codes.push(48, 2, ...rgb(cell.getBgColor()))
  else if (cell.isBgPalette()) codes.push(...palette(cell.getBgColor(), 40))
  return `\x1b[${codes.join(';')}m`
}

const rgb = (color: number): number[] => [(color >> 16) & 255, (color >> 8) & 255, color & 255]

/** 16 colours have codes of their own, from `base` and, the bright ones, from `base` + 60. */
function palette(color: number, base: 30 | 40): number[] {
  if (color < 8) return [base + color]
  return color < 16 ? [base + 60 + color - 8] : [base + 8, 5, color]
}
