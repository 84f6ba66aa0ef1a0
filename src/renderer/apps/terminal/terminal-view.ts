import { errorCode } from '../../../base/errors.ts'
import { errorWords } from '../../ui/error-words.ts'
import type { TerminalInfo } from '../../../jobs/terminal-contract.ts'
import type { TerminalSize } from '../../../jobs/terminal-frames-contract.ts'

/** What a terminal tab shows. One reducer changes it (R20). */
export type TerminalView =
  /** Being opened or attached; `again`: there was a live screen before, which stays visible. */
  | { readonly phase: 'connecting'; readonly again: boolean }
  | { readonly phase: 'live'; readonly info: TerminalInfo; readonly size: TerminalSize }
  /** Its device cannot be reached; the screen is the last one seen here. */
  | { readonly phase: 'away'; readonly screenAtMs: number | undefined }
  /** The program ended. Never started again by itself. */
  | { readonly phase: 'exited'; readonly code: number | undefined; readonly signal: number | undefined }
  | { readonly phase: 'failed'; readonly code: string; readonly message: string }

export type TerminalFact =
  | { readonly type: 'attaching' }
  | { readonly type: 'attached'; readonly info: TerminalInfo; readonly size: TerminalSize }
  | { readonly type: 'resized'; readonly size: TerminalSize }
  | { readonly type: 'info'; readonly info: TerminalInfo }
  | { readonly type: 'exited'; readonly code: number; readonly signal?: number | undefined }
  /** The attachment broke; `deviceAway` as far as this display knows. */
  | { readonly type: 'detached'; readonly atMs: number }
  | { readonly type: 'last-screen'; readonly atMs: number | undefined }
  | { readonly type: 'refused'; readonly error: unknown }

export const CONNECTING: TerminalView = { phase: 'connecting', again: false }

/** Pure. An exit is final: nothing that arrives later brings the program back, only `attaching` after "Start again". */
export function reduceTerminalView(view: TerminalView, fact: TerminalFact): TerminalView {
  switch (fact.type) {
    case 'attaching':
      return { phase: 'connecting', again: view.phase === 'live' || view.phase === 'away' }
    case 'attached':
      if (fact.info.exit) return { phase: 'exited', code: fact.info.exit.code, signal: fact.info.exit.signal }
      return { phase: 'live', info: fact.info, size: fact.size }
    case 'resized':
      return view.phase === 'live' ? { ...view, size: fact.size } : view
    case 'info':
      if (view.phase !== 'live') return view
      return fact.info.exit ? { phase: 'exited', code: fact.info.exit.code, signal: fact.info.exit.signal } : { ...view, info: fact.info }
    case 'exited':
      return { phase: 'exited', code: fact.code, signal: fact.signal }
    case 'detached':
      return view.phase === 'exited' ? view : { phase: 'away', screenAtMs: fact.atMs }
    case 'last-screen':
      return view.phase === 'exited' ? view : { phase: 'away', screenAtMs: fact.atMs }
    case 'refused':
      return refusal(fact.error)
  }
}

function refusal(error: unknown): TerminalView {
  const code = errorCode(error)
  if (code === 'terminal/device-away') return { phase: 'away', screenAtMs: undefined }
  // The device answers but does not know it: it was restarted, and programs do not outlive their machine.
  if (code === 'terminal/unknown') return { phase: 'exited', code: undefined, signal: undefined }
  return { phase: 'failed', code, message: errorWords(error) }
}

/** Waits between attempts to attach again: quick at first, then gentle; no timer under 1 s when idle. */
export function reattachDelayMs(attempt: number): number {
  return Math.min(1_000 * 2 ** attempt, 30_000)
}

/** In plain words: how a program ended. */
export function exitSentence(code: number | undefined, signal: number | undefined): string {
  if (code === undefined) return 'This terminal is gone: its device was restarted.'
  if (signal !== undefined && signal > 0)
    return `The program was ended by signal ${signal}${SIGNALS[signal] ? ` (${SIGNALS[signal]})` : ''}.`
  return code === 0 ? 'The program ended.' : `The program ended with code ${code}.`
}

const SIGNALS: Readonly<Record<number, string>> = {
  1: 'hang-up',
  2: 'interrupt',
  3: 'quit',
  6: 'aborted',
  9: 'killed',
  11: 'memory fault',
  13: 'broken pipe',
  15: 'asked to end',
}

/** A name for the tab: what runs if it is not the shell, else where it stands. `home` shortens to ~. */
export function terminalTitle(info: Pick<TerminalInfo, 'title' | 'cwd' | 'foreground'>, home?: string): string {
  const shells = /^-?(ba|z|da|fi|k|tc|c)?sh$/
  if (info.foreground !== '' && !shells.test(info.foreground)) return info.foreground
  const cwd = home && (info.cwd === home || info.cwd.startsWith(`${home}/`)) ? `~${info.cwd.slice(home.length)}` : info.cwd
  return cwd || info.title || 'Terminal'
}
