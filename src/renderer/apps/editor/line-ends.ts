export type LineEnd = '\n' | '\r\n'

/**
 * The editor's document counts a line end as one character. A text whose line ends are all `\r\n` is edited with `\n`
 * and saved with `\r\n` again; a text that mixes them keeps every character as it is.
 */
export function readLineEnds(text: string): { readonly text: string; readonly lineEnd: LineEnd } {
  const mixed = /(^|[^\r])\n|\r(?!\n)/.test(text)
  return mixed || !text.includes('\r\n') ? { text, lineEnd: '\n' } : { text: text.replaceAll('\r\n', '\n'), lineEnd: '\r\n' }
}

export const writeLineEnds = (text: string, lineEnd: LineEnd): string => (lineEnd === '\n' ? text : text.replaceAll('\n', '\r\n'))
