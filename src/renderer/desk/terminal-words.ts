/** What a terminal tab of this display could hand on: the text that is selected in it, the command it ran last. */
export interface TerminalWords {
  readonly selection: string
  readonly lastCommand: string
}

const NONE: TerminalWords = { selection: '', lastCommand: '' }
/** Longer than any command a person selects to run; more is text. */
const MAX_COMMAND = 4_096
/** Kept in this page only, as long as the tab is drawn. */
const words = new Map<string, TerminalWords>()

export function noteTerminalWords(tabId: string, change: Partial<TerminalWords>): void {
  words.set(tabId, { ...terminalWords(tabId), ...change })
}

export const forgetTerminalWords = (tabId: string): void => void words.delete(tabId)

export const terminalWords = (tabId: string): TerminalWords => words.get(tabId) ?? NONE

/** Text as the one command line it may be; undefined: it is none, or more than one. Prompts that were selected too stay out. */
export function asCommandLine(text: string): string | undefined {
  const line = text.replace(/\s+$/, '').replace(/^\s*[$%#❯>]\s+/, '')
  return line.trim() === '' || line.length > MAX_COMMAND || /[\r\n\0]/.test(line) ? undefined : line.trim()
}
