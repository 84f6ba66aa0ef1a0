import fc from 'fast-check'
import { expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import type { ScreenSnapshot } from './terminal-screen.ts'
import { XtermScreen } from './xterm-screen.ts'
import { roundsOfRun } from '../testkit/seeded-random.ts'

const snapshot = (screen: XtermScreen, lines = 1000) => new Promise<ScreenSnapshot>((resolve) => screen.snapshot(lines, resolve))

const style = fc
  .array(
    fc.constantFrom(
      '1',
      '2',
      '3',
      '4',
      '5',
      '7',
      '8',
      '9',
      '53',
      '31',
      '97',
      '38;5;200',
      '38;2;1;2;3',
      '42',
      '103',
      '48;5;17',
      '48;2;9;8;7',
      '0',
    ),
    { maxLength: 3 },
  )
  .map((codes) => `\x1b[${codes.join(';')}m`)
const word = fc.oneof(
  fc.constantFrom('plain ', 'ü', '漢字', '  ', '\t', 'e\u0301', '🙂', 'x'.repeat(17), 'Z'.repeat(60)),
  fc.string({ maxLength: 6 }).map((text) => text.replaceAll(/\p{C}/gu, '')),
)
const line = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: word },
    { weight: 2, arbitrary: style },
    { weight: 1, arbitrary: fc.constantFrom('\x1b[K', '\x1b[3C', '\r') },
  ),
  { maxLength: 12 },
)
const output = fc.array(
  line.map((parts) => `${parts.join('')}\r\n`),
  { minLength: 20, maxLength: 60 },
)

it('[JB3] a snapshot of lines of every kind draws the same cells', async () => {
  await fc.assert(
    fc.asyncProperty(output, fc.integer({ min: 8, max: 40 }), async (lines, columns) => {
      const screen = new XtermScreen(columns, 5, 1000)
      screen.write(utf8(lines.join('')), () => {})
      const first = await snapshot(screen)
      const copy = new XtermScreen(columns, 5, 1000)
      copy.write(first.bytes, () => {})
      await snapshot(copy)
      const rows = firstOfAddon(screen)
      expect(plain(copy, rows)).toEqual(plain(screen, rows))
      screen.dispose()
      copy.dispose()
    }),
    { numRuns: roundsOfRun(100, 1_000) },
  )
})

/** Rows from here on are drawn by the addon, which paints backgrounds of blank lines a little differently. */
function firstOfAddon({ terminal }: XtermScreen): number {
  const { normal } = terminal.buffer
  let row = Math.max(0, normal.baseY - 1)
  while (row > 0 && normal.getLine(row)?.isWrapped) row--
  return row
}

/** Every cell's text and style, through the terminal inside. */
function plain(screen: XtermScreen, rows: number): string[] {
  const { buffer, cols } = screen.terminal
  return Array.from({ length: rows }, (_, row) => {
    const text = buffer.normal.getLine(row)
    let cells = ''
    for (let x = 0; x < cols; x++) {
      const cell = text?.getCell(x)
      if (!cell) continue
      const chars = cell.getChars() || ' '
      const visible = chars !== ' ' || !cell.isBgDefault() || cell.isInverse() || cell.isUnderline()
      cells += visible
        ? `${chars}${cell.getFgColorMode()}/${cell.getFgColor()}/${cell.getBgColorMode()}/${cell.getBgColor()}/${flags(cell)} `
        : '. '
    }
    return cells.replace(/(?:\. )+$/, '')
  })
}

function flags(
  cell: Record<'isBold' | 'isDim' | 'isItalic' | 'isUnderline' | 'isBlink' | 'isInverse' | 'isInvisible' | 'isStrikethrough', () => number>,
): string {
  const all = [
    cell.isBold(),
    cell.isDim(),
    cell.isItalic(),
    cell.isUnderline(),
    cell.isBlink(),
    cell.isInverse(),
    cell.isInvisible(),
    cell.isStrikethrough(),
  ]
  return all.map((on) => (on ? 1 : 0)).join('')
}
