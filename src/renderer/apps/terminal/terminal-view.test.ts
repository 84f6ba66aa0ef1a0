import { expect, it } from 'vitest'
import type { TerminalInfo } from '../../../jobs/terminal-contract.ts'
import { CONNECTING, exitSentence, reattachDelayMs, reduceTerminalView, terminalTitle, type TerminalView } from './terminal-view.ts'

const info: TerminalInfo = {
  device: 'd1',
  terminalId: 't1',
  title: '',
  cwd: '/home/kim/src',
  pid: 42,
  foreground: 'zsh',
  columns: 80,
  rows: 24,
  startedAtMs: 0,
}
const size = { columns: 80, rows: 24 }
const live: TerminalView = { phase: 'live', info, size }
const coded = (code: string) => Object.assign(new Error('said by the device'), { code })

it('[AP11] a lost attachment is away, with the screen kept; coming back is seen as again', () => {
  const away = reduceTerminalView(live, { type: 'detached', atMs: 5 })
  expect(away).toEqual({ phase: 'away', screenAtMs: 5 })
  expect(reduceTerminalView(away, { type: 'attaching' })).toEqual({ phase: 'connecting', again: true })
  expect(reduceTerminalView(away, { type: 'attached', info, size })).toEqual(live)
})

it('[AP12] an exit is final: losing the channel afterwards does not turn it into away', () => {
  const exited = reduceTerminalView(live, { type: 'exited', code: 1 })
  expect(reduceTerminalView(exited, { type: 'detached', atMs: 9 })).toBe(exited)
  expect(reduceTerminalView(exited, { type: 'last-screen', atMs: 9 })).toBe(exited)
})

it('[AP12] attaching to a program that has ended shows it as ended', () => {
  expect(reduceTerminalView(CONNECTING, { type: 'attached', info: { ...info, exit: { code: 3 } }, size })).toMatchObject({
    phase: 'exited',
    code: 3,
  })
})

it.each([
  ['terminal/device-away', 'away'],
  ['terminal/unknown', 'exited'],
  ['grant/refused', 'failed'],
] as const)('[AP11] refusal %s becomes %s', (code, phase) => {
  expect(reduceTerminalView(CONNECTING, { type: 'refused', error: coded(code) }).phase).toBe(phase)
})

it('[AP11] attaching again waits 1 s at least and 30 s at most', () => {
  expect([0, 1, 2, 10].map(reattachDelayMs)).toEqual([1000, 2000, 4000, 30_000])
})

it('[AP12] says how it ended in plain words', () => {
  expect(exitSentence(0, undefined)).toBe('The program ended.')
  expect(exitSentence(127, undefined)).toBe('The program ended with code 127.')
  expect(exitSentence(0, 9)).toBe('The program was ended by signal 9 (killed).')
  expect(exitSentence(undefined, undefined)).toContain('restarted')
})

it('[AP13] a tab is named after what runs, else after where it stands', () => {
  expect(terminalTitle({ ...info, foreground: 'vim' }, '/home/kim')).toBe('vim')
  expect(terminalTitle(info, '/home/kim')).toBe('~/src')
  expect(terminalTitle({ ...info, cwd: '/home/kimono' }, '/home/kim')).toBe('/home/kimono')
})
