import type { IMarker, Terminal } from '@xterm/xterm'
import { type Disposable, DisposableStore } from '../../../base/disposable.ts'

/** Longest command read back from the screen, in rows. */
const MAX_ROWS = 50

/**
 * Reads commands off the screen as a shell with our integration begins them (OSC 133: B where a command is typed, C when
 * it runs). Programs may write these sequences too: the worst that comes of it is a wrong suggestion, which runs nothing.
 */
export class CommandMarks implements Disposable {
  readonly #owned = new DisposableStore()
  readonly #term: Terminal
  #start: { readonly marker: IMarker; readonly column: number } | undefined

  constructor(term: Terminal, take: (line: string) => void) {
    this.#term = term
    this.#owned.add(
      term.parser.registerOscHandler(133, (data) => {
        if (data.startsWith('B')) this.#begin()
        else if (data.startsWith('C')) {
          const line = this.#read()
          if (line !== '') take(line)
        }
        return false // others may read it too
      }),
    )
  }

  dispose(): void {
    this.#start?.marker.dispose()
    this.#owned.dispose()
  }

  #begin(): void {
    this.#start?.marker.dispose()
    const marker = this.#term.buffer.active.type === 'normal' ? this.#term.registerMarker(0) : undefined
    this.#start = marker && { marker, column: this.#term.buffer.active.cursorX }
  }

  /** What stands between the two marks; rows that wrapped are one line. */
  #read(): string {
    const { active } = this.#term.buffer
    const from = this.#start
    this.#start = undefined
    const end = active.baseY + active.cursorY
    if (active.type !== 'normal') return ''
    if (!from || from.marker.isDisposed || from.marker.line < 0) return withoutPrompt(active.getLine(end - 1)?.translateToString(true))
    let text = ''
    for (let row = from.marker.line; row <= Math.min(end, from.marker.line + MAX_ROWS); row++) {
      const line = active.getLine(row)
      if (!line || (row === end && active.cursorX === 0)) break
      const part = line.translateToString(true, row === from.marker.line ? from.column : 0, row === end ? active.cursorX : undefined)
      text += row === from.marker.line || line.isWrapped ? part : `\n${part}`
    }
    from.marker.dispose()
    return text.trim()
  }
}

/** Of a prompt that was drawn before this display looked, only the usual signs tell where it ends: a guess, for a suggestion. */
const withoutPrompt = (line: string | undefined): string => /^[^$#%❯>]*[$#%❯>] +(\S.*)$/.exec(line ?? '')?.[1]?.trim() ?? ''
