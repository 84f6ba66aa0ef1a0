import { expect, it } from 'vitest'
import { fromUtf8, utf8 } from '../base/bytes.ts'
import type { ScreenSnapshot } from './terminal-screen.ts'
import { cleanTitle, parseFolderUrl, XtermScreen } from './xterm-screen.ts'

const write = (screen: XtermScreen, text: string) => new Promise<void>((resolve) => screen.write(utf8(text), resolve))
const snapshot = (screen: XtermScreen, lines = 10_000) => new Promise<ScreenSnapshot>((resolve) => screen.snapshot(lines, resolve))
const shown = async (screen: XtermScreen) => fromUtf8((await snapshot(screen)).bytes)

it('[JB3] a snapshot drawn in an empty terminal of its size shows the same', async () => {
  const screen = new XtermScreen(20, 4)
  await write(screen, '\x1b[1;31mred\x1b[0m\r\nzwei grüße 漢字\r\n\x1b[?2004h\x1b[?25l\x1b[?1003h\x1b[?1006h\x1b[5 qlast\x1b]2;title\x07')
  const first = await snapshot(screen)
  const copy = new XtermScreen(first.columns, first.rows)
  await write(copy, fromUtf8(first.bytes))
  expect(await snapshot(copy)).toEqual(first)
  const text = fromUtf8(first.bytes)
  for (const part of ['grüße 漢字', '\x1b[?2004h', '\x1b[?25l', '\x1b[?1003h', '\x1b[?1006h', '\x1b[5 q', '\x1b]2;title\x07'])
    expect(text).toContain(part)
})

it('[JB3] a full-screen program and what lies behind it both come along', async () => {
  const screen = new XtermScreen(20, 4)
  await write(screen, 'behind\r\n\x1b[?1049h\x1b[Hvim')
  const text = await shown(screen)
  expect(text).toContain('behind')
  expect(text).toContain('vim')
  await write(screen, '\x1b[?1049l')
  expect(await shown(screen)).not.toContain('vim')
})

it('[JB3] a reset forgets modes', async () => {
  const screen = new XtermScreen(20, 4)
  await write(screen, '\x1b[?25l\x1b[?1006h\x1b[3 q\x1bc')
  expect(await shown(screen)).toBe('')
})

it('[JB3] keeps 10,000 lines above the screen and no more', async () => {
  const screen = new XtermScreen(40, 5)
  await write(screen, Array.from({ length: 10_100 }, (_, i) => `line ${i}\r\n`).join(''))
  const text = await shown(screen)
  expect(text.match(/line /g)?.length).toBe(10_004)
  expect(text).toContain('line 10099')
  expect(text).not.toContain('line 95\r\n')
  expect((await shown(screen)).length).toBe(text.length)
  expect(fromUtf8((await snapshot(screen, 3)).bytes).match(/line /g)?.length).toBe(7)
})

it('[JB3] resize and snapshot keep their place in the stream', async () => {
  const screen = new XtermScreen(20, 4)
  const order: string[] = []
  screen.write(utf8('one'), () => order.push('written'))
  screen.resize(30, 6)
  screen.snapshot(0, ({ columns, rows, bytes }) => order.push(`${columns}x${rows} ${fromUtf8(bytes)}`))
  screen.write(utf8(' two'), () => order.push('written again'))
  await snapshot(screen)
  expect(order).toEqual(['written', '30x6 one', 'written again'])
})

it('[JB7] answers what programs ask', async () => {
  const screen = new XtermScreen(20, 4)
  const answers: string[] = []
  screen.onDidAnswer((bytes) => answers.push(fromUtf8(bytes)))
  await write(screen, 'ab\x1b[6n\x1b[c')
  expect(answers).toEqual(['\x1b[1;3R', '\x1b[?1;2c'])
})

it('[JB9] tells title and folder', async () => {
  const screen = new XtermScreen(20, 4)
  const told: string[] = []
  screen.onDidChangeTitle((title) => told.push(`title ${title}`))
  screen.onDidChangeFolder((folder) => told.push(`folder ${folder}`))
  await write(screen, '\x1b]0;make\x07\x1b]2;make\x07\x1b]7;file://host/home/ada/a%20b\x1b\\\x1b]7;javascript:x\x07')
  expect(told).toEqual(['title make', 'folder /home/ada/a b'])
})

it.each([
  ['file:///home/ada', '/home/ada'],
  ['file://kitchen/tmp/%C3%A4', '/tmp/ä'],
  ['file://kitchen', undefined],
  ['http://kitchen/tmp', undefined],
  ['file:///tmp/%', undefined],
  ['file:///tmp/%00', undefined],
  ['file:///tmp/%0a', undefined],
  [`file:///${'x'.repeat(5000)}`, undefined],
])('[JB9] the folder of %s', (url, path) => expect(parseFolderUrl(url)).toBe(path))

it('[JB9] a title has no control characters and an end', () => {
  expect(cleanTitle('a\x07b\x1b[0mc\u009bd')).toBe('ab[0mcd')
  expect(cleanTitle('x'.repeat(1000))).toHaveLength(200)
})
